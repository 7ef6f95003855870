"""Can I trust it: what a student may claim, in four answers, each of which opens to its detail."""

from __future__ import annotations

import streamlit as st

from explain_distill.app import tables, words
from explain_distill.app.state import Choice
from explain_distill.audit.findings import RULES, Finding, findings
from explain_distill.report.trust import DEFINITIONS, GRADES, QUESTIONS, asked_of, assumptions

NOT_ASKED = "This study was made before these were asked; make it anew to have them answered."


def show(choice: Choice) -> None:
    """Show the page."""
    comparison = choice.study.comparison
    st.title("Can I trust it?")
    st.markdown(
        f"May **{words.plain(choice.student)}** be read or run in its teacher's place? Each answer "
        "follows by a fixed rule from the end of an interval or from a bound: what is not shown is "
        "not granted."
    )
    if choice.student not in comparison.trust:
        st.info(NOT_ASKED)
    for finding in findings(comparison, choice.student):
        _answer(choice, finding)
    if choice.student in comparison.trust:
        st.caption(words.plain(assumptions(choice.study)))


def _answer(choice: Choice, finding: Finding) -> None:
    """Show one question: its grade, its figure and its words, then what lies behind it."""
    with st.container(border=True):
        left, right = st.columns([1, 3], gap="medium", vertical_alignment="center")
        with left:
            st.metric(QUESTIONS[finding.about], GRADES[finding.grade])
        with right:
            st.markdown(words.plain(finding.words))
        with st.expander("How it is known", expanded=False):
            st.markdown(words.plain(DEFINITIONS[finding.about]))
            st.markdown(f"Rule: {words.plain(RULES[finding.about])}")
            _detail(choice, finding)


def _detail(choice: Choice, finding: Finding) -> None:
    table = asked_of(choice.study.comparison, choice.student, finding.about)
    if table is not None:
        st.caption(words.plain(table.caption))
        st.table(tables.guarded(tables.frame(table)), hide_index=True)
