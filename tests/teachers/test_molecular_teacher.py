import numpy as np
import pytest

pytest.importorskip("chemprop", reason="molecules need the extra")

from rdkit import Chem
from tests_molecules import dataset

import explain_distill as xd
from explain_distill.data.molecules import Standardiser, rows_of, smiles_of
from explain_distill.exceptions import DataError

SMALL = {"members": 2, "width": 24, "n_epochs": 12, "learning_rate": 3e-3}


@pytest.fixture(
    scope="module",
    params=[("regression", False), ("classification", False), ("classification", True)],
    ids=["regression", "classification", "with descriptors"],
)
def taught(request):
    task, descriptors = request.param
    train, test = dataset(task).split(seed=0)
    return xd.MolecularTeacher(**SMALL, descriptors=descriptors).fit(train), train, test


def test_it_learns_a_property_of_molecules(taught):
    teacher, _, test = taught
    told = teacher.predict(test.X)
    if test.task.kind == "regression":
        assert np.corrcoef(told, test.y)[0, 1] > 0.7
    else:
        assert (told == test.y).mean() > 0.7
        assert np.allclose(teacher.predict_proba(test.X).sum(axis=1), 1)


def test_its_score_is_the_mean_of_its_members(taught):
    teacher, _, test = taught
    each = np.stack([member.predict_score(test.X) for member in teacher.single_members()])
    assert len(each) == 2
    assert np.allclose(each.mean(axis=0), teacher.predict_score(test.X), atol=1e-6)
    assert (teacher.spread(test.X) > 0).all()


def test_a_molecule_written_in_ten_ways_has_one_score(taught):
    teacher, _, test = taught
    smiles = smiles_of(test.X[0, 0])
    ways = Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), 10, randomSeed=0)
    told = teacher.predict_score(rows_of([Standardiser()(way) for way in ways]))
    assert (told == teacher.predict_score(test.X[:1])).all()


def test_what_was_said_once_is_said_again_and_computed_anew_where_asked(taught):
    teacher, _, test = taught
    told = teacher.predict_score(test.X)
    assert (teacher.predict_score(test.X[::-1]) == told[::-1]).all()
    with teacher.forgetful():
        assert np.allclose(teacher.predict_score(test.X), told, atol=1e-5)


def test_it_is_kept_to_the_bit_and_a_tampered_file_is_refused(taught, tmp_path):
    teacher, _, test = taught
    config = teacher.write(tmp_path)
    read = xd.MolecularTeacher.read(tmp_path, config)
    with teacher.forgetful():
        assert (read.predict_score(test.X) == teacher.predict_score(test.X)).all()
    assert read.describe() == teacher.describe()
    assert read.complexity() == teacher.complexity()
    wider = config | {"parameters": config["parameters"] | {"width": 25}}
    for wrong in (wider, config | {"parameters": config["parameters"] | {"members": 3}}):
        with pytest.raises(ValueError, match=r"is float32 of shape|is absent"):
            xd.MolecularTeacher.read(tmp_path, wrong)


def test_a_table_without_molecules_is_refused():
    train, _ = xd.load_dataset("wine").split(seed=0)
    with pytest.raises(DataError, match="must be given molecules"):
        xd.MolecularTeacher(**SMALL).fit(train)
    with pytest.raises(DataError, match="n_epochs must"):
        xd.MolecularTeacher(n_epochs=0).fit(dataset())


def test_integrated_gradients_of_atoms_add_up_and_heed_symmetry(taught):
    teacher, *_ = taught
    smiles = "Cc1ccccc1"
    told = teacher.atom_gradients(smiles)
    blank = teacher.masked_scores(smiles, np.zeros((1, 7), dtype=bool))[0]
    whole = teacher.masked_scores(smiles, np.ones((1, 7), dtype=bool))[0]
    assert whole == pytest.approx(teacher.predict_score(rows_of([smiles]))[0])
    change = whole - blank
    assert told.sum(axis=0) == pytest.approx(change, abs=0.05 * np.abs(change).max() + 1e-3)
    np.testing.assert_allclose(told[2], told[6], atol=1e-9)
    np.testing.assert_allclose(told[3], told[5], atol=1e-9)


def test_blank_atoms_change_the_score(taught):
    teacher, *_ = taught
    stays = np.array([[True, True, True], [True, True, False]])
    first, second = teacher.masked_scores("CCO", stays)
    assert not np.allclose(first, second)
