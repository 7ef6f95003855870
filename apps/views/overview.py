"""Overview: teacher and students side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explain_distill.app import charts, figures, size_charts, words
from explain_distill.app.state import Choice
from explain_distill.audit.front import Front
from explain_distill.report.front import front_meaning, front_words
from explain_distill.report.wording import GROUPS, STUDENT_KINDS, called, started
from explain_distill.study.study import Study

COLUMNS = 3
AGREEMENTS = (
    "attribution.rank_correlation",
    "attribution.top_k_overlap",
    "attribution.sign_agreement",
)


def show(choice: Choice) -> None:
    """Show the page."""
    study = choice.study
    st.title(words.plain(study.about.name))
    _lead(study)
    if study.front is not None:
        _sizes(study, study.front)
    _against_size(study)
    _agreement(study)
    _family(study, "fidelity")
    _family(study, "performance")
    _table(study)
    _asked(study)


def _lead(study: Study) -> None:
    st.markdown(words.lead(study))
    st.markdown(words.data_line(study.about))
    if study.comparison.caution is not None:
        st.warning(study.comparison.caution)
    for name in study.leading.students:
        st.markdown(f"- **{words.plain(name)}.** {words.verdict(study.comparison, name)}")
    st.markdown(words.floor_and_ceiling(study.comparison))
    if study.budget is not None:
        st.markdown("**What the budget allows**")
        for sentence in study.budget.words():
            st.markdown(f"- {words.plain(sentence)}")


def _sizes(study: Study, front: Front) -> None:
    st.subheader("How small may a student be?")
    for sentence in front_words(front, study.budget):
        st.markdown(f"- {words.plain(sentence)}")
    for measure in [gap.measure for gap in front.ladders[0].chosen.gaps]:
        named = called(f"fidelity.{measure}", study.about.task)
        columns = st.columns(max(COLUMNS, len(front.ladders)), gap="medium")
        tables = [size_charts.size_table(study.comparison, each, measure) for each in front.ladders]
        lowest = size_charts.lowest_of(tables)
        for column, ladder, table in zip(columns, front.ladders, tables, strict=False):
            with column:
                kind = started(STUDENT_KINDS.get(ladder.kind, ladder.kind))
                draw(size_charts.against_sizes(table, ladder, kind, named, lowest))
    st.caption(f"{words.SIZES_NOTE} {words.plain(front_meaning(front))}")
    with st.expander("Every size on the test rows"):
        st.table(figures.sizes_table(study))


def _against_size(study: Study) -> None:
    comparison = study.leading
    st.subheader("Fidelity against size")
    teacher = figures.n_bytes(comparison, "teacher")
    left, right = st.columns(2, gap="medium")
    answers = "fidelity.agreement"
    if comparison.get(next(iter(comparison.students)), answers) is None:
        answers = "fidelity.r2"
    for column, metric in ((left, answers), (right, "attribution.rank_correlation")):
        table = figures.against_size(comparison, metric)
        if not table.empty:
            with column:
                named = called(metric, study.about.task)
                draw(charts.against_size(table, named, comparison.models, teacher))
    st.caption(words.size_note(comparison))


def _agreement(study: Study) -> None:
    comparison = study.leading
    st.subheader(GROUPS["attribution"])
    tables = {metric: figures.figures_of(comparison, metric) for metric in AGREEMENTS}
    columns = st.columns(COLUMNS, gap="medium")
    for column, (metric, table) in zip(columns, tables.items(), strict=True):
        if not table.empty:
            with column:
                draw(charts.agreement(table, called(metric, study.about.task), comparison.models))
    st.caption(words.plain(words.reasons_note(comparison.reasons)))


def _family(study: Study, family: str) -> None:
    metrics = figures.charted(study.leading, family)
    if not metrics:
        return
    st.subheader(GROUPS[family])
    for start in range(0, len(metrics), COLUMNS):
        _row_of_charts(study, metrics[start : start + COLUMNS])


def _row_of_charts(study: Study, metrics: Sequence[str]) -> None:
    for column, metric in zip(st.columns(COLUMNS, gap="medium"), metrics, strict=False):
        with column:
            table = figures.figures_of(study.leading, metric)
            draw(charts.intervals(table, called(metric, study.about.task), study.leading.models))


def _table(study: Study) -> None:
    st.subheader("All figures")
    st.table(figures.figure_table(study))
    st.caption(words.interval_note(study.comparison))
    if note := words.sensitivity_note(study.comparison):
        st.caption(words.plain(note))


def _asked(study: Study) -> None:
    with st.expander("How this study was made"):
        for word, text in words.asked(study.about):
            st.markdown(f"**{words.plain(word)}:** {words.plain(text)}")
        for note in study.about.notes:
            st.markdown(f"- {words.plain(note)}")


def draw(chart: charts.alt.LayerChart) -> None:
    """Draw a chart as wide as its place."""
    st.altair_chart(charts.styled(chart), theme=None, width="stretch")
