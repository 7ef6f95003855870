"""Environments of atoms that students of molecules count."""

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("chemprop", reason="molecules need the extra")

from tests_molecules import dataset

import explain_distill as xd
from explain_distill.data.environments import atoms_of, environment_counts
from explain_distill.data.features import Schema
from explain_distill.data.molecules import molecule_of, numbers_of, rows_of_column
from explain_distill.exceptions import DataError
from explain_distill.report.environments import environment_blocks


@pytest.fixture(scope="module")
def data():
    data = dataset()
    return data.counting(xd.environments_of(data, 20))


def test_counts_stand_behind_the_other_features(data):
    plain, told = dataset().readable(), data.readable()
    assert np.array_equal(told[:, : plain.shape[1]], plain)
    assert told.shape[1] == plain.shape[1] + 20
    assert len(set(data.readable_features.names)) == told.shape[1]
    assert np.all(told[:, plain.shape[1] :].max(axis=0) > 0)


def test_an_environment_is_counted_as_often_as_its_atoms_are_found(data):
    numbers = numbers_of(data.X).tolist()
    environments = data.schema.environments
    counts = environment_counts(numbers, environments)
    for row, number in enumerate(numbers[:30]):
        for place, each in enumerate(environments):
            found = [*atoms_of(number, each.key)]
            assert len(found) == counts[row, place]
            assert all(0 <= a < molecule_of(number).GetNumAtoms() for atoms in found for a in atoms)


def test_they_part_the_molecules_and_no_two_do_so_alike(data):
    counts = data.readable()[:, -20:]
    shares = (counts > 0).mean(axis=0)
    told = [each.share for each in data.schema.environments]
    np.testing.assert_allclose(shares, told, atol=1e-4)
    assert len({tuple(column) for column in counts.T}) == 20
    assert min(shares) * len(data) >= 5
    assert all(each.structures >= 1 for each in data.schema.environments)


def test_a_molecule_may_be_written_in_any_way(data):
    rows = rows_of_column(pd.Series(["OC(=O)c1ccccc1", "c1ccccc1C(O)=O"], name="s"))
    first, second = data.readable_features.transform(rows)
    assert np.array_equal(first, second)


def test_a_schema_with_them_is_read_again(data):
    told = json.loads(json.dumps(data.schema.to_json()))
    assert Schema.from_json(told) == data.schema


def test_a_study_of_them_is_kept_drawn_and_opened(tmp_path):
    study = xd.run(
        dataset(), students=["boosted-trees"], quick=True, teacher="fingerprint", environments=20
    )
    assert study.about.schema.environments == xd.environments_of(study.train, 20)
    opened = xd.Study.open(study.save(tmp_path / "study", formats=("html",)))
    assert opened.about.schema == study.about.schema
    (block,) = environment_blocks(opened)
    assert len(block.rows) == 12
    report = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "Environments of atoms that students count" in report
    private = study.save(tmp_path / "private", with_data=False)
    assert environment_blocks(xd.Study.open(private)) == []


def test_small_molecules_have_environments_of_several_atoms_only():
    from explain_distill.data.dataset import Task
    from explain_distill.data.molecule_tables import molecules

    cells = [
        "CC(C)=O",
        "ClC(Cl)Cl",
        "CO",
        "CC",
        "C",
        "CC(C)(C)O",
        *(f"{'C' * n}O" for n in range(3, 30)),
    ]
    y = np.arange(len(cells), dtype=float)
    data = molecules("small", cells, y, Task("regression", "y"))
    chosen = xd.environments_of(data, 1024)
    assert chosen
    assert np.isfinite(data.counting(chosen).readable()).all()


def test_what_has_no_molecules_and_too_many_are_refused(mixed):
    with pytest.raises(DataError, match="must be of molecules; however, 'mixed' has none"):
        xd.environments_of(mixed[0], 8)
    with pytest.raises(DataError, match="must lie between 1 and 1024; however, got 0"):
        xd.environments_of(dataset(), 0)
