"""Whether every change of a study is caught, and none is seen where there was none."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

import explain_distill as xd
from explain_distill.audit.findings import findings
from explain_distill.cli import main
from explain_distill.exceptions import DataError, StudyFormatError
from explain_distill.study.run import run
from explain_distill.study.verify import TIMES, verify


@pytest.fixture(scope="module")
def small(wine, wine_teacher, wine_students, tmp_path_factory):
    """Keep a study of few rows and two students."""
    students = {name: wine_students[name] for name in ("soft-tree", "mlp")}
    repeats = xd.redistill(wine_teacher, students, wine[0], minutes=1e-6)
    study = xd.compare(wine_teacher, students, wine[1], n_draws=1, quick=True, repeats=repeats)
    return study.save(tmp_path_factory.mktemp("kept") / "small")


@pytest.fixture
def copied(small, tmp_path):
    return shutil.copytree(small, tmp_path / "copy")


def test_a_study_as_it_was_written_has_no_difference(small):
    found = verify(small)
    assert found.differences == ()
    assert found.status == 0
    kept = xd.Study.open(small).comparison.metrics
    assert found.computed == sum(metric.metric not in TIMES for metric in kept)


def change_figure(folder, rng):
    path = folder / "results.json"
    told = json.loads(path.read_text())
    rows = [row for row in told["metrics"] if row["metric"] not in TIMES]
    row = rows[rng.integers(len(rows))]
    row["value"] += 0.01
    path.write_text(json.dumps(told))


def change_weight(folder, rng):
    models = sorted(folder.glob("**/model.safetensors"))
    path = models[rng.integers(len(models))]
    arrays = load_file(path)
    real = [name for name, a in arrays.items() if a.dtype.kind == "f" and np.isfinite(a).all()]
    array = arrays[real[rng.integers(len(real))]].copy()
    array.flat[rng.integers(array.size)] += 0.1
    name = next(n for n, a in arrays.items() if a.shape == array.shape and (a != array).sum() == 1)
    save_file(arrays | {name: array}, path)


def change_cell(folder, rng):
    path = folder / "data" / "test.parquet"
    table = pq.read_table(path)
    place = int(rng.integers(len(table.column_names) - 1))
    values = table.column(place).to_numpy().copy()
    values[rng.integers(len(values))] += 0.5
    name = table.column_names[place]
    pq.write_table(table.set_column(place, name, pa.array(values)), path)


def change_claim(folder, rng):
    path = folder / "trust.json"
    told = json.loads(path.read_text())
    names = list(told["students"])
    players = told["students"][names[rng.integers(len(names))]]["certificate"]["players"]
    players[rng.integers(len(players))]["bound"] *= 0.9
    path.write_text(json.dumps(told))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("change", [change_figure, change_weight, change_cell, change_claim])
@pytest.mark.parametrize("fingerprints", [True, False])
def test_every_change_is_caught(change, seed, fingerprints, copied):
    """With the files' fingerprints, and by the figures alone where someone took those out."""
    if not fingerprints:
        if change is change_weight or seed > 1:
            pytest.skip("a weight may be one that no row of the study feels; two changes suffice")
        header = json.loads((copied / "study.json").read_text())
        del header["files"]
        (copied / "study.json").write_text(json.dumps(header))
    change(copied, np.random.default_rng(seed))
    found = verify(copied)
    assert found.differences
    assert found.status == 1


def test_a_difference_names_the_figure(copied):
    path = copied / "results.json"
    told = json.loads(path.read_text())
    row = next(row for row in told["metrics"] if row["metric"] == "fidelity.agreement")
    row["value"] = 0.5
    path.write_text(json.dumps(told))
    first, second = verify(copied).differences
    assert first == "results.json: not as it was written"
    assert second.startswith("results.json: soft-tree fidelity.agreement (value) is 0.5, computed ")


def test_a_finding_in_other_words_is_caught(copied):
    path = copied / "trust.json"
    told = json.loads(path.read_text())
    told["students"]["mlp"]["findings"][0]["grade"] = "yes, by all means"
    path.write_text(json.dumps(told))
    assert any("findings on mlp" in line for line in verify(copied).differences)


def test_a_file_that_is_gone_is_named(copied):
    (copied / "trust.json").unlink()
    assert "trust.json: not as it was written" in verify(copied).differences


def test_without_rows_it_says_what_cannot_be_computed(wine, wine_teacher, wine_students, tmp_path):
    study = xd.compare(wine_teacher, {"mlp": wine_students["mlp"]}, wine[1], n_draws=1)
    folder = study.save(tmp_path / "private", with_data=False)
    found = verify(folder)
    assert found.differences == ()
    assert found.status == 3
    assert "mlp attribution.gap_bound: its rows were not kept" in found.not_computed
    sizes = ("complexity.", "cost.bytes")
    assert not any(size in line for line in found.not_computed for size in sizes)
    assert not any(" fidelity." in line for line in found.not_computed)
    assert found.computed > 5


