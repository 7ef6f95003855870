"""How alike molecules are: Tanimoto similarity of Morgan fingerprints that count.

A bit says whether an atom's surroundings occur at least once, another whether twice, four and eight
times: without counts, chains of any length would be the same.

References
----------
Rogers & Hahn (2010), Extended-connectivity fingerprints, Journal of Chemical Information and
Modeling 50, 742-754.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from explain_distill._types import FloatArray
from explain_distill.data.fragments import chem

RADIUS, FEATURES = 2, 2048
COUNTS = (1, 2, 4, 8)
BITS = FEATURES * len(COUNTS)


Bits: TypeAlias = npt.NDArray[np.float32]
"""``(n, n_bits)``: 0 and 1, as numbers that are multiplied fast."""


@cache
def _generator() -> Any:
    chem()
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(
        radius=RADIUS, fpSize=BITS, countSimulation=True, countBounds=COUNTS
    )


def fingerprints(molecules: Sequence[Any]) -> Bits:
    """Give the bits of each molecule, without stereochemistry: ``(n, 8192)``, 0 and 1."""
    told = np.zeros((len(molecules), BITS), dtype=np.float32)
    for row, molecule in zip(told, molecules, strict=True):
        row[:] = _generator().GetFingerprintAsNumPy(molecule)
    return told


def packed(molecule: Any) -> Any:
    """Give the bits of one molecule as RDKit packs them, for where there are very many."""
    return _generator().GetFingerprint(molecule)


def similarities(first: Bits, second: Bits) -> FloatArray:
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
    shared = (first @ second.T).astype(np.float64)
    either = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - shared
    return np.asarray(shared / either)
