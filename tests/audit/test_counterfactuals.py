"""Counterfactual molecules are sound, near, and the model says something else of them."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import KnownTeacher, dataset

from explain_distill.audit.counterfactuals import counterfactuals
from explain_distill.audit.fingerprints import fingerprints, similarities
from explain_distill.audit.near_molecules import Candidates
from explain_distill.data.catalog import load_dataset
from explain_distill.data.fragments import chem
from explain_distill.data.molecules import rows_of, smiles_of
from explain_distill.exceptions import DataError


@pytest.fixture(scope="module")
def train():
    return dataset().split(seed=0)[0]


@pytest.fixture(scope="module")
def candidates(train):
    return Candidates.of(train)


@pytest.mark.parametrize("smiles", ["Clc1ccccc1", "Oc1ccccc1CCl", "C[C@H](O)C1CCCCC1", "CCCCO"])
def test_what_is_found_is_sound_near_and_another_answer(train, candidates, smiles):
    teacher = KnownTeacher(train)
    found = counterfactuals(teacher, smiles, candidates, most=8)
    assert found
    own = teacher.predict_score(rows_of([smiles]))[0, 0]
    alike = [each.molecule.similarity for each in found]
    assert alike == sorted(alike, reverse=True)
    for each in found:
        told = each.molecule.smiles
        molecule = chem().MolFromSmiles(told)
        assert molecule is not None
        assert chem().MolToSmiles(molecule) == told != smiles
        assert "." not in told
        assert abs(each.scores["teacher"][0] - own) >= train.y.std()
        both = fingerprints([molecule, chem().MolFromSmiles(smiles)])
        assert similarities(both[:1], both[1:])[0, 0] == pytest.approx(each.molecule.similarity)
        if each.molecule.measured is not None:
            assert each.molecule.measured == each.scores["teacher"][0]


def test_a_smaller_change_finds_nearer_molecules(train, candidates):
    teacher, most_alike = KnownTeacher(train), []
    for least in (0.5, 8.0, 20.0):
        found = counterfactuals(teacher, "Clc1ccc(CC)cc1", candidates, least=least)
        most_alike.append(max((each.molecule.similarity for each in found), default=0.0))
    assert most_alike == sorted(most_alike, reverse=True)
    assert most_alike[0] > most_alike[-1]


def test_the_models_beside_are_asked_of_the_same_molecules(train, candidates):
    teacher = KnownTeacher(train)
    found = counterfactuals(teacher, "Clc1ccccc1", candidates, others={"again": teacher})
    assert all(each.scores["again"] == each.scores["teacher"] for each in found)


def test_of_classes_the_most_probable_one_differs():
    train = dataset("classification").split(seed=0)[0]

    class Halves(KnownTeacher):
        def predict_score(self, X):
            value = super().predict_score(X) + 4
            return np.hstack([value, -value])

    teacher = Halves(train)
    found = counterfactuals(teacher, "Oc1ccccc1", Candidates.of(train))
    own = teacher.predict(rows_of(["Oc1ccccc1"]))[0]
    assert found
    assert all(np.argmax(each.scores["teacher"]) != own for each in found)
    assert {each.molecule.measured for each in found} <= {None, 0.0, 1.0}


def test_what_is_made_says_how_it_differs(candidates):
    near = {each.smiles: each for each in candidates.near("Cc1ccc(C#N)cc1O")}
    assert near["Cc1ccccc1O"].made == "without a nitrile"
    assert near["Cc1ccc(Cl)cc1O"].made == "chlorine in place of a nitrile"
    assert "Cc1ccc(C#N)cc1O" not in near


def test_what_is_made_stays_within_the_range_of_training_molecules(train, candidates):
    inside = candidates.within(train.X)
    assert inside.all()
    assert not candidates.within(rows_of(["C" * 60])).any()


def test_what_is_no_molecule_is_refused(train, candidates):
    teacher = KnownTeacher(train)
    with pytest.raises(
        DataError, match="smiles must be a molecule; however, 'C1CC' is none: not a SMILES"
    ):
        counterfactuals(teacher, "C1CC", candidates)
    with pytest.raises(DataError, match=r"least must be above 0; however, got 0\.0"):
        counterfactuals(teacher, "CCO", candidates, least=0.0)
    with pytest.raises(DataError, match="Candidates must be molecules; however, the columns of"):
        Candidates.of(load_dataset("wine"))


def test_candidates_are_the_training_molecules_and_more(train, candidates):
    near = {each.smiles for each in candidates.near("Clc1ccc(Br)cc1")}
    assert {smiles_of(number) for number in train.X[:, 0]} - {"Clc1ccc(Br)cc1"} <= near
    assert len(near) > len(train)