def test_rows_that_belong_together_are_kept_and_counted_again(
    wine, wine_teacher, wine_students, tmp_path
):
    test = replace(wine[1], groups=np.arange(len(wine[1])) // 2)
    study = xd.compare(wine_teacher, {"mlp": wine_students["mlp"]}, test, n_draws=1)
    found = verify(study.save(tmp_path / "grouped"))
    assert found.differences == ()


def test_the_command_exits_with_what_it_found(small, copied, monkeypatch, capsys):
    def status(folder):
        monkeypatch.setattr("sys.argv", ["explain-distill", "verify", str(folder), "--quiet"])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    assert status(small) == 0
    change_claim(copied, np.random.default_rng(0))
    assert status(copied) == 1
    assert "trust.json" in capsys.readouterr().out


def test_what_another_version_measured_is_not_computed(copied):
    header = copied / "study.json"
    told = json.loads(header.read_text())
    del told["figures"]
    header.write_text(json.dumps(told))
    found = verify(copied)
    assert (found.differences, found.computed, found.status) == ((), 0, 3)
    assert all("another version" in each for each in found.not_computed)
    (copied / "scores.parquet").write_bytes(b"")
    assert verify(copied).status == 1


@pytest.mark.parametrize(
    ("key", "value"), [("n_repeats", 1), ("n_repeats", 2.5), ("n_repeats", 9), ("chosen", 99)]
)
def test_repeats_that_are_not_there_are_a_difference(copied, key, value):
    path = copied / "trust.json"
    told = json.loads(path.read_text())
    stability = told["students"]["mlp"]["stability"]
    (stability["choice"] if key == "chosen" else stability)[key] = value
    path.write_text(json.dumps(told))
    found = verify(copied)
    assert found.status == 1
    assert "trust.json: not as it was written" in found.differences


def test_a_repeat_of_another_kind_is_a_difference(copied):
    shutil.rmtree(copied / "repeats" / "mlp" / "1")
    shutil.copytree(copied / "repeats" / "soft-tree" / "1", copied / "repeats" / "mlp" / "1")
    assert any("where a mlp was" in each for each in verify(copied).differences)


def test_a_rule_of_another_risk_is_told_and_judged_anew(
    wine, wine_teacher, wine_students, tmp_path
):
    students = {"mlp": wine_students["mlp"]}
    options = {"n_draws": 1, "quick": True, "alpha": 0.225, "delta": 0.2}
    study = xd.compare(wine_teacher, students, wine[1], **options)
    rule = study.comparison.trust["mlp"].deferrals[0]
    assert (rule.alpha, rule.delta) == (0.225, 0.2)
    words = next(f.words for f in findings(study.comparison, "mlp") if f.about == "deferral")
    assert "with 80% confidence" in words
    assert "22.5% of the rows" in words
    folder = study.save(tmp_path / "study")
    assert verify(folder).status == 0
    path = folder / "study.json"
    told = json.loads(path.read_text())
    told["configuration"]["alpha"] = 0.2
    path.write_text(json.dumps(told))
    assert verify(folder).status == 1


def test_a_risk_that_is_no_probability_is_refused_before_anything_is_done(
    wine, wine_teacher, wine_students
):
    with pytest.raises(DataError, match=r"alpha must be above 0 and below 1; however, got 1\.5"):
        xd.compare(wine_teacher, wine_students, wine[1], alpha=1.5)
    with pytest.raises(DataError, match=r"delta must be above 0 and at most 0\.3; however, got 0"):
        run(wine[0], delta=0)


def test_rows_that_belong_together_are_not_taken_apart_where_they_were_not_kept(
    wine, wine_teacher, wine_students, tmp_path
):
    test = replace(wine[1], groups=np.arange(len(wine[1])) // 2)
    study = xd.compare(wine_teacher, {"mlp": wine_students["mlp"]}, test, n_draws=1, quick=True)
    found = verify(study.save(tmp_path / "grouped", with_data=False))
    assert found.differences == ()
    assert found.status == 3


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """Keep a study of two sizes, of which a budget chooses one."""
    study = run(
        xd.load_dataset("wine"),
        students=("decision-tree",),
        sizes=(2, 4),
        budget="leaves<=4",
        quick=True,
    )
    return study.save(tmp_path_factory.mktemp("chosen") / "study")


CHOICES = {
    "the verdict on a size": lambda v: v["front"]["ladders"][0]["steps"][0].update(
        verdict="as faithful"
    ),
    "a bound of a size": lambda v: v["front"]["ladders"][0]["steps"][0]["gaps"][0].update(most=0),
    "the budget's student": lambda v: v["budget"].update(student="decision-tree-2"),
    "what a student explains": lambda v: v["budget"]["unexplained"].update(
        {"decision-tree-2": 0.001}
    ),
}


@pytest.mark.parametrize("what", CHOICES)
def test_what_was_chosen_is_computed_again(what, chosen, tmp_path):
    folder = shutil.copytree(chosen, tmp_path / "copy")
    path = folder / "study.json"
    told = json.loads(path.read_text())
    CHOICES[what](told)
    path.write_text(json.dumps(told))
    found = verify(folder)
    assert any(line.startswith("study.json: ") for line in found.differences)


def test_a_choice_as_it_was_written_has_no_difference(chosen):
    assert verify(chosen).differences == ()


@pytest.mark.parametrize("number", ["x", 0, None, float("inf")])
def test_a_version_of_figures_that_is_none_is_told(number, copied):
    path = copied / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"figures": number}))
    with pytest.raises(StudyFormatError, match="cannot be read"):
        verify(copied)
