"""Overview: teacher and students side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explain_distill.app import charts, figures, words
from explain_distill.app.state import Choice
from explain_distill.report.wording import GROUPS, called
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
    for name in study.students:
        st.markdown(f"- **{words.plain(name)}.** {words.verdict(study.comparison, name)}")
    st.markdown(words.floor_and_ceiling(study.comparison))


def _against_size(study: Study) -> None:
    comparison = study.comparison
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
    comparison = study.comparison
    st.subheader(GROUPS["attribution"])
    tables = {metric: figures.figures_of(comparison, metric) for metric in AGREEMENTS}
    columns = st.columns(COLUMNS, gap="medium")
    for column, (metric, table) in zip(columns, tables.items(), strict=True):
        if not table.empty:
            with column:
                draw(charts.agreement(table, called(metric, study.about.task), comparison.models))
    st.caption(words.plain(words.reasons_note(comparison.reasons)))


def _family(study: Study, family: str) -> None:
    metrics = figures.charted(study.comparison, family)
    if not metrics:
        return
    st.subheader(GROUPS[family])
    for start in range(0, len(metrics), COLUMNS):
        _row_of_charts(study, metrics[start : start + COLUMNS])


def _row_of_charts(study: Study, metrics: Sequence[str]) -> None:
    for column, metric in zip(st.columns(COLUMNS, gap="medium"), metrics, strict=False):
        with column:
            table = figures.figures_of(study.comparison, metric)
            draw(charts.intervals(table, called(metric, study.about.task), study.comparison.models))


def _table(study: Study) -> None:
    st.subheader("All figures")
    st.table(figures.figure_table(study))
    st.caption(words.interval_note(study.comparison))


def _asked(study: Study) -> None:
    with st.expander("How this study was made"):
        for word, text in words.asked(study.about):
            st.markdown(f"**{words.plain(word)}:** {words.plain(text)}")
        for note in study.about.notes:
            st.markdown(f"- {words.plain(note)}")


def draw(chart: charts.alt.LayerChart) -> None:
    """Draw a chart as wide as its place."""
    st.altair_chart(charts.styled(chart), theme=None, width="stretch")
