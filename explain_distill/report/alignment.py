"""Molecules brought into one position, so that what differs between them is seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from explain_distill.data.fragments import chem
from explain_distill.data.molecules import molecule_of, number_of

LEAST_COMMON = 3  # atoms, by which molecules are brought into one position
LEAST_APART = 0.6  # of atoms, where a bond is 1.5 long
SECONDS = 2  # for the largest common part, which is found in far less


def compared(smiles: list[str]) -> list[tuple[Any, list[int]]]:
    """Bring molecules into the position of the first, and say which atoms differ from it.

    Parameters
    ----------
    smiles : list of str
        Canonical.

    Returns
    -------
    list of tuple
        Each molecule with coordinates, and its atoms outside of the largest part that it has in
        common with the first. Of the first they are told where it is compared with one other.
    """
    from rdkit.Chem import rdDepictor

    first, *others = (chem().Mol(molecule_of(number_of(each))) for each in smiles)
    rdDepictor.Compute2DCoords(first)
    found: list[tuple[Any, list[int]]] = [(first, [])]
    for other in others:
        common = _common(first, other)
        if len(common) < LEAST_COMMON:
            rdDepictor.Compute2DCoords(other)
            found.append((other, []))
            continue
        rdDepictor.GenerateDepictionMatching2DStructure(other, first, common)
        if _crowded(other):
            rdDepictor.Compute2DCoords(other)
        found.append((other, _apart(other, [theirs for _, theirs in common])))
        if len(others) == 1:
            found[0] = first, _apart(first, [ours for ours, _ in common])
    return found


def _crowded(molecule: Any) -> bool:
    """Whether atoms that are not bound are drawn on top of each other."""
    at = np.array(molecule.GetConformer().GetPositions())[:, :2]
    apart = np.linalg.norm(at[:, None] - at[None], axis=-1)
    return bool((apart[np.triu_indices(len(at), 1)] < LEAST_APART).any())


def _apart(molecule: Any, common: list[int]) -> list[int]:
    return [atom for atom in range(molecule.GetNumAtoms()) if atom not in set(common)]


def _common(first: Any, other: Any) -> list[tuple[int, int]]:
    """Pair the atoms of the largest part that two molecules have in common."""
    from rdkit.Chem import rdFMCS

    told = rdFMCS.FindMCS(
        [first, other], ringMatchesRingOnly=True, completeRingsOnly=True, timeout=SECONDS
    )
    pattern = chem().MolFromSmarts(told.smartsString)
    if pattern is None:
        return []
    ours, theirs = first.GetSubstructMatch(pattern), other.GetSubstructMatch(pattern)
    return list(zip(ours, theirs, strict=False))
