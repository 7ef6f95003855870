"""A planted cliff is found, and said whether a model sees it."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES

from explain_distill.audit.activity_cliffs import activity_cliffs
from explain_distill.audit.fingerprints import fingerprints, similarities
from explain_distill.audit.known_molecules import KnownMolecules
from explain_distill.data.dataset import Task
from explain_distill.data.fragments import chem

ESTER = "O=C(O{})c1ccc(-c2ccc(I)cc2)nc1"
ALIKE = [chem().CanonSmiles(each) for each in (ESTER.format("C"), ESTER.format("CC"))]
TOLD = (*(chem().CanonSmiles(each) for each in SMILES), *ALIKE)


def planted():
    """Let two molecules that are alike be far apart; the student answers the mean of both."""
    y = np.random.default_rng(0).normal(size=len(TOLD)) * 0.1
    y[-2:] = 5.0, -5.0
    student = y.copy()
    student[-2:] = 0.0
    scores = {"teacher": y[:, None], "tree": student[:, None]}
    training = np.arange(len(TOLD)) != len(TOLD) - 1
    return KnownMolecules(Task("regression", "y"), 0, TOLD, y, scores, training, None, len(TOLD))


def test_a_planted_cliff_is_found_and_only_the_teacher_sees_it():
    found = activity_cliffs(planted())
    assert len(found.steepest) == 1
    cliff = found.steepest[0]
    assert [cliff.first, cliff.second] == ALIKE[::-1]
    assert cliff.measured == (-5.0, 5.0)
    assert cliff.training == (False, True)
    assert cliff.similarity >= 0.6
    assert cliff.steepness == pytest.approx(10.0 / (1 - cliff.similarity))
    assert cliff.seen == {"teacher": True, "tree": False}
    assert (found.seen["teacher"].value, found.seen["tree"].value) == (1.0, 0.0)


def test_two_training_molecules_are_no_cliff():
    known = planted()
    training = np.arange(len(TOLD)) >= len(TOLD) - 2
    found = activity_cliffs(dataclasses.replace(known, training=training))
    assert (found.steepest, found.seen) == ((), {})


def test_of_two_test_molecules_a_cliff_is_told_once():
    known = dataclasses.replace(planted(), training=np.zeros(len(TOLD), dtype=bool))
    assert len(activity_cliffs(known).steepest) == 1


def test_of_classes_a_model_sees_a_cliff_if_it_gives_each_its_own():
    known = planted()
    truth = (np.arange(len(TOLD)) == len(TOLD) - 1).astype(np.int64)
    right = np.where(truth[:, None] == [0, 1], 1.0, -1.0)
    scores = {"teacher": right, "tree": np.tile([1.0, -1.0], (len(TOLD), 1))}
    task = Task("classification", "y", ("no", "yes"))
    found = activity_cliffs(
        dataclasses.replace(known, task=task, score=1, truth=truth, scores=scores)
    )
    assert found.steepest
    for cliff in found.steepest:
        assert cliff.measured == (0.0, 1.0)
        assert cliff.seen == {"teacher": True, "tree": False}
        assert cliff.steepness == pytest.approx(1 / (1 - cliff.similarity))


def test_enantiomers_of_other_values_are_the_steepest_cliff():
    pair = ("C[C@H](O)c1ccccc1", "C[C@@H](O)c1ccccc1")
    known = planted()
    smiles = (*TOLD[:-2], *(chem().CanonSmiles(each) for each in pair))
    cliff = activity_cliffs(dataclasses.replace(known, smiles=smiles)).steepest[0]
    assert cliff.similarity == 1.0
    assert np.isinf(cliff.steepness)


def test_similarity_is_one_of_a_molecule_with_itself_and_less_of_a_longer_chain():
    bits = fingerprints([chem().MolFromSmiles("C" * n + "O") for n in (8, 18)])
    told = similarities(bits, bits)
    assert np.allclose(np.diag(told), 1.0)
    assert 0 < told[0, 1] == told[1, 0] < 1
    assert fingerprints([]).shape == (0, bits.shape[1])
