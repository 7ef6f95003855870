"""The shape of a binary tree as an array of children, and what follows from it alone.

A tree of ``n_gates`` inner nodes has ``n_gates + 1`` leaves. Its children are an array of shape
``(n_gates, 2)``, left and right: a number from 0 is another gate, ``-1 - leaf`` is a leaf. Gates
are numbered level by level from the root, 0; leaves from left to right.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explain_distill._types import FloatArray

Children = NDArray[np.int64]


def complete(depth: int) -> Children:
    """Give the children of a complete tree of `depth` questions on each path."""
    gates = 2**depth - 1
    below = np.arange(1, 2 * gates + 1, dtype=np.int64)
    below[gates - 1 :] = gates - 1 - below[gates - 1 :]
    return below.reshape(gates, 2)


def checked(children: np.ndarray) -> Children:
    """Check that `children` are those of one tree: the gates below come later, each comes once.

    Raises
    ------
    ValueError
    """
    gates = len(children)
    if children.shape != (gates, 2) or children.dtype != np.int64 or gates < 1:
        raise ValueError("children must be pairs of whole numbers")
    inner = children >= 0
    expected = [*range(-gates - 1, 0), *range(1, gates)]
    if not np.array_equal(np.sort(children, axis=None), expected):
        raise ValueError("children must name each gate and each leaf once")
    if (children <= np.arange(gates)[:, None])[inner].any():
        raise ValueError("a gate's children must come after it")
    return children


def levels(children: Children) -> list[NDArray[np.int64]]:
    """Give the gates of each level, from the root down."""
    found, here = [], np.zeros(1, dtype=np.int64)
    while len(here):
        found.append(here)
        below = children[here].ravel()
        here = below[below >= 0]
    return found


def places(children: Children) -> Children:
    """Give the children with one number for all nodes: gates first, then leaves."""
    gates = len(children)
    return np.where(children >= 0, children, gates - 1 - children)


def reached(children: Children, right: FloatArray, left: FloatArray) -> FloatArray:
    """Give the probability that a row reaches each node.

    Parameters
    ----------
    children : ndarray of shape (n_gates, 2)
    right, left : ndarray of shape (n_gates, n)
        The probability of going to either side.

    Returns
    -------
    ndarray of shape (2 * n_gates + 1, n)
        Gates, then leaves.
    """
    gates = len(children)
    below = places(children)
    reach = np.empty((2 * gates + 1, right.shape[1]))
    reach[0] = 1.0
    for here in levels(children):
        reach[below[here, 0]] = reach[here] * left[here]
        reach[below[here, 1]] = reach[here] * right[here]
    return reach


def followed(children: Children, logits: FloatArray) -> NDArray[np.int64]:
    """Give the leaf that each row comes to where it takes the more probable side at each gate.

    Parameters
    ----------
    children : ndarray of shape (n_gates, 2)
    logits : ndarray of shape (n_gates, n)
        Right is taken where it is positive.

    Returns
    -------
    ndarray of shape (n,)
    """
    gates, rows = logits.shape
    below = np.concatenate([places(children), np.arange(gates, 2 * gates + 1)[:, None] + [0, 0]])
    # Flat and step by step: a row that stands at a leaf stays there.
    flat, goes_right = below.ravel(), np.zeros(rows, dtype=np.int64)
    node, columns = np.zeros(rows, dtype=np.int64), np.arange(rows)
    for _ in levels(children):
        np.greater(
            logits[np.minimum(node, gates - 1), columns], 0, out=goes_right, casting="unsafe"
        )
        node = flat[2 * node + goes_right]
    return node - gates


def without(
    children: Children, closed: NDArray[np.bool_]
) -> tuple[Children, np.ndarray, np.ndarray]:
    """Take branches out: a gate with a closed side is replaced by its other side.

    Parameters
    ----------
    children : ndarray of shape (n_gates, 2)
    closed : ndarray of shape (n_gates, 2)
        Which sides no row takes. A gate with both sides closed keeps them.

    Returns
    -------
    children : ndarray of shape (n_kept, 2)
    gates : ndarray of shape (n_kept,)
        The old numbers of the gates that stay.
    leaves : ndarray of shape (n_kept + 1,)
        The old numbers of the leaves that stay.
    """
    single: NDArray[np.bool_] = np.asarray(closed.any(axis=1) & ~closed.all(axis=1))
    survivor = np.where(closed[:, 0], children[:, 1], children[:, 0])

    def bypass(node: Children) -> Children:
        """Follow the open side of every gate that is taken out."""
        out = np.asarray((node >= 0) & single[np.maximum(node, 0)])
        return bypass(np.where(out, survivor[np.maximum(node, 0)], node)) if out.any() else node

    here = bypass(np.zeros(1, dtype=np.int64))
    order: list[int] = []
    pairs: list[np.ndarray] = []
    while (here >= 0).any():
        here = here[here >= 0]
        order.extend(here.tolist())
        pair = bypass(children[here].ravel()).reshape(-1, 2)
        pairs.append(pair)
        here = pair.ravel()
    if not order:
        return children, np.arange(len(children)), np.arange(len(children) + 1)
    gates, below = np.array(order), np.concatenate(pairs)
    leaves = np.sort(-1 - below[below < 0])  # taking branches out keeps their order
    renumbered = np.empty(len(children), dtype=np.int64)
    renumbered[gates] = np.arange(len(gates))
    new_leaf = np.zeros(len(children) + 1, dtype=np.int64)
    new_leaf[leaves] = np.arange(len(leaves))
    inner = below >= 0
    result = np.where(
        inner, renumbered[np.maximum(below, 0)], -1 - new_leaf[np.maximum(-1 - below, 0)]
    )
    return result, gates, leaves
