"""Reasons: what the models look at, over many rows and in one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from explain_distill.app import charts, rows, shares, tables, words
from explain_distill.app.state import Choice
from explain_distill.app.views.overview import draw
from explain_distill.attribution.base import Attributions
from explain_distill.audit.row_gap import gap_of_row
from explain_distill.report.judgement import MOLECULES_NOTE
from explain_distill.report.molecule_drawing import molecules_plot, shown_molecules
from explain_distill.report.trust import row_gap_table

SAME_DRAWS = "same draws"
OWN_METHOD = "own method"
METHODS = {
    SAME_DRAWS: "Sampled Shapley values on the same draws: comparable between models",
    OWN_METHOD: "Each model's own method: not comparable between models",
}


def show(choice: Choice) -> None:
    """Show the page."""
    st.title("Reasons")
    st.markdown(words.score_note(choice.task))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        method = _choose_method()
    with right:
        k = _choose_k(len(choice.study.about.schema))
        models = _choose_models(choice, method)
    reasons = choice.study.comparison.reasons
    source = reasons.reference if method == SAME_DRAWS else reasons.own
    told = {name: source[name] for name in models}
    if method == SAME_DRAWS:
        _together(choice, told, k)
        st.caption(words.plain(words.reasons_rest(reasons)))
    else:
        st.info(words.OWN_NOTE)
        _apart(choice, told, k)


def _choose_method() -> str:
    return st.radio(
        "Attributions",
        list(METHODS),
        captions=list(METHODS.values()),
        key="attributions",
        bind="query-params",
    )


def _choose_k(n_columns: int) -> int:
    if n_columns <= shares.FEW:
        return n_columns
    sizes = [shares.TOP * factor for factor in (1, 2, 4) if shares.TOP * factor < n_columns]
    return st.segmented_control(
        "Features shown",
        [*sizes, n_columns],
        default=shares.TOP,
        required=True,
        key="features",
        bind="query-params",
    )


def _choose_models(choice: Choice, method: str) -> list[str]:
    everyone = method == SAME_DRAWS and st.toggle(
        "All students beside the teacher", key="everyone", bind="query-params"
    )
    models = choice.study.leading.models if everyone else ["teacher"]
    return list(dict.fromkeys([*models, choice.student]))


def _heading_row(choice: Choice, models: list[str]) -> None:
    subject = f": shares for {words.plain(choice.class_name)}" if choice.class_name else ""
    st.subheader(f"Test row {choice.row + 1}{subject}")
    told = rows.answers(choice.study.comparison, models, choice.task, choice.place)
    st.markdown(" · ".join(f"{words.plain(who)}: **{words.plain(what)}**" for who, what in told))
    if choice.raw is None:
        st.caption(words.NOT_KEPT)


def _heading_all(choice: Choice) -> None:
    subject = f" for {words.plain(choice.class_name)}" if choice.class_name else ""
    st.subheader(f"What matters over {len(choice.study.comparison.reasons.rows)} rows{subject}")


def _together(choice: Choice, told: Mapping[str, Attributions], k: int) -> None:
    schema, models = choice.study.about.schema, choice.models
    unit = words.unit(choice.task)
    _heading_all(choice)
    table = shares.importance_table(told, schema.names, choice.score, k)
    draw(charts.importance(table, models, unit))
    if k < len(schema):
        st.caption(words.rest_note(shares.rest_of_importance(told, choice.score, k)))
    _heading_row(choice, list(told))
    _molecule(choice, list(told))
    present = choice.study.comparison.reasons.present
    here = k if present is None else max(1, min(k, int(present[choice.place].sum())))
    of_row = shares.shares_table(told, schema, choice.raw, choice.place, choice.score, here)
    draw(charts.shares(of_row, models, unit))
    _sums(choice, told, words.SUMS_NOTE)
    _gap(choice, k)


def _molecule(choice: Choice, models: list[str]) -> None:
    """Draw the chosen molecule, as each model sees it."""
    if choice.study.about.schema.molecules is None or choice.raw is None:
        return
    block = shown_molecules(choice.study, models, np.array([choice.place]), choice.score)
    st.code(block.rows[0][0].smiles, language=None)
    st.image(molecules_plot(block), width=min(len(models), 3) * 420)
    st.caption(words.plain(MOLECULES_NOTE))


def _gap(choice: Choice, k: int) -> None:
    """Bound how far apart the reasons can be in the chosen row, if that is asked."""
    comparison = choice.study.comparison
    asked = st.toggle(
        f"How far can {words.plain(choice.student)} be from the teacher in this row?",
        key="gap",
        bind="query-params",
    )
    if not asked:
        return
    data, teacher = comparison.data, comparison.teacher
    if teacher is None or data is None or data.background is None:
        st.info(words.NO_WALKS)
        return
    student = comparison.students[choice.student]
    told = gap_of_row(teacher, student, data, data.baseline, choice.row, choice.score)
    table = row_gap_table(told, choice.study.about.schema.names, k)
    st.table(tables.guarded(tables.frame(table)), hide_index=True)
    st.caption(words.plain(table.caption))
    st.caption(words.OTHER_WALKS)


def _apart(choice: Choice, told: Mapping[str, Attributions], k: int) -> None:
    _heading_all(choice)
    for name, found in told.items():
        _own_importance(choice, name, found, k)
    _heading_row(choice, list(told))
    for name, found in told.items():
        _own_row(choice, name, found, k)
    _sums(choice, told, words.OWN_SUMS_NOTE)


def _own_importance(choice: Choice, name: str, found: Attributions, k: int) -> None:
    st.markdown(f"**{words.plain(name)}**: {words.plain(found.method)}")
    names = choice.study.about.schema.names
    table = shares.importance_table({name: found}, names, choice.score, k)
    draw(charts.importance(table, choice.models, words.unit(choice.task)))


def _own_row(choice: Choice, name: str, found: Attributions, k: int) -> None:
    schema = choice.study.about.schema
    table = shares.shares_table({name: found}, schema, choice.raw, choice.place, choice.score, k)
    draw(charts.shares(table, choice.models, words.unit(choice.task)))


def _sums(choice: Choice, told: Mapping[str, Attributions], note: str) -> None:
    table: pd.DataFrame = shares.sums_table(
        told, choice.study.comparison, choice.place, choice.score
    )
    st.table(shares.sums_words(table))
    molecules = choice.study.about.schema.molecules is not None
    st.caption(words.SUMS_OF_MOLECULES if molecules else note)
