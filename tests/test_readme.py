"""The code in the README and in docs/ runs, and its links lead somewhere."""

import json
import re
import runpy
from pathlib import Path

import numpy as np
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


def test_how_often_the_certificate_is_too_low_is_what_was_counted():
    cells = json.loads((ROOT / "benchmarks" / "results" / "bounds.json").read_text())["cells"]
    low: dict[tuple[str, int], float] = {}
    for c in cells:
        key, share = (c["student"], c["rows"]), c["missed"]["gap at most"] / c["repetitions"]
        low[key] = max(low.get(key, 0.0), share)
    known = [share for (student, _), share in low.items() if "soft tree" not in student]
    most = [
        max(share for (student, n), share in low.items() if "soft tree" in student and n == rows)
        for rows in (50, 200, 1000)
    ]
    text = " ".join((ROOT / "README.md").read_text().split())
    assert f"in {100 * max(known):.1f} % of samples at the most where the truth is known" in text
    said = (
        "in {:.1f} % of samples of 50 rows at the most, in {:.1f} % of 200 and in {:.1f} % of 1 000"
    )
    assert said.format(*(100 * each for each in most)) in text
    assert max(low["soft tree, magic", n] for n in (50, 200, 1000)) == 0


def test_how_closely_trees_are_certified_is_what_was_measured():
    runs = json.loads((ROOT / "benchmarks" / "results" / "certified_trees.json").read_text())[
        "runs"
    ]

    def mean(tree, transfer, figure="leading"):
        key = {"tree": tree, "transfer": transfer, "draws": 64}
        return np.mean([run[figure] for run in runs if key.items() <= run.items()])

    trees = (
        ("by default", "coalitions"),
        ("depth 6, 12 000 steps", "coalitions"),
        ("by default", "training rows"),
    )
    text = " ".join((ROOT / "README.md").read_text().split())
    said = (
        "off by at most {:.2f} of the teacher's own importance by default, {:.2f} for a tree of "
        "depth 6 that learns twice as long, and {:.2f} for the default tree"
    )
    assert said.format(*(mean(*tree) for tree in trees)) in text
    listed = "of the five {:.2f}, {:.2f} and {:.2f} on the mean"
    assert listed.format(*(mean(*tree, "listed") for tree in trees)) in text


def test_how_often_intervals_are_wrong_is_what_was_counted():
    cells = json.loads((ROOT / "benchmarks" / "results" / "intervals.json").read_text())["cells"]

    def wrong(what, student=None, rows=None):
        """Give the most often that any figure's interval is wrong, in percent."""
        return max(
            100 * (counts.get("too low", 0) + counts.get("too high", 0)) / sum(counts.values())
            for cell in cells
            if cell["what"] == what
            and student in (None, cell["of"])
            and rows in (None, cell["rows"])
            for name, counts in cell["counts"].items()
            if "bootstrap" not in name
        )

    text = " ".join((ROOT / "README.md").read_text().split())
    known = [wrong("agreement"), wrong("partly")]
    known += [wrong("figures", student) for student in ("near", "wrong in places")]
    assert max(known) <= 6.5
    hidden = [wrong("figures", "hardly off, and wrong in places", rows) for rows in (50, 200)]
    said = "in groups of very unequal size {:.1f} %; and where that student is hardly off"
    assert said.format(wrong("uneven")) in text
    assert f"in the other rows, {hidden[0]:.0f} % of samples of 50 rows" in text
    assert f"and {hidden[1]:.1f} % of 200." in text
    losses = [
        cell["counts"]["log_loss_difference"]
        for cell in cells
        if (cell["what"], cell["of"], cell["rows"]) == ("figures", "wrong in places", 200)
        and not cell["grouped"]
        and cell["scores"] == 3
    ]
    (of_loss,) = losses
    false = of_loss["too low"] + of_loss["too high"]
    told = false + of_loss["covers"]
    assert f"and {100 * false / told:.0f} % of those of the log-loss of 200." in text
