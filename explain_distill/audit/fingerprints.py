"""How alike molecules are: Tanimoto similarity of Morgan fingerprints.

References
----------
Rogers & Hahn (2010), Extended-connectivity fingerprints, Journal of Chemical Information and
Modeling 50, 742-754.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from explain_distill._types import FloatArray
from explain_distill.data.fragments import chem

RADIUS, BITS = 2, 2048


@cache
def _generator() -> Any:
    chem()
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)


def fingerprints(molecules: Sequence[Any]) -> FloatArray:
    """Give the bits of each molecule, without stereochemistry: ``(n, 2048)``, 0 and 1."""
    if not molecules:
        return np.zeros((0, BITS))
    told = [_generator().GetFingerprintAsNumPy(molecule) for molecule in molecules]
    return np.stack(told).astype(np.float64)


def similarities(first: FloatArray, second: FloatArray) -> FloatArray:
    """Give Tanimoto similarities.

    Bits that both have by bits that either has: from 0 to 1, which molecules of the same bits get.
    A molecule has at least one bit.

    Parameters
    ----------
    first, second : ndarray of shape (n_first, n_bits) and (n_second, n_bits)
        0 and 1.

    Returns
    -------
    ndarray of shape (n_first, n_second)
    """
    shared = first @ second.T
    either = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - shared
    return np.asarray(shared / either)
