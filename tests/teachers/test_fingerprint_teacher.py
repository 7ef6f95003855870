"""A network over fingerprints, and the choice of it by name."""

import numpy as np
import pytest

pytest.importorskip("chemprop", reason="molecules need the extra")

from tests_molecules import SMILES, dataset

import explain_distill as xd
from explain_distill.data.molecules import rows_of_column
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.teachers.fingerprints import BITS, Fingerprints

SMALL = {"members": 2, "width": 16, "max_epochs": 40}


@pytest.fixture(scope="module")
def taught():
    train, test = dataset().split(seed=0)
    return xd.FingerprintTeacher(**SMALL).fit(train), test


def test_fingerprints_count_different_environments_of_atoms():
    import pandas as pd

    told = Fingerprints().transform(rows_of_column(pd.Series(["CC", "CCCC", "C"], name="s")))
    assert told.shape == (3, BITS)
    assert told.sum(axis=1).tolist() == [3.0, 9.0, 1.0]
    assert Fingerprints().transform(np.zeros((0, 36))).shape == (0, BITS)


def test_it_learns_a_property_of_molecules(taught):
    teacher, test = taught
    told = teacher.predict_score(test.X)[:, 0]
    assert np.corrcoef(told, test.y)[0, 1] > 0.9
    assert "over Morgan fingerprints of molecules" in teacher.describe()


def test_molecules_that_are_mixed_are_scored_as_what_they_make(taught):
    teacher, test = taught
    nothing = np.zeros_like(test.X[:1])
    whole = teacher.predict_score(test.X[:1])
    mixed = np.where(np.arange(test.X.shape[1]) < 5, test.X[:1], nothing)
    assert np.isfinite(teacher.predict_score(mixed)).all()
    assert np.array_equal(whole, teacher.predict_score(test.X[:1]))


def test_a_table_is_refused(mixed):
    with pytest.raises(DataError, match="must be given molecules; however, the columns are age"):
        xd.FingerprintTeacher().fit(mixed[0])


def test_a_study_by_name_keeps_it(tmp_path):
    study = xd.run(dataset(), students=["boosted-trees"], quick=True, teacher="fingerprint")
    opened = xd.Study.open(study.save(tmp_path / "study"))
    assert isinstance(opened.comparison.teacher, xd.FingerprintTeacher)
    rows = study.comparison.data.X
    kept, again = (s.comparison.teacher.predict_score(rows) for s in (study, opened))
    assert np.array_equal(kept, again)
    assert opened.about.configuration["teacher"] == "fingerprint"


def test_an_unknown_teacher_and_one_for_no_molecules_are_refused(mixed):
    with pytest.raises(UnknownNameError, match=r"Did you mean 'graph'\?"):
        xd.run(dataset(), teacher="graf")
    with pytest.raises(DataError, match="A teacher is chosen for molecules only"):
        xd.run(mixed[0], teacher="graph")


def test_random_smiles_of_a_molecule_get_one_score(taught):
    import pandas as pd
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(SMILES[40])
    written = [Chem.MolToSmiles(molecule, doRandom=True) for _ in range(10)]
    told = taught[0].predict_score(rows_of_column(pd.Series(written, name="s")))
    assert len(np.unique(told)) == 1
