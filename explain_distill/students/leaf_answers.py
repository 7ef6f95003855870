"""What a tree's leaves answer, and what each answer costs each row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explain_distill._types import FloatArray, IntArray, Scores
from explain_distill.metrics.scores import score_of_probabilities

HAIR = 1e-6  # by which the score of a leaf's class is above all others
SOFTNESS = 0.1  # weight of the squared error beside the share of other answers


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows' labels, and what is lost where a leaf answers otherwise.

    For classes the loss of a row is 1 where the leaf's class is not the label's most probable one,
    plus `SOFTNESS` times the squared distance of the probabilities: a tree should give its
    teacher's answers, and among those that do so equally be close in probability. For values it
    is the squared error, in units of the labels' variance.

    Parameters
    ----------
    labels : ndarray of shape (n_samples, n_scores)
        Probabilities, or values as one column.
    weights : ndarray of shape (n_samples,)
    classify : bool
    """

    labels: FloatArray
    weights: FloatArray
    classify: bool

    def __len__(self) -> int:
        return len(self.labels)

    def sums(self, leaves: IntArray, n_leaves: int) -> Sums:
        """Sum over the rows of each leaf."""

        def summed(values: FloatArray, place: IntArray, n: int) -> FloatArray:
            return np.bincount(place, self.weights * values, n).astype(np.float64)

        n_scores = self.labels.shape[1]
        labels = [summed(column, leaves, n_leaves) for column in self.labels.T]
        ballots = leaves * n_scores + self.votes
        ones = np.ones(len(self))
        return Sums(
            summed(ones, leaves, n_leaves),
            np.stack(labels, axis=1),
            summed(np.square(self.labels).sum(axis=1), leaves, n_leaves),
            summed(ones, ballots, n_leaves * n_scores).reshape(n_leaves, n_scores),
        )

    @cached_property
    def _units(self) -> tuple[float, float]:
        """What a wrong class and a unit of squared error cost."""
        if self.classify:
            return 1.0, SOFTNESS
        centred = self.labels - np.average(self.labels, axis=0, weights=self.weights)
        variance = np.average(np.square(centred).sum(axis=1), weights=self.weights)
        return 0.0, 1 / max(float(variance), 1e-300)

    @cached_property
    def votes(self) -> IntArray:
        """The most probable class of each row: ``(n_samples,)``."""
        return np.asarray(self.labels.argmax(axis=1))

    def costs(self, answers: Answers, rows: IntArray, leaves: IntArray) -> FloatArray:
        """Give what each of some rows loses in its leaf, both given by number: ``(n,)``."""
        wrong, square = self._units
        costs = square * np.square(self.labels[rows] - answers.means[leaves]).sum(axis=1)
        if self.classify:
            costs += wrong * (self.votes[rows] != answers.classes[leaves])
        return np.asarray(costs)

    def costs_of(self, given: FloatArray, rows: IntArray) -> FloatArray:
        """Give what some rows lose, by number, where each is given its labels ``(n, n_scores)``."""
        answers = Answers(given, np.asarray(given.argmax(axis=1)))
        return self.costs(answers, rows, np.arange(len(rows)))

    def loss(self, answers: Answers, sums: Sums) -> FloatArray:
        """Give what the rows of each leaf lose together, from their sums: ``(n_leaves,)``."""
        wrong, square = self._units
        means = answers.means
        squared = sums.squares - 2 * (sums.labels * means).sum(axis=1)
        squared += sums.total * np.square(means).sum(axis=1)
        right = np.take_along_axis(sums.votes, answers.classes[:, None], axis=1)[:, 0]
        return square * squared + wrong * (sums.total - right)


@dataclass(frozen=True, eq=False)
class Sums:
    """What is needed of the rows of leaves, to answer and to judge answers.

    Parameters
    ----------
    total : ndarray of shape (n_leaves,)
        Of the weights.
    labels : ndarray of shape (n_leaves, n_scores)
    squares : ndarray of shape (n_leaves,)
        Of the labels' squared norms.
    votes : ndarray of shape (n_leaves, n_scores)
        The weight of the rows whose most probable class is this one.
    """

    total: FloatArray
    labels: FloatArray
    squares: FloatArray
    votes: FloatArray

    def pooled(self, membership: np.ndarray) -> Sums:
        """Add leaves up, by a matrix ``(n_nodes, n_leaves)`` that says which."""
        m = membership.astype(np.float64)
        return Sums(m @ self.total, m @ self.labels, m @ self.squares, m @ self.votes)

    def answers(self) -> Answers:
        """Give the answer that loses least in each leaf; a leaf without rows gives all rows'."""
        empty = self.total <= 0
        means = self.labels / np.where(empty, 1.0, self.total)[:, None]
        means[empty] = self.labels.sum(axis=0) / self.total.sum()
        votes = np.where(empty[:, None], self.votes.sum(axis=0), self.votes)
        # Of classes with as many votes, the more probable one.
        return Answers(means, (votes + 1e-9 * self.total.sum() * means).argmax(axis=1))


@dataclass(frozen=True, eq=False)
class Answers:
    """What leaves answer.

    Parameters
    ----------
    means : ndarray of shape (n_leaves, n_scores)
        Mean labels.
    classes : ndarray of shape (n_leaves,)
        The class of most of the rows.
    """

    means: FloatArray
    classes: IntArray


def scores_of(answers: Answers) -> Scores:
    """Give leaves' scores: those of the mean, or the closest that have the leaf's class on top.

    Where most rows have one class and the mean another as the most probable, the classes above the
    former share their probability evenly with it, which changes the mean least (in the sense of
    Kullback and Leibler).
    """
    scores = score_of_probabilities(answers.means)
    for leaf, best in enumerate(answers.classes):
        mean = answers.means[leaf]
        if mean.argmax() == best:
            continue
        above = [int(best)]
        for code in np.argsort(-mean):
            if mean[code] <= mean[above].mean():
                break
            above.append(int(code))
        mean = mean.copy()
        mean[above] = mean[above].mean()
        scores[leaf] = score_of_probabilities(mean[None])[0]
        scores[leaf, best] += HAIR
    return scores - scores.mean(axis=1, keepdims=True)
