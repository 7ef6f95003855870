"""The student that can be read, in full: drawn and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explain_distill._rounding import short
from explain_distill._types import ReadableRows
from explain_distill.report.blocks import Block, Item, Listing, Outline, Paragraph, Section, Tree
from explain_distill.report.shapes import additive_shapes
from explain_distill.report.tree_layout import SHOWN
from explain_distill.report.wording import count, many_features_words, percent, spoken, started
from explain_distill.students.additive import Additive
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.students.decision_tree_words import missing_words
from explain_distill.students.nodes import (
    Node,
    ReadableTree,
    following,
    has_linear_leaves,
    leaf_words,
    linear_leaves_words,
    tree_nodes,
    unweighed_nodes,
)
from explain_distill.students.rules import FEW_TERMS, SPOKEN_TERMS, answer_words, questions
from explain_distill.students.soft_tree import SoftTree

if TYPE_CHECKING:
    from explain_distill.students.base import Student
    from explain_distill.study.study import Study


def recommended_section(study: Study) -> Section:
    """Show the student that can be read: as a drawing and in words where it is a tree."""
    name = study.recommended
    student = study.students[name]
    title = started(spoken(name))
    if isinstance(student, ReadableTree):
        blocks, title = _tree(study, name, student), f"{title} in full"
    elif isinstance(student, Additive):
        blocks, title = _additive(study, name, student), f"{title} in full"
    else:
        blocks = _without_tree(study, name, student)
    return Section("recommended", title, tuple(blocks))


def _without_tree(study: Study, name: str, student: Student) -> list[Block]:
    """Say what a student is that has no questions to read."""
    why = (
        f"{started(spoken(name))} is told of here, since {_how_chosen(study)}; it cannot be read "
        "as questions and answers."
        if study.budget is not None and study.budget.student is not None
        else "No student of this study can be read as questions and answers, so "
        f"{spoken(name)}, the first of them, is told of here."
    )
    return [
        Paragraph(f"{why} It has no drawing; what it says of itself:"),
        Listing(tuple(student.rules()) or ("It does not say itself in words.",)),
    ]


def _additive(study: Study, name: str, model: Additive) -> list[Block]:
    """Draw the strongest functions of single features, and say all that is told of the model."""
    blocks: list[Block] = [
        Paragraph(
            f"{started(spoken(name))} is shown because it can be read, which is a matter of its "
            f"kind; {_how_chosen(study)}. Its answer is a plain sum: each function below "
            "looks at one feature, or at two together, and nothing else."
        )
    ]
    if (drawn := additive_shapes(model)) is not None:
        blocks.append(drawn)
    return [*blocks, Paragraph("The same in words:"), Listing(tuple(model.rules()))]


def _tree(study: Study, name: str, tree: ReadableTree) -> list[Block]:
    X = known_rows(study)
    nodes = tree_nodes(tree, X) if X is not None else unweighed_nodes(tree)
    size = tree.complexity()
    depth, leaves = int(size["depth"]), int(size["leaves"])
    told = _where_not(study, name, tree)
    blocks: list[Block] = [
        Paragraph(
            f"{started(spoken(name))} is shown because it can be read, which is a matter of its "
            f"kind; {_how_chosen(study)}. Read it together with its fidelity above: what "
            f"it says holds for the teacher only as far as that goes. {told}"
        ),
        Paragraph(
            f"It asks {count(leaves - 1, 'question')}, at most {depth} of one row, and "
            f"has {count(leaves, 'leaf', 'leaves')}. {_how_it_asks(tree)} "
            f"{following_words(study, tree)}".rstrip()
        ),
        Tree("The tree", tuple(nodes), study.about.task, weighed=X is not None),
        Paragraph(_words_led_in(nodes, X is not None)),
        Outline((outline(tree, nodes, X is not None),)),
    ]
    if X is None:
        blocks.append(
            Paragraph("The study keeps no rows, so how many of them take each branch is not known.")
        )
    return blocks


def _how_it_asks(tree: ReadableTree) -> str:
    """Say what a question compares, and how the leaves make the answer."""
    if isinstance(tree, DecisionTree):
        return (
            "Each question is of one feature, and a row goes one way. Its answer is that of the "
            f"leaf it comes to. {missing_words(tree)} {linear_leaves_words(tree)}".rstrip()
        )
    mixture = (
        "Its answer is the mean of the leaves' answers, each weighted by the share of the row "
        "that reaches it."
        if tree.inference == "mixture"
        else "Its answer is that of the one leaf that holds most of the row."
        if tree.inference == "path"
        else "Its answer is that of the one leaf to which the likelier side of each question leads."
    )
    if has_linear_leaves(tree):
        mixture += f" {linear_leaves_words(tree)}"
    if tree.temperature != 1:
        mixture += f" It learned at temperature {tree.temperature:g}, at which the mean is taken."
    return (
        f"Each question compares {_sums(tree)} with a threshold. A soft tree sends every row both "
        "ways, more of it to the side of the answer, and all of it only where the answer is clear. "
        f"{many_features_words(int(tree.complexity()['features_per_split']))}{mixture}"
    )


def following_words(study: Study, tree: ReadableTree) -> str:
    """Say how far one way through a mixture leads to its answer; nothing of other trees."""
    data = study.comparison.data
    if not isinstance(tree, SoftTree) or tree.inference != "mixture" or not data:
        return ""
    found, unit = following(tree, data.readable()), study.about.task.unit
    words = (
        f"Of the {count(len(data), 'test row')}, the leaf that holds most of a row holds "
        f"{percent(found.share)} of it on the mean; who follows the likelier side of each question "
    )
    if found.same is not None:
        return words + f"comes to a leaf of the tree's own answer in {percent(found.same)} of them."
    assert found.off is not None
    unit = f" {unit}" if unit else ""
    return words + (
        f"comes to a leaf whose value is off by {short(found.off)}{unit} on the mean, where the "
        f"tree's own values have a standard deviation of {short(found.spread)}{unit}."
    )


def _sums(tree: SoftTree) -> str:
    """Say what a question compares."""
    if len(tree.readable_features()) == 1:
        return "one feature, in raw units,"
    most = max(
        len({term.feature.removesuffix(" is missing") for term in question.terms})
        for question in questions(tree)
    )
    weighed = "all" if most >= len(tree.readable_features()) else f"at most {most}"
    return f"a weighted sum of {weighed} features, in raw units,"


def _how_chosen(study: Study) -> str:
    if study.budget is not None and study.budget.student is not None:
        return "of those within the budget it is the closest to the teacher on validation rows"
    if study.front is None:
        return "it was not chosen by a figure"
    return "its size was chosen on validation rows, and by no figure of test rows"


def _where_not(study: Study, name: str, tree: ReadableTree) -> str:
    """Say for how much of the test rows a student does not speak."""
    same = study.comparison.get(name, "fidelity.agreement")
    if same is not None and same.n:
        other = same.n - round(same.value * same.n)
        if not other:
            return f"On each of the {same.n:,} test rows it gives the teacher's answer."
        told = (
            f"On {other:,} of {same.n:,} test rows it answers otherwise than the teacher, and "
            "does not speak for it there."
        )
        leaves, classes = len(tree.leaf_outputs_), study.about.task.n_scores
        if leaves < classes and not has_linear_leaves(tree):
            told += f" It has fewer leaves ({leaves}) than there are classes ({classes})."
        elif leaves < classes:
            told += (
                f" Its {leaves} leaves lead with fewer classes than the {classes} that there are; "
                "the others are answered by its leaves' sums."
            )
        return told
    explained = study.comparison.get(name, "fidelity.r2")
    if explained is None:
        return ""
    left = percent(max(0.0, 1 - explained.value))
    return f"It leaves {left} of the variance of the teacher's values unexplained."


def known_rows(study: Study) -> ReadableRows | None:
    """Give the training rows as readable features, where they are known."""
    data = study.comparison.data
    if study.train is not None:
        return study.train.readable()
    if data is not None and data.background is not None:
        return data.readable_features.transform(data.background)
    return None


def _words_led_in(nodes: list[Node], weighed: bool) -> str:
    words = "The same in words."
    if any(len(node.question.terms) > FEW_TERMS for node in nodes if node.question is not None):
        among = "the rows that come to it" if weighed else "all rows"
        words += (
            f" A question of more than {FEW_TERMS} terms names the {SPOKEN_TERMS} that move it "
            f"most among {among}, with their weights."
        )
    if any(node.reach < SHOWN for node in nodes if node.question is not None):
        few = f"that less than {SHOWN:.0%} of the training rows take" if weighed else "further down"
        words += f" Questions {few} are left out."
    return words


def outline(
    tree: ReadableTree, nodes: list[Node], weighed: bool, number: int = 0, answer: str = ""
) -> Item:
    """Say a node, and under it what follows its answers."""
    node = nodes[number]
    share = f" ({percent(node.reach)} of training rows)" if number and weighed else ""
    if node.question is None:
        said = leaf_words(tree, number - len(tree.children_), np.array(node.output))
        return Item(f"{node.name}{share}: {said}", lead=answer)
    if number and node.reach < SHOWN:
        said = answer_words(tree, np.array(node.output))
        return Item(f"{node.name}{share}, left out: {said} on average", lead=answer)
    no, yes = node.children
    children = (
        outline(tree, nodes, weighed, yes, "Yes"),
        outline(tree, nodes, weighed, no, "No"),
    )
    asked = f"{node.name}{share}: {node.question.words()}?"
    return Item(asked if answer else started(asked), children, lead=answer)
