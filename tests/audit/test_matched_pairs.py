"""Pairs of one core are found, none across cores, and what changes is named."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES, dataset, known_property

from explain_distill.audit.known_molecules import KnownMolecules
from explain_distill.audit.matched_pairs import joined_pairs, matched_pairs
from explain_distill.audit.substituents import spoken_part
from explain_distill.data.dataset import Task
from explain_distill.data.fragments import chem
from explain_distill.data.molecules import number_of


def known_of(smiles, student=None, groups=None):
    """Let the teacher say the property that was measured, and a student something else or it."""
    told = [chem().CanonSmiles(each) for each in smiles]
    y = known_property([number_of(each) for each in told])
    scores = {"teacher": y[:, None], "tree": (y if student is None else student)[:, None]}
    training = np.arange(len(told)) % 2 == 0
    task = Task("regression", "property", unit="u")
    return KnownMolecules(task, 0, tuple(told), y, scores, training, groups, len(told))


def test_pairs_of_one_core_are_found_and_none_across_cores():
    found = matched_pairs(known_of(["Clc1ccccc1", "Oc1ccccc1", "Nc1ccccc1", "Clc1ccncc1"]))
    assert found.n_pairs == 3
    pyridines = matched_pairs(known_of(["Clc1ccncc1", "CCCCCCCCN"]))
    assert (pyridines.n_pairs, pyridines.apart, pyridines.transformations) == (0, (), ())


def test_hydrogen_is_a_substituent_where_the_core_is_a_molecule():
    found = matched_pairs(known_of(["Cc1ccccc1Cl", "Cc1ccccc1"]), least=1)
    assert [each.name for each in found.transformations] == ["H → Cl"]
    assert found.transformations[0].measured.value == -1.5


def test_a_transformation_has_the_mean_of_its_pairs_and_counts_them():
    known = known_of(SMILES)
    told = {each.name: each for each in matched_pairs(known, least=4).transformations}
    change = told["Cl → OH"]
    assert change.n == 6  # a core each
    assert 0 <= change.n_training <= change.n
    assert change.measured.value == pytest.approx(2.5)
    assert {each.value for each in change.said.values()} == {change.measured.value}
    counts = [each.n for each in matched_pairs(known).transformations]
    assert counts == sorted(counts, reverse=True)


def test_a_student_that_is_the_teacher_never_disagrees():
    assert matched_pairs(known_of(SMILES)).apart == ()


def test_the_pair_that_a_student_gets_wrong_comes_first_and_each_molecule_once():
    y = known_of(SMILES).measured
    wrong = SMILES.index("c1ccncc1Cl")
    student = y.copy()
    student[wrong] += 3.0
    known = known_of(SMILES, student)
    found = matched_pairs(known)
    assert known.smiles[wrong] in (found.apart[0].first, found.apart[0].second)
    assert len(found.apart) == 1
    pair = found.apart[0]
    assert pair.said["teacher"] == pytest.approx(pair.measured)
    assert abs(pair.said["tree"] - pair.measured) == pytest.approx(3.0)


def test_pairs_that_share_a_molecule_or_a_group_belong_together():
    places = np.array([[0, 1], [1, 2], [3, 4], [5, 6]])
    together = joined_pairs(places)
    assert together[0] == together[1]
    assert len(set(together.tolist())) == 3
    grouped = joined_pairs(places, np.array([7, 7, 7, 8, 9, 9, 5]))
    assert grouped[2] == grouped[3]
    assert len(joined_pairs(places[:0])) == 0


def test_of_classes_a_change_is_from_minus_one_to_one():
    data = dataset("classification")
    scores = np.where(data.y[:, None] == [0, 1], 1.0, -1.0)
    task, smiles = data.task, tuple(chem().CanonSmiles(each) for each in SMILES)
    known = KnownMolecules(
        task, 1, smiles, data.y, {"teacher": scores, "tree": -scores}, data.y == 0, None, len(data)
    )
    found = matched_pairs(known)
    assert {pair.measured for pair in found.apart} <= {-1.0, 0.0, 1.0}
    for change in found.transformations:
        assert -1 <= change.measured.value <= 1
        assert change.said["teacher"].value == pytest.approx(-change.said["tree"].value)


@pytest.mark.parametrize(
    ("part", "name"),
    [("[H][*:1]", "H"), ("CO[*:1]", "OMe"), ("O=C(O)[*:1]", "COOH"), ("CC(O)[*:1]", "–C(C)O")],
)
def test_substituents_have_the_names_that_chemists_use(part, name):
    assert spoken_part(part) == name
