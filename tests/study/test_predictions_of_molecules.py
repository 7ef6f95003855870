"""Predictions for files of molecules, of which some rows hold none."""

import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES, KnownTeacher, dataset

import explain_distill as xd
from explain_distill.cli import main
from explain_distill.data import chemical_features, files, molecules
from explain_distill.data.readers import SetAsideWarning
from explain_distill.exceptions import DataError
from explain_distill.study.predictions import WHY_NOT, predict_file

TREES = "boosted-trees"
BAD = {
    1: "C1CC", 3: "", 8: "CCO>>CC=O", 9: "C" * 400, 20: "N[Pt](N)(Cl)Cl", 25: "x\ny", 26: "*C",
    27: "C is for cat",
}  # fmt: skip
REASONS = {
    1: "not a SMILES",
    3: "empty",
    8: "a reaction, not a molecule",
    9: "400 atoms, and 300 is the most",
    20: "no carbon",
    25: "not a SMILES",
    26: "an open end (*), not a whole molecule",
    27: "text after the SMILES",
}


@pytest.fixture(scope="module", params=["regression", "classification"])
def study(request):
    train, test = dataset(request.param).split(seed=0)
    teacher = KnownTeacher(train)
    if request.param == "classification":
        teacher = BelowNothing(train)
    trees = xd.distill(teacher, xd.BoostedTrees(n_trees=5), train, transfer="training-rows")
    return xd.compare(teacher, {TREES: trees}, test, quick=True)


class BelowNothing(KnownTeacher):
    """Says whether the property is below zero."""

    def predict_score(self, X):
        score = super().predict_score(X)
        return np.hstack([score, -score])


def cells():
    told = [BAD.get(n, SMILES[n]) for n in range(30)]
    return pd.DataFrame({"name": [f"compound {n}" for n in range(30)], "smiles": told})


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    cells().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_rows_without_a_molecule_have_a_reason_and_no_prediction(study, rows, suffix, tmp_path):
    out = tmp_path / f"out.{suffix}"
    with pytest.warns(SetAsideWarning) as caught:
        assert predict_file(study, TREES, rows, out) == 30
    assert [str(each.message) for each in caught] == [
        "8 of 30 rows hold no molecule and have no prediction: row 2 (C1CC: not a SMILES); row 4 "
        "(empty); row 9 (CCO>>CC=O: a reaction, not a molecule); row 10 "
        f"({'C' * 40}: 400 atoms, and 300 is the most); row 21 (N[Pt](N)(Cl)Cl: no carbon), and 3 "
        "more."
    ]
    written = pq.read_table(out).to_pandas() if suffix == "parquet" else pd.read_csv(out)
    assert written.columns[-1] == WHY_NOT
    assert written[WHY_NOT].dropna().to_dict() == REASONS
    assert written["name"].tolist() == cells()["name"].tolist()
    added = written.drop(columns=["name", "smiles", WHY_NOT])
    assert added.isna().all(axis=1).tolist() == [n in BAD for n in range(30)]
    good = [n for n in range(30) if n not in BAD]
    data = study.comparison.data
    X = data.schema.encode(cells().iloc[good])
    score = study.students[TREES].predict_score(data.readable_features.transform(X))
    told = written[f"{TREES} prediction"].iloc[good]
    if data.task.kind == "regression":
        assert told.to_numpy() == pytest.approx(score[:, 0])
    else:
        assert told.tolist() == [data.task.class_names[code] for code in score.argmax(axis=1)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.filterwarnings("ignore::explain_distill.data.readers.SetAsideWarning")
def test_the_size_of_a_block_changes_nothing_that_is_written(
    study, rows, suffix, tmp_path, monkeypatch
):
    predict_file(study, TREES, rows, tmp_path / f"whole.{suffix}")
    for n_rows in (1, 8):
        monkeypatch.setattr(files, "BLOCK", n_rows)
        predict_file(study, TREES, rows, tmp_path / f"in_{n_rows}.{suffix}")
        written = (tmp_path / f"in_{n_rows}.{suffix}").read_bytes()
        assert written == (tmp_path / f"whole.{suffix}").read_bytes()


def test_where_every_row_holds_a_molecule_there_is_no_column_of_reasons(study, tmp_path):
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    pd.DataFrame({"smiles": SMILES[:5]}).to_csv(rows, index=False)
    predict_file(study, TREES, rows, out)
    assert WHY_NOT not in pd.read_csv(out)


def test_a_file_without_a_molecule_is_refused(study, tmp_path):
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text("smiles,name\nethanol,1\n,2\n")
    with pytest.raises(DataError) as caught:
        predict_file(study, TREES, rows, out)
    assert str(caught.value) == (
        "Column 'smiles' of 'rows.csv' must hold molecules as SMILES; however, none of its 2 rows "
        "does: row 1 (ethanol: not a SMILES); row 2 (empty). Mend the column."
    )
    assert not out.exists()


def test_a_file_that_holds_reasons_already_is_refused_where_there_are_new_ones(study, tmp_path):
    rows = tmp_path / "rows.csv"
    pd.DataFrame({"smiles": ["CCO", "C1CC"], WHY_NOT: "x"}).to_csv(rows, index=False)
    with pytest.raises(DataError, match=f"it holds '{WHY_NOT}'. Rename or remove"):
        predict_file(study, TREES, rows, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.filterwarnings("ignore::explain_distill.data.readers.SetAsideWarning")
def test_nothing_is_kept_of_the_molecules_of_a_file(study, tmp_path):
    rows = tmp_path / "rows.csv"
    smiles = [f"{'C' * n}[Si](C)(C)Cl" for n in range(1, 30)]
    pd.DataFrame({"smiles": smiles}).to_csv(rows, index=False)
    caches = molecules._SMILES, molecules._MIXED, chemical_features._ROWS
    before = [list(cache) for cache in caches]
    for model in (TREES, "teacher"):
        predict_file(study, model, rows, tmp_path / f"{model}.csv")
    assert [list(cache) for cache in caches] == before
    assert chemical_features._ROWS is caches[2]


def test_the_command_names_rows_on_stderr(study, rows, tmp_path, monkeypatch, capsys):
    study.save(tmp_path / "study")
    out = tmp_path / "out.csv"
    words = ["predict", tmp_path / "study", "--student", TREES, "--data", rows, "--out", out]
    monkeypatch.setattr(sys, "argv", ["explain-distill", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    said, noted = capsys.readouterr()
    assert stopped.value.code == 0
    assert said == f"30 rows: {out}\n"
    assert noted.startswith("Note: 8 of 30 rows hold no molecule and have no prediction: row 2 (C1")
