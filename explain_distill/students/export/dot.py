"""Trees as a Graphviz graph."""

from __future__ import annotations

from explain_distill.students.export.quoting import dot_text, shown
from explain_distill.students.export.tree_model import Tree, TreeModel
from explain_distill.students.export.words import leaf_words, question_words

TERMS = 3
"""Of a weighted sum, so many terms are shown."""


def dot_graph(model: TreeModel) -> str:
    """Write the model as a graph, each tree of several as a cluster of its own."""
    lines = [
        "digraph {",
        f"  graph [label={dot_text(_caption(model))}, labelloc=t];",
        "  node [shape=box, style=rounded, fontname=Helvetica];",
        "  edge [fontname=Helvetica];",
    ]
    for number, tree in enumerate(model.trees):
        body = _tree(model, tree, f"t{number}")
        if len(model.trees) > 1:
            body = [
                f"subgraph cluster_{number} {{",
                f"  label={dot_text(f'tree {number + 1}')};",
                *(f"  {line}" for line in body),
                "}",
            ]
        lines += [f"  {line}" for line in body]
    return "\n".join([*lines, "}", ""])


def _caption(model: TreeModel) -> str:
    return {
        "leaf": f"{model.student}: a row takes one way",
        "mixture": f"{model.student}: a row goes both ways, more of it where the answer is clear",
        "sum": f"{model.student}: the leaves of all trees add up",
    }[model.combination] + _of_linear_leaves(model)


def _of_linear_leaves(model: TreeModel) -> str:
    if not model.linear:
        return ""
    told = f"; a leaf answers with sums, of which the {TERMS} heaviest terms are shown"
    if model.task == "regression":
        return told
    if len(model.class_names) == 2:
        return f"{told}; the probability of {shown(model.class_names[1])} is 1 / (1 + exp(-s))"
    return f"{told} of the class that leads at the mean of all features"


def _tree(model: TreeModel, tree: Tree, prefix: str) -> list[str]:
    lines = []
    for number, branch in enumerate(tree.branches):
        words = question_words(model, branch.question, TERMS)
        lines.append(f"{prefix}_{number} [label={dot_text(shown(words) + '?')}];")
        for answer, place in (("no", branch.left), ("yes", branch.right)):
            below = f"{prefix}_{place}" if place >= 0 else f"{prefix}_leaf_{-1 - place}"
            lines.append(f"{prefix}_{number} -> {below} [label={answer}];")
    for number in range(len(tree.leaves)):
        words = leaf_words(model, tree, number, TERMS)
        lines.append(f"{prefix}_leaf_{number} [label={dot_text(shown(words))}, style=filled];")
    return lines
