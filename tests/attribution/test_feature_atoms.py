"""A student's features on the atoms that make them."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES, KnownTeacher, dataset

import explain_distill as xd
from explain_distill._random import generator
from explain_distill.attribution.feature_atoms import _patterns, _weights, features_on_atoms
from explain_distill.data.chemical_features import groups
from explain_distill.data.molecules import rows_of

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.fixture(scope="module")
def taught():
    train, _ = dataset().split(seed=0)
    train = train.counting(xd.environments_of(train, 8))
    student = xd.distill(
        KnownTeacher(train), xd.BoostedTrees(n_trees=60), train, transfer="training-rows"
    )
    return student, train


def told_of(taught, smiles):
    student, train = taught
    features = train.readable_features
    return features_on_atoms(student, smiles, train.readable(), features, generator(0, "t"))


@pytest.mark.parametrize("smiles", [ASPIRIN, "Clc1ccccc1", "C"])
def test_base_atoms_and_remainder_add_up_to_the_score(taught, smiles):
    student, train = taught
    told = told_of(taught, smiles)
    score = student.predict_score(train.readable_features.transform(rows_of([smiles])))[0]
    whole = (
        told.base + told.atoms.sum(axis=0) + sum((each.share for each in told.rest), np.zeros(1))
    )
    assert whole == pytest.approx(score, abs=1e-4)


def test_the_base_is_the_mean_of_the_background_and_shares_have_errors(taught):
    student, train = taught
    told = told_of(taught, ASPIRIN)
    assert told.base == pytest.approx(student.predict_score(train.readable()).mean(axis=0))
    assert all(np.isfinite(each.error).all() for each in told.rest)


def test_alike_atoms_share_alike(taught):
    told = told_of(taught, "Clc1ccccc1")
    np.testing.assert_allclose(told.atoms[2], told.atoms[6], atol=1e-9)


def test_molecular_weight_is_on_no_atom_and_the_largest_remainder_comes_first(taught):
    rest = told_of(taught, ASPIRIN).rest
    assert not _weights(ASPIRIN, "molecular weight", None).any()
    sizes = [np.abs(each.share).max() for each in rest]
    assert sizes == sorted(sizes, reverse=True)


def test_counts_and_areas_are_on_the_atoms_that_make_them():
    assert np.flatnonzero(_weights(ASPIRIN, "fragments of ester", None)).tolist() == [1, 2, 3]
    assert np.flatnonzero(_weights(ASPIRIN, "hydrogen-bond donors", None)).tolist() == [12]
    assert np.flatnonzero(_weights(ASPIRIN, "polar surface area", None)).tolist() == [2, 3, 11, 12]
    assert np.flatnonzero(_weights(ASPIRIN, "aromatic rings", None)).tolist() == [4, 5, 6, 7, 8, 9]


def test_every_group_is_counted_by_the_pattern_that_is_put_on_atoms():
    from explain_distill.data.molecules import molecule_of, number_of

    for smiles in (ASPIRIN, "CCN(CC)C(=O)c1ccncc1", "O=[N+]([O-])c1ccc(Cl)cc1C#N", *SMILES[::9]):
        molecule = molecule_of(number_of(smiles))
        for name, count in groups():
            assert len(molecule.GetSubstructMatches(_patterns()[name])) == count(molecule)
