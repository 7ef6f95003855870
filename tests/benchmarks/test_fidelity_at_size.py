"""What benchmarks/fidelity_at_size.py says of its counts."""

import base64
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture
def measured():
    """Build results out of the rows that disagree, tool by tool and seed by seed."""
    from fidelity_results import Measured

    def build(groups=None, **tools):
        found = Measured()
        for tool, seeds in tools.items():
            for seed, rows in enumerate(seeds):
                packed = base64.b64encode(np.packbits(rows).tobytes()).decode()
                split = {"table": "t", "seed": seed, "n_test": len(rows), "groups": groups}
                tree = {"table": "t", "seed": seed, "tool": tool.replace("_", "-"), "leaves": 8}
                found.add(split, tree | {"rows": packed})
        return found

    return build


def others(rows):
    return dict.fromkeys(("cart_labels", "cart_probabilities", "trustee", "mimic"), rows)


def test_what_is_written_is_read_and_is_not_missing(measured, tmp_path):
    from fidelity_results import Measured

    rows = np.array([1, 0, 0, 1, 0, 0, 0, 0, 1], dtype=bool)
    measured(figs=[rows]).write(tmp_path / "results.json")
    read = Measured.read(tmp_path / "results.json")
    assert read.rows("t", 8, "figs")[0].tolist() == rows.tolist()
    assert read.missing("t", 0, [("figs", 8), ("figs", 16)]) == [("figs", 16)]
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_the_interval_covers_as_often_as_it_says(measured):
    from fidelity_summary import share

    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        drawn = [rng.random(150) < 0.2 for _ in range(5)]
        found = measured(figs=drawn)
        estimate = share(found, "t", found.rows("t", 8, "figs"))
        covered += estimate.low <= 0.2 <= estimate.high
    assert covered >= 88


def test_rows_of_one_group_count_as_one(measured):
    from fidelity_summary import share

    rows = [np.repeat([1, 0, 0, 1, 0, 1, 0, 0, 0, 0], 10)] * 2
    alone, grouped = measured(figs=rows), measured(np.repeat(range(10), 10).tolist(), figs=rows)
    narrow = share(alone, "t", alone.rows("t", 8, "figs"))
    wide = share(grouped, "t", grouped.rows("t", 8, "figs"))
    assert narrow.value == wide.value == pytest.approx(0.3)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_where_no_row_disagrees_the_interval_still_has_an_upper_end(measured):
    from fidelity_summary import share

    found = measured(figs=[np.zeros(40, dtype=bool)] * 2)
    estimate = share(found, "t", found.rows("t", 8, "figs"))
    assert (estimate.value, estimate.low) == (0, 0)
    assert estimate.high == pytest.approx(1 - 0.025 ** (1 / 40))


def test_a_student_meets_the_best_of_the_others_on_the_same_rows(measured):
    from fidelity_summary import SINGLE_TREES, duels

    bad, good = np.arange(100) < 30, np.arange(100) < 8
    ours = np.arange(100) < 4
    found = measured(soft_tree=[ours] * 3, figs=[good] * 3, **others([bad] * 3))
    (duel,) = duels(found, "soft-tree")
    assert duel.best == "figs"
    assert duel.ratio == pytest.approx(12.5 / 24.5)
    assert duel.difference.value == pytest.approx(-0.04)
    assert duel.difference.high < 0
    (single,) = duels(found, "soft-tree", SINGLE_TREES)
    assert single.ratio == pytest.approx(12.5 / 90.5)


def test_a_seed_that_a_tool_lacks_is_left_out_of_the_comparison(measured):
    from fidelity_summary import duels

    rows, none = np.arange(50) < 10, np.zeros(50, dtype=bool)
    found = measured(soft_tree=[rows, none], figs=[rows], **others([rows, rows]))
    (duel,) = duels(found, "soft-tree")
    assert duel.ratio == 1


def test_the_page_says_what_was_measured():
    from fidelity_results import Measured
    from fidelity_summary import ratios

    root = Path(__file__).parents[2]
    measured = Measured.read(root / "benchmarks" / "results" / "fidelity-at-size.json")
    assert ratios(measured) in (root / "docs" / "fidelity-at-size.md").read_text()
