"""The code in the README and in docs/ runs, and its links lead somewhere."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{place}")
    for page in PAGES
    for place, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_code_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(block, "the page", "exec"), names)
    assert names["xd"].__name__ == "explain_distill"


def test_the_table_of_reasons_is_what_was_measured(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    measured = runpy.run_path(str(ROOT / "benchmarks" / "reasons.py"))
    assert measured["shown"]() in (ROOT / "README.md").read_text()


def test_the_tables_of_techniques_are_what_was_measured():
    measured = runpy.run_path(str(ROOT / "benchmarks" / "techniques.py"))
    if not measured["RESULTS"].exists():
        pytest.skip("benchmarks/techniques.py has not been run")
    assert measured["shown"]() in (ROOT / "docs" / "techniques.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert all((page.parent / link).exists() for link in links), links
