"""The case study's command, on a few rows of its smallest table."""

import importlib.util
import json
from pathlib import Path

import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError

FOLDER = Path(__file__).parents[2] / "case_studies" / "frosst_hinton"


@pytest.fixture
def study(monkeypatch, tmp_path):
    """The command's module with small trees, a small teacher, and a folder of its own."""
    spec = importlib.util.spec_from_file_location("frosst_hinton", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "HERE", tmp_path)
    small = {
        "true_labels": {"n_steps": 150},
        "teacher": {"members": 1, "width": 32, "max_epochs": 20},
        "tree": {"depth": 4, "loss": "entropy", "n_steps": 200, "learning_rate": 0.1},
    }
    monkeypatch.setattr(module, "CONFIG", {"seeds": [0, 1], "letters": small})
    try:
        rows = xd.load_dataset("letter-recognition")
    except DataError as error:
        pytest.skip(str(error))
    few = rows.take(slice(0, 1500)), rows.take(slice(1500, 2000))
    monkeypatch.setattr(module, "load", lambda name: few)
    return module


def test_the_command_does_what_is_not_done_yet_and_shows_it(study, tmp_path):
    study.run("letters", ["true labels"])
    study.run("letters", list(study.WAYS))
    results = json.loads((tmp_path / "results" / "letters.json").read_text())
    done = [(one["way"], one["seed"]) for one in results["trees"]]
    assert done == [
        ("true labels", 0),
        ("true labels", 1),
        ("distilled, training rows", 0),
        ("distilled, training rows", 1),
    ]
    assert all(one["mixture"] > 15 for one in results["trees"])
    assert results["teacher"]["accuracy"] > 15
    assert "| letters | true labels | 78.0 |" in study.shown()


def test_what_is_kept_of_the_published_runs_has_three_seeds_of_each_way():
    paths = list((FOLDER / "results").glob("*.json"))
    assert paths
    for path in paths:
        trees = json.loads(path.read_text())["trees"]
        for way in {one["way"] for one in trees}:
            assert sorted(one["seed"] for one in trees if one["way"] == way) == [0, 1, 2]
