"""Fitting the terms of an additive model by interpret's Explainable Boosting Machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax

from explain_distill._optional import require
from explain_distill._types import FloatArray, IntArray, ReadableRows
from explain_distill.students.additive_bins import feature_cuts, fewer_cuts
from explain_distill.students.additive_terms import Term
from explain_distill.students.base import OnStep

PAIR_BINS = 32  # of a feature in a pair, missing values apart
PAIR_CELLS = 1 << 27  # rows times pairs that are looked at to rank the pairs
HELD_OUT, FEWEST_ROWS = 0.15, 100  # share of rows on which rounds are stopped; of fewer, none is
SHORT_ROUNDS = 300  # rounds where no row is held out

Features = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Learned:
    """What is learned of rows: margins by squared error, or classes by cross-entropy.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_readable)
    targets : list of ndarray of shape (n_samples,)
        One a machine: each output's margins, of variance 1 in all, or the codes of the classes.
    weights : ndarray of shape (n_samples,)
    n_outputs : int
        Of all machines together.
    classify : bool
        Whether targets are the codes of classes.
    seed : int
    """

    X: ReadableRows
    targets: list[np.ndarray]
    weights: FloatArray
    n_outputs: int
    classify: bool
    seed: int

    @property
    def shares(self) -> FloatArray:
        """The weights as shares, which sum to 1."""
        return self.weights / self.weights.sum()

    def parts(self) -> Iterator[tuple[np.ndarray, slice]]:
        """Give each machine's target and the outputs that it learns."""
        width = self.n_outputs // len(self.targets)
        for number, target in enumerate(self.targets):
            yield target, slice(number * width, (number + 1) * width)

    def loss_and_fidelity(self, margins: FloatArray) -> tuple[float, float]:
        """Say how far margins ``(n, n_outputs)`` are from what is learned, and how near."""
        if not self.classify:
            gaps = np.square(np.stack(self.targets, axis=1) - margins).mean(axis=1)
            loss = float(gaps @ self.shares)
            return loss, 1 - loss
        logits = margins if self.n_outputs > 1 else np.pad(margins, [(0, 0), (1, 0)])
        own = np.take_along_axis(log_softmax(logits, axis=1), self.targets[0][:, None], axis=1)
        loss = -float(own[:, 0] @ self.shares)
        same = logits.argmax(axis=1) == self.targets[0]
        return loss, float(same @ self.shares)


def boosted_terms(
    learned: Learned, n_bins: int, n_pairs: int, on_step: OnStep | None
) -> tuple[FloatArray, list[Term]]:
    """Fit step functions of single features, then of the pairs that interact most.

    Each output's step functions are boosted in turn, feature by feature, on bins that all outputs
    share. What they leave is searched for interactions by FAST, whose strengths are summed over the
    outputs; the strongest pairs are boosted on it.

    Parameters
    ----------
    learned : Learned
    n_bins : int
        The most bins of a feature, missing values apart.
    n_pairs : int
        The most pairs.
    on_step : callable, optional
        Called after each machine.

    Returns
    -------
    intercepts : ndarray of shape (n_outputs,)
    terms : list of Term
        Of margins.

    References
    ----------
    Lou, Caruana, Gehrke & Hooker (2013), Accurate intelligible models with pairwise interactions.
    Nori, Jenkins, Koch & Caruana (2019), InterpretML: a unified framework for machine learning
    interpretability.
    """
    fine = {f: cuts for f, c in enumerate(learned.X.T) if len(cuts := feature_cuts(c, n_bins))}
    coarse = {feature: fewer_cuts(cuts, PAIR_BINS) for feature, cuts in fine.items()}
    paired = n_pairs > 0 and len(fine) > 1
    boosting = _Boosting(learned, (1 + paired) * len(learned.targets), on_step)
    if fine:
        boosting.add([(feature,) for feature in fine], fine)
    if paired:
        boosting.add(strongest_pairs(learned, boosting.margins, coarse, n_pairs), coarse)
    return boosting.intercepts, boosting.terms


