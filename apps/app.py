"""The entry of the app: ``streamlit run app.py -- DIR …``. Which studies, which page."""

from __future__ import annotations

import sys
from collections.abc import Callable

import streamlit as st

from explain_distill.app import state, words
from explain_distill.app.views import molecule, overview, reasons, student, trust
from explain_distill.exceptions import StudyFormatError
from explain_distill.study.study import Study

NO_STUDY = """\
Make a study, then open it:

```
explain-distill demo --out study
explain-distill app study
```
"""
MARGINS = """\
<style>
.stMainBlockContainer {max-width: 1440px; padding: 3rem 3rem 4rem}
</style>
"""


def main() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="explain-distill", layout="wide")
    st.html(MARGINS)
    folders = state.named_folders(sys.argv[1:])
    opened = state.choose_study(folders)
    show = _shown(opened)
    pages = [
        st.Page(show(overview.show), title="Overview", default=True, url_path="start"),
        # The default page answers at / alone; this one answers where its name is looked for.
        st.Page(show(overview.show), title="Overview", url_path="overview", visibility="hidden"),
        st.Page(show(trust.show), title="Can I trust it?", url_path="trust"),
        st.Page(show(reasons.show), title="Reasons", url_path="reasons"),
        st.Page(show(student.show), title="Student", url_path="student"),
    ]
    if isinstance(opened, Study) and opened.about.schema.molecules is not None:
        pages.append(st.Page(show(molecule.show), title="Molecule", url_path="molecule"))
    st.navigation(pages).run()


def _shown(
    opened: Study | StudyFormatError | None,
) -> Callable[[Callable[[state.Choice], None]], Callable[[], None]]:
    """Give what turns a view into a page: of the choices, or of what is amiss."""
    if opened is None:
        return lambda view: _no_study
    if isinstance(opened, StudyFormatError):
        return lambda view: lambda: _refused(opened)
    choice = state.choose(opened)
    return lambda view: lambda: view(choice)


def _no_study() -> None:
    st.title("No study is open")
    st.markdown(NO_STUDY)


def _refused(error: StudyFormatError) -> None:
    st.title("This study cannot be opened")
    st.warning(words.plain(str(error)))


main()
