"""The fragments that move a property which is known move it in the mean shares, too."""

import dataclasses

import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import WEIGHTS, KnownTeacher, dataset

import explain_distill as xd
from explain_distill.audit.fragment_effects import fragment_effects
from explain_distill.data.fragments import chem


@pytest.fixture(scope="module")
def comparison():
    train, test = dataset().split(seed=0, test_size=0.5)
    tree = xd.distill(
        KnownTeacher(train), xd.DecisionTree(max_leaves=16), train, transfer=xd.Coalitions(2000)
    )
    return xd.compare(KnownTeacher(train), {"tree": tree}, test, quick=True).comparison


def test_effects_have_the_sign_of_the_property_and_its_order(comparison):
    effects = fragment_effects(comparison, "tree", least=2)
    sizes = [abs(effect.shares["teacher"].value) for effect in effects]
    assert sizes == sorted(sizes, reverse=True)
    assert effects[0].kind == "aromatic carbocycle"
    for effect in effects:
        weight = WEIGHTS.get(effect.kind, 0.0)
        assert effect.shares["teacher"].value * weight > 0 or weight == 0
        if weight == 0:
            assert abs(effect.shares["teacher"].value) < 0.4  # what is joined anew can be other


def test_an_interval_holds_the_mean_and_counts_its_molecules(comparison):
    present = comparison.reasons.present
    for effect in fragment_effects(comparison, "tree"):
        assert effect.n >= 5
        for share in effect.shares.values():
            assert share.n == effect.n <= len(present)
            assert share.low is None or share.low <= share.value <= share.high


def test_taking_a_fragment_off_changes_what_the_teacher_says_by_its_weight(comparison):
    effect = next(e for e in fragment_effects(comparison, "tree") if "carbocycle" in e.kind)
    before, after = effect.example.said["teacher"]
    assert after - before == pytest.approx(12.0) or after - before == pytest.approx(20.0)
    left = chem().MolFromSmiles(effect.example.without)
    assert left is not None
    assert not any(atom.GetIsAromatic() for atom in left.GetAtoms())


def test_without_a_teacher_there_are_shares_and_no_examples(comparison):
    alone = dataclasses.replace(comparison, teacher=None)
    effects = fragment_effects(alone, "tree")
    assert effects
    assert all(effect.example is None for effect in effects)
    assert fragment_effects(dataclasses.replace(comparison, data=None), "tree") == ()