class _Boosting:
    """Terms that are fitted one set after another, each set to what the earlier ones leave."""

    def __init__(self, learned: Learned, n_machines: int, on_step: OnStep | None) -> None:
        self.learned, self.n_machines, self.on_step = learned, n_machines, on_step
        self.done = 0
        self.intercepts = np.zeros(learned.n_outputs)
        self.margins = np.zeros((len(learned.X), learned.n_outputs))
        self.terms: list[Term] = []

    def add(self, wanted: Sequence[Features], cuts: dict[int, FloatArray]) -> None:
        """Fit a table for each of some features, or of some pairs of them."""
        if not wanted:
            return
        options: dict[str, Any] = {"interactions": 0}
        if len(wanted[0]) == 2:
            place = {feature: i for i, feature in enumerate(cuts)}
            pairs = [tuple(place[f] for f in features) for features in wanted]
            options = {"interactions": pairs, "exclude": "mains"}
        terms = {
            features: Term.empty(features, [cuts[f] for f in features], self.learned.n_outputs)
            for features in wanted
        }
        bins = {features: _packed(term.bins(self.learned.X)) for features, term in terms.items()}
        rows = self.learned.X[:, list(cuts)]
        for target, outputs in self.learned.parts():
            machine = _machine(self.learned, cuts, options)
            with _quiet():
                start = _narrow(self.margins[:, outputs])
                machine.fit(rows, target, self.learned.weights, init_score=start)
            self.intercepts[outputs] += machine.intercept_
            self.margins[:, outputs] += machine.intercept_
            for places, scores in zip(machine.term_features_, machine.term_scores_, strict=True):
                features = tuple(list(cuts)[p] for p in places)
                table = terms[features].table[..., outputs]
                known = scores[(slice(-1),) * len(places)]  # the last bin: unknown categories
                table[:] = known.reshape(table.shape)
                self.margins[:, outputs] += table[bins[features]]
            self._report()
        for features, term in terms.items():
            np.add.at(term.weights, bins[features], self.learned.shares)
        self.terms += terms.values()

    def _report(self) -> None:
        self.done += 1
        if self.on_step is not None:
            self.on_step(self.done, self.n_machines, *self.learned.loss_and_fidelity(self.margins))


def _packed(bins: tuple[IntArray, ...]) -> tuple[np.ndarray, ...]:
    """Keep the numbers of bins in a quarter of the memory."""
    return tuple(numbers.astype(np.int16) for numbers in bins)


def strongest_pairs(
    learned: Learned, margins: FloatArray, cuts: dict[int, FloatArray], n_pairs: int
) -> list[Features]:
    """Rank pairs of features by FAST on what the margins leave, summed over the outputs."""
    measure = require("interpret.utils", "additive").measure_interactions
    features = list(cuts)
    n_rows = min(len(learned.X), max(1000, PAIR_CELLS // len(features) ** 2))
    rng = np.random.default_rng(learned.seed)
    chosen = np.sort(rng.choice(len(learned.X), size=n_rows, replace=False))
    strengths: dict[Features, float] = {}
    for target, outputs in learned.parts():
        with _quiet():
            found = measure(
                learned.X[chosen][:, features],
                target[chosen],
                init_score=_narrow(margins[chosen, outputs]),
                sample_weight=learned.weights[chosen],
                feature_types=[cuts[feature].tolist() for feature in features],
                max_interaction_bins=PAIR_BINS + 3,
                objective="log_loss" if learned.classify else "rmse",
            )
        for places, strength in found:
            pair = tuple(features[place] for place in places)
            strengths[pair] = strengths.get(pair, 0.0) + float(strength)
    ranked = sorted(strengths, key=lambda pair: (-strengths[pair], pair))
    return [pair for pair in ranked[:n_pairs] if strengths[pair] > 0]


def _machine(learned: Learned, cuts: dict[int, FloatArray], options: dict[str, Any]) -> Any:
    """Build a machine on given bins. Rows are many and labels smooth, so it may learn fast."""
    glassbox = require("interpret.glassbox", "additive")
    few = len(learned.X) < FEWEST_ROWS
    most_bins = max(map(len, cuts.values())) + 3
    kind = "Classifier" if learned.classify else "Regressor"
    return getattr(glassbox, f"ExplainableBoosting{kind}")(
        feature_types=[c.tolist() for c in cuts.values()],
        max_bins=most_bins,
        max_interaction_bins=most_bins,
        outer_bags=1,
        validation_size=0 if few else HELD_OUT,
        max_rounds=SHORT_ROUNDS if few else 10_000,
        early_stopping_rounds=20,
        smoothing_rounds=0,
        interaction_smoothing_rounds=0,
        greedy_ratio=0.0,
        learning_rate=0.1,
        max_leaves=8,
        min_samples_leaf=1,
        min_hessian=1.0 if learned.classify else 0.0,
        n_jobs=1,
        random_state=learned.seed,
        **options,
    )


def _narrow(margins: FloatArray) -> FloatArray:
    """Give one output as ``(n_samples,)``, as interpret wants it."""
    return margins[:, 0] if margins.shape[1] == 1 else margins


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what interpret says of its own plots, which are not used."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Missing values detected", UserWarning)
        warnings.filterwarnings("ignore", "For multiclass we cannot currently visualize")
        yield
