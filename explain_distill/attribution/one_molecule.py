"""Shapley values of the fragments, or the atoms, of one molecule."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explain_distill._types import BoolArray, FloatArray
from explain_distill.attribution.base import ScoreFunction
from explain_distill.attribution.shapley import Draws, sampled_shapley
from explain_distill.data.fragments import Fragment, chem, fragments_of, spliced
from explain_distill.data.molecules import molecule_of, number_of, rows_of, smiles_of

MOST_EXACT = 8  # players whose coalitions are all asked for
EVALUATIONS = 1024  # of a model where they are drawn
LEAST_PAIRS = 4

MaskedScore = Callable[[BoolArray], FloatArray]
"""Which players stay ``(n, n_players)`` to scores ``(n, n_scores)``."""


@dataclass(frozen=True, eq=False)
class PlayerShares:
    """What each player adds to a score.

    Parameters
    ----------
    shares : ndarray of shape (n_players, n_scores)
    base : ndarray of shape (n_scores,)
        The score with no player; base and shares add up to the score with all.
    errors : ndarray of shape (n_players, n_scores), optional
        Standard errors over the orders that were drawn; None where the shares are exact.
    """

    shares: FloatArray
    base: FloatArray
    errors: FloatArray | None = None


def player_shares(
    score: MaskedScore,
    n_players: int,
    rng: np.random.Generator,
    alike: FloatArray | None = None,
) -> PlayerShares:
    """Give the Shapley values of players, exact where there are few.

    Parameters
    ----------
    score : callable
        Which players stay, as truth values ``(n, n_players)``, to scores ``(n, n_scores)``.
    n_players : int
    rng : Generator
        Draws orders, in antithetic pairs, where there are more than `MOST_EXACT` players.
    alike : ndarray of shape (n_players, n_players), optional
        Means over players that are alike, taken of every pair of orders.

    Returns
    -------
    PlayerShares

    References
    ----------
    Shapley (1953), A value for n-person games. For orders see `sampled_shapley`.
    """
    if n_players <= MOST_EXACT:
        told = _exact(score, n_players)
        return told if alike is None else PlayerShares(alike @ told.shares, told.base)
    pairs = max(LEAST_PAIRS, EVALUATIONS // (2 * n_players))
    draws = Draws.draw(pairs, n_players, 1, 1, rng)
    all_stay = np.ones((pairs, n_players))
    drawn = sampled_shapley(
        lambda masks: score(masks.astype(bool)), all_stay, np.zeros((1, n_players)), draws
    )
    each = drawn.values if alike is None else alike @ drawn.values
    errors = each.std(axis=0, ddof=1) / math.sqrt(pairs)
    return PlayerShares(each.mean(axis=0), drawn.base[0], errors)


def _exact(score: MaskedScore, n_players: int) -> PlayerShares:
    """Weigh what a player adds to every coalition of the others."""
    coalitions = np.arange(2**n_players)
    stays = (coalitions[:, None] >> np.arange(n_players)) % 2 == 1
    scores = score(stays)
    size = stays.sum(axis=1)
    values = []
    for player in range(n_players):
        without = np.flatnonzero(~stays[:, player])
        weights = [1 / (n_players * math.comb(n_players - 1, int(size[c]))) for c in without]
        added = scores[without + (1 << player)] - scores[without]
        values.append(np.array(weights) @ added)
    return PlayerShares(np.array(values).reshape(n_players, scores.shape[1]), scores[0])


def with_fragments(smiles: str, fragments: Sequence[Fragment], stays: BoolArray) -> str:
    """Give the molecule that some fragments of another one make, as canonical SMILES.

    Parameters
    ----------
    smiles : str
        Canonical.
    fragments : sequence of Fragment
        All of the molecule.
    stays : ndarray of shape (n_fragments,)
    """
    if stays.all():
        return smiles
    molecule = molecule_of(number_of(smiles))
    kept = [atom for fragment, here in zip(fragments, stays, strict=True) if here
            for atom in fragment.atoms]  # fmt: skip
    made = spliced(molecule, kept, molecule, ())
    return smiles_of(0.0) if made is None else str(chem().MolToSmiles(made[0]))


def fragments_of_smiles(smiles: str) -> tuple[Fragment, ...]:
    """Part a molecule, told by canonical SMILES; methane has no fragment."""
    number = number_of(smiles)
    return fragments_of(molecule_of(number)) if number else ()


def fragment_shares(score: ScoreFunction, smiles: str, rng: np.random.Generator) -> PlayerShares:
    """Give what each fragment of one molecule adds to its score.

    Each fragment is a player of its own, two of one kind as well. Fragments that do not stay are
    taken off, as in coalitions of molecules; the base is the score of methane.

    Parameters
    ----------
    score : callable
        Rows of molecules to scores ``(n, n_scores)``.
    smiles : str
        Canonical.
    rng : Generator

    Returns
    -------
    PlayerShares
        In the order of `fragments_of_smiles`.
    """
    fragments = fragments_of_smiles(smiles)

    def of_fragments(stays: BoolArray) -> FloatArray:
        return score(rows_of(with_fragments(smiles, fragments, row) for row in stays))

    return player_shares(of_fragments, len(fragments), rng)


def atom_shares_of(score: MaskedScore, smiles: str, rng: np.random.Generator) -> PlayerShares:
    """Give what each atom of one molecule adds to a score that is told of parts of its graph.

    Atoms that symmetry makes alike share alike.

    Parameters
    ----------
    score : callable
        Which atoms stay, as truth values ``(n, n_atoms)``, to scores ``(n, n_scores)``.
    smiles : str
        Canonical.
    rng : Generator

    Returns
    -------
    PlayerShares
        In the order of the atoms.
    """
    molecule = molecule_of(number_of(smiles))
    classes = np.array(list(chem().CanonicalRankAtoms(molecule, breakTies=False)))
    same = classes[:, None] == classes[None]
    return player_shares(score, len(same), rng, same / same.sum(axis=1, keepdims=True))
