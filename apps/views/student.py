"""Student: what a student is, and how it answers one row."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explain_distill.app import charts, rows, shares, words
from explain_distill.app.state import Choice
from explain_distill.app.views.overview import draw
from explain_distill.report.reading import following_words, known_rows
from explain_distill.report.shapes import additive_shapes
from explain_distill.report.shapes_plot import shapes_plot
from explain_distill.students.additive import Additive
from explain_distill.students.nodes import ReadableTree, path_words, questions_among
from explain_distill.students.rules import Question, soft_tree_rules
from explain_distill.students.soft_tree import SoftTree


def show(choice: Choice) -> None:
    """Show the page."""
    st.title(words.plain(choice.student))
    if choice.study.comparison.caution is not None:
        st.warning(choice.study.comparison.caution)
    model = choice.study.students[choice.student]
    st.markdown(words.kind(model))
    st.markdown(words.verdict(choice.study.comparison, choice.student))
    st.markdown(words.floor_and_ceiling(choice.study.comparison))
    if isinstance(model, ReadableTree):
        _tree(choice, model)
    else:
        _no_tree(choice)


def _tree(choice: Choice, tree: ReadableTree) -> None:
    st.subheader("The tree")
    follow = choice.raw is not None and st.toggle(
        f"Draw the way of test row {choice.row + 1}", key="follow", bind="query-params"
    )
    row = choice.row if follow else None
    if tree.complexity()["depth"] <= rows.DEEPEST_DRAWN:
        st.image(rows.tree_svg(choice.study, tree, row), width="stretch")
        st.caption(words.followed_note(tree) if follow else words.tree_note(choice.study))
    else:
        st.markdown(words.TOO_DEEP)
    if told := following_words(choice.study, tree):
        st.markdown(words.plain(told))
    known = known_rows(choice.study)
    asked = None if known is None else questions_among(tree, known)
    _way(choice, tree, asked)
    with st.expander("All questions and leaves in words", expanded=False):
        lines = soft_tree_rules(tree, asked) if isinstance(tree, SoftTree) else tree.rules()
        st.code("\n".join(lines), language=None, wrap_lines=True)


def _way(choice: Choice, tree: ReadableTree, asked: Sequence[Question] | None) -> None:
    st.subheader(f"The way of test row {choice.row + 1}")
    data = choice.study.comparison.data
    if data is None:
        st.markdown(words.NOT_KEPT)
        _answers(choice, None)
        return
    readable = rows.readable_row(data, choice.row)
    for number, line in enumerate(path_words(tree, readable, asked), start=1):
        st.markdown(f"{number}. {words.plain(line)}")
    _answers(choice, rows.leaf_output(tree, readable))


def _no_tree(choice: Choice) -> None:
    model = choice.study.students[choice.student]
    if isinstance(model, Additive) and (drawn := additive_shapes(model)) is not None:
        st.subheader(drawn.caption)
        st.image(shapes_plot(drawn), width="stretch")
    for line in model.rules():
        st.markdown(words.plain(line))
    st.subheader("What matters to it")
    reasons = choice.study.comparison.reasons.reference
    told = {name: reasons[name] for name in ("teacher", choice.student)}
    names = choice.study.about.schema.names
    table = shares.importance_table(told, names, choice.score, shares.TOP)
    draw(charts.importance(table, choice.models, words.unit(choice.task)))
    st.subheader(f"Test row {choice.row + 1}")
    _answers(choice, None)


def _answers(choice: Choice, leaf: tuple[float, ...] | None) -> None:
    """Show what leaf, student and teacher say of the chosen row."""
    comparison, task = choice.study.comparison, choice.task
    models = ["teacher", choice.student]
    told = rows.answers(comparison, models, task, choice.place, leaf)
    st.markdown(" · ".join(f"{words.plain(who)}: **{words.plain(what)}**" for who, what in told))
    if task.kind == "classification":
        table = rows.probabilities_table(comparison, choice.student, task, choice.row, leaf)
        draw(charts.probabilities(table, [*choice.models, rows.LEAF]))
