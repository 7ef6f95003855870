"""An additive model: a sum of step functions of one feature or two, each of which can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from explain_distill._arrays import take_checked
from explain_distill._optional import require
from explain_distill._random import integer_seed
from explain_distill._ranges import Range
from explain_distill._types import FloatArray, Json, ReadableRows, Scores, TaskKind
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.students.additive_boosting import Learned, boosted_terms
from explain_distill.students.additive_rules import additive_rules
from explain_distill.students.additive_sum import TermSum
from explain_distill.students.additive_terms import Term, purified
from explain_distill.students.base import OnStep, Student, is_hard, soft_scores
from explain_distill.students.margins import margins_of_labels, n_outputs, scores_of_margins

SMALLEST_SHARE = 1e-4  # of a class in a label beside hard ones; smaller ones are left out


class Additive(Student):
    """A generalised additive model with pairs (interpret's Explainable Boosting Machine).

    The score is an intercept plus one step function of each feature, and of each of the pairs of
    features that the teacher's scores interact in most. They are fitted to the teacher's scores by
    squared error: the log-odds for two classes, the centred log-probabilities for more, the value
    for regression, each by a machine of its own on bins that all share. The pairs are those that
    FAST finds strongest in what the single features leave of the teacher's scores; on coalitions,
    where features vary apart from each other, those are the teacher's interactions and no mere
    correlations. Pairs are purified, so that what a feature does alone stands in its own function.

    Hard labels have no finite score. Where there are some, all labels are learned by cross-entropy.

    Parameters
    ----------
    n_pairs : int, default=15
        How many pairs of features there are at most; 0 for features alone.
    n_bins : int, default=64
        How many steps a function has at most.
    task : {"classification", "regression"}, default="classification"
    temperature : float, default=1.0
        At which the soft labels were softened; scores are multiplied by it.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    intercepts_ : ndarray of shape (n_scores,)
        The mean score of the transfer rows.
    terms_ : tuple of Term
        The step functions, those of single features first. Each has mean 0 over the transfer rows,
        and adds up with the others to the score.
    classes_ : ndarray of shape (n_classes,)

    References
    ----------
    Lou, Caruana, Gehrke & Hooker (2013), Accurate intelligible models with pairwise interactions.
    Tan, Caruana, Hooker & Lou (2018), Distill-and-compare: auditing black-box models using
    transparent model distillation.
    Nori, Jenkins, Koch & Caruana (2019), InterpretML.
    """

    NAME: ClassVar[str] = "additive"
    SIZE_UNIT: ClassVar[str] = "pairs"
    RANGES: ClassVar[dict[str, Range]] = Student.RANGES | {
        "n_pairs": Range(0, 4096, whole=True),
        "n_bins": Range(2, 4096, whole=True),
    }

    intercepts_: FloatArray
    terms_: tuple[Term, ...]

    def __init__(
        self,
        *,
        n_pairs: int = 15,
        n_bins: int = 64,
        task: TaskKind = "classification",
        temperature: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.n_pairs = n_pairs
        self.n_bins = n_bins
        self.task = task
        self.temperature = temperature
        self.random_state = random_state

    @classmethod
    def check_installed(cls) -> None:
        """Refuse to go on without interpret-core, which fits the functions."""
        require("interpret", "additive")

    def largest_size(self, n_features: int) -> int:
        """Give the number of pairs that there are; 1 where there is none."""
        return max(1, n_features * (n_features - 1) // 2)

    def _fit_labels(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> None:
        if self.task == "classification" and is_hard(labels).any():
            intercepts, terms = self._classes_learned(X, labels, weights, on_step)
        else:
            intercepts, terms = self._margins_learned(X, labels, weights, on_step)
        centred = [term.centred() for term in purified(terms)]
        self.intercepts_ = intercepts + sum(means for _, means in centred)
        self._take([term for term, _ in centred if term.table.any()])

    def _take(self, terms: Sequence[Term]) -> None:
        self.terms_ = tuple(terms)
        self.sum_ = TermSum(self.terms_, len(self.intercepts_))

    def _margins_learned(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> tuple[FloatArray, list[Term]]:
        """Fit scores by squared error."""
        margins = margins_of_labels(labels, self.task, self.temperature)
        centre = np.average(margins, axis=0, weights=weights)
        scale = max(float((margins - centre).std()), 1e-12)
        targets = list(((margins - centre) / scale).T)
        learned = Learned(X, targets, weights, len(targets), classify=False, seed=self._seed())
        intercepts, terms = boosted_terms(learned, self.n_bins, self.n_pairs, on_step)
        intercepts = scores_of_margins((intercepts * scale + centre)[None], self.task)[0]
        return intercepts, [_of_scores(term, scale, self.task) for term in terms]

    def _classes_learned(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> tuple[FloatArray, list[Term]]:
        """Fit labels by cross-entropy: each row counts for each class by its share in the label."""
        soft = ~is_hard(labels)
        shares = labels.copy()
        shares[soft] = probabilities_of_score(soft_scores(labels[soft]) * self.temperature)
        rows, codes = np.nonzero(shares > SMALLEST_SHARE)
        present, targets = np.unique(codes, return_inverse=True)
        # A class that no label holds is given half a row, and depends on no feature.
        intercepts = np.full(labels.shape[1], -np.log(2 * len(labels)))
        intercepts[present] = 0.0
        if len(present) == 1:
            return intercepts - intercepts.mean(), []
        learned = Learned(
            X[rows],
            [targets],
            weights[rows] * shares[rows, codes],
            n_outputs(len(present)),
            classify=True,
            seed=self._seed(),
        )
        margins, found = boosted_terms(learned, self.n_bins, self.n_pairs, on_step)
        intercepts[present] += scores_of_margins(margins[None], self.task)[0]
        intercepts -= intercepts.mean()
        terms = []
        for term in (_of_scores(term, 1.0, self.task) for term in found):
            table = np.zeros((*term.weights.shape, labels.shape[1]))
            table[..., present] = term.table
            terms.append(replace(term, table=table))
        return intercepts, terms

    def _seed(self) -> int:
        return integer_seed(self._rng())

    def predict_score(self, X: Any) -> Scores:
        """Score rows ``(n_samples, n_readable)`` as ``(n_samples, n_scores)``."""
        rows = self._checked_rows(X)
        return self.intercepts_ + self.sum_(rows)

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy of at most so many pairs."""
        return self._sized(n_pairs=size)

    def complexity(self) -> dict[str, float]:
        """Give the number of terms, and of the numbers in their tables."""
        outputs = n_outputs(len(self.intercepts_))
        cells = sum(term.weights.size for term in self.terms_)
        return {"terms": float(len(self.terms_)), "parameters": float((cells + 1) * outputs)}

    def rules(self) -> list[str]:
        """Say for each of the strongest terms how it moves the score, in raw units."""
        return additive_rules(self)

    def write(self, folder: Path) -> Json:
        """Write the terms as safetensors."""
        from safetensors.numpy import save_file

        arrays = {"intercepts_": self.intercepts_}
        for number, term in enumerate(self.terms_):
            arrays |= term.to_arrays(f"term.{number}")
        save_file(arrays, folder / "model.safetensors")
        return {
            "n_features": self.n_features_in_,
            "terms": [list(term.features) for term in self.terms_],
        }

    def read(self, folder: Path, config: Json) -> None:
        """Read what `write` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / "model.safetensors")
        self.n_features_in_ = int(config["n_features"])
        self.intercepts_ = take_checked(arrays, {"intercepts_": (np.size(arrays["intercepts_"]),)})[
            "intercepts_"
        ]
        n_scores = len(self.intercepts_)
        self._take(
            [
                Term.from_arrays(arrays, f"term.{number}", self._known(features), n_scores)
                for number, features in enumerate(config["terms"])
            ]
        )

    def _known(self, features: list[int]) -> tuple[int, ...]:
        """Refuse features of a term that are not there."""
        known = all(type(f) is int and 0 <= f < self.n_features_in_ for f in features)
        if not known or len(features) not in (1, 2) or len(set(features)) < len(features):
            raise ValueError(f"a term must have one feature, or two that differ; not {features}")
        return tuple(features)


def _of_scores(term: Term, scale: float, task: TaskKind) -> Term:
    """Turn a term of margins in units of `scale` into one of scores."""
    flat = term.table.reshape(-1, term.table.shape[-1]) * scale
    return replace(term, table=scores_of_margins(flat, task).reshape(*term.weights.shape, -1))
