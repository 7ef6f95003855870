"""What the fragments and the atoms of one molecule add to a score."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import WEIGHTS, known_property

from explain_distill._random import generator
from explain_distill.attribution.one_molecule import (
    MOST_EXACT,
    atom_shares_of,
    fragment_shares,
    fragments_of_smiles,
    player_shares,
    with_fragments,
)
from explain_distill.data.molecules import number_of, numbers_of

TWO_CHLORINES = "Oc1cc(Cl)ccc1Cl"
LONG = "N#Cc1ccc(Cl)cc1OCc1ccc(C(=O)NCC(=O)Oc2ccc(S(N)(=O)=O)cc2F)c(Br)c1O"


def known_score(rows):
    return known_property(numbers_of(rows))[:, None]


def rng():
    return generator(0, "test")


def test_shares_of_an_additive_property_are_nearly_its_parts():
    told = fragment_shares(known_score, TWO_CHLORINES, rng())
    fragments = fragments_of_smiles(TWO_CHLORINES)
    wanted = [WEIGHTS.get(f.kind, 0.0) * len(f.atoms) for f in fragments]
    assert [f.kind for f in fragments].count("chlorine") == 2
    # Nearly: alone, a hydroxyl on a chlorine is no alcohol.
    np.testing.assert_allclose(told.shares[:, 0], wanted, atol=0.3)
    assert told.base[0] + told.shares.sum() == pytest.approx(sum(wanted), abs=1e-9)
    alike = [share for f, share in zip(fragments, told.shares, strict=True) if f.kind == "chlorine"]
    np.testing.assert_allclose(alike[0], alike[1], atol=1e-9)
    assert told.errors is None
    assert told.base == pytest.approx(known_property([0.0]))


def test_drawn_orders_add_up_as_well_and_come_with_errors():
    assert len(fragments_of_smiles(LONG)) > MOST_EXACT
    told = fragment_shares(known_score, LONG, rng())
    whole = known_property([number_of(LONG)])[0]
    assert told.base[0] + told.shares.sum() == pytest.approx(whole, abs=1e-9)
    assert told.errors is not None


def test_drawn_orders_agree_with_all_orders():
    weights = np.random.default_rng(0).normal(size=(9, 9))

    def score(stays):
        return np.einsum("ni,ij,nj->n", stays, weights, stays)[:, None]

    told = player_shares(score, 9, rng())
    exact = (weights + weights.T).sum(axis=1) / 2  # of a sum of pairs, half of each
    assert told.errors is not None
    assert np.all(np.abs(told.shares[:, 0] - exact) <= 5 * told.errors[:, 0] + 1e-9)


def test_few_players_are_told_exactly():
    def score(stays):
        return (stays.all(axis=1) * 6.0)[:, None]

    told = player_shares(score, 3, rng())
    np.testing.assert_allclose(told.shares[:, 0], [2.0, 2.0, 2.0])


def test_methane_has_no_fragment_and_is_the_base():
    told = fragment_shares(known_score, "C", rng())
    assert told.shares.shape == (0, 1)
    assert told.base == pytest.approx(known_property([0.0]))


def test_a_molecule_without_a_fragment_is_joined_again():
    smiles = "COc1ccccc1"
    fragments = fragments_of_smiles(smiles)
    kinds = [fragment.kind for fragment in fragments]
    stays = np.array([kind != "ether" for kind in kinds])
    assert with_fragments(smiles, fragments, stays) == "Cc1ccccc1"
    assert with_fragments(smiles, fragments, np.ones(len(kinds), dtype=bool)) == smiles
    assert with_fragments(smiles, fragments, np.zeros(len(kinds), dtype=bool)) == "C"


def test_atoms_that_symmetry_makes_alike_share_alike():
    noise = np.random.default_rng(0).normal(size=12)

    def score(stays):
        return (stays @ noise[: stays.shape[1]])[:, None]

    told = atom_shares_of(score, "Cc1ccccc1", rng())
    ortho, meta = [2, 6], [3, 5]
    for pair in (ortho, meta):
        assert told.shares[pair[0]] == pytest.approx(told.shares[pair[1]], abs=1e-12)
    assert told.shares.sum() == pytest.approx(noise[:7].sum())


def test_what_is_the_same_in_every_order_has_no_error():
    ring = "C1CCCCCCCCC1"
    told = atom_shares_of(lambda stays: stays.any(axis=1)[:, None] * 1.0, ring, rng())
    np.testing.assert_allclose(told.shares, 0.1)
    assert told.errors is not None
    np.testing.assert_allclose(told.errors, 0.0, atol=1e-12)
