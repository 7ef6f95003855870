"""Overview: teacher and students side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explain_distill.app import charts, figures, words
from explain_distill.app.state import Choice
from explain_distill.audit.compare import Comparison
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
    _against_size(study.comparison)
    _agreement(study.comparison)
    _family(study.comparison, "Fidelity: closeness to the teacher", "fidelity")
    _family(study.comparison, "Performance: closeness to the truth", "performance")
    _table(study.comparison)
    _asked(study)


def _lead(study: Study) -> None:
    st.markdown(words.lead(study))
    st.markdown(words.data_line(study.about))
    for name in study.students:
        st.markdown(f"- **{words.plain(name)}.** {words.verdict(study.comparison, name)}")
    st.markdown(words.floor_and_ceiling(study.comparison))


def _against_size(comparison: Comparison) -> None:
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
                draw(charts.against_size(table, metric, comparison.models, teacher))
    st.caption(words.size_note(comparison))


def _agreement(comparison: Comparison) -> None:
    st.subheader("Right for the teacher's reasons")
    tables = {metric: figures.figures_of(comparison, metric) for metric in AGREEMENTS}
    columns = st.columns(COLUMNS, gap="medium")
    for column, (metric, table) in zip(columns, tables.items(), strict=True):
        if not table.empty:
            with column:
                draw(charts.agreement(table, metric, comparison.models))
    st.caption(words.plain(words.reasons_note(comparison.reasons)))


def _family(comparison: Comparison, title: str, family: str) -> None:
    metrics = figures.charted(comparison, family)
    if not metrics:
        return
    st.subheader(title)
    for start in range(0, len(metrics), COLUMNS):
        _row_of_charts(comparison, metrics[start : start + COLUMNS])


def _row_of_charts(comparison: Comparison, metrics: Sequence[str]) -> None:
    for column, metric in zip(st.columns(COLUMNS, gap="medium"), metrics, strict=False):
        with column:
            table = figures.figures_of(comparison, metric)
            draw(charts.intervals(table, metric, comparison.models))


def _table(comparison: Comparison) -> None:
    st.subheader("All figures")
    st.table(figures.figure_table(comparison))
    st.caption(words.interval_note(comparison))


def _asked(study: Study) -> None:
    with st.expander("How this study was made"):
        for word, text in words.asked(study.about):
            st.markdown(f"**{words.plain(word)}:** {words.plain(text)}")
        for note in study.about.notes:
            st.markdown(f"- {words.plain(note)}")


def draw(chart: charts.alt.LayerChart) -> None:
    """Draw a chart as wide as its place."""
    st.altair_chart(charts.styled(chart), theme=None, width="stretch")
