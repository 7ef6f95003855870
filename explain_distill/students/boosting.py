"""What boosted trees learn of rows, and how far they follow it on rows held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import log_softmax, softmax

from explain_distill._types import BoolArray, FloatArray, IntArray, ReadableRows, TaskKind
from explain_distill.students.base import OnStep, is_hard
from explain_distill.students.margins import margins_of_labels, n_outputs, scores_of_margins

if TYPE_CHECKING:
    import xgboost

PATIENCE = 50  # rounds within which the loss on rows held out must fall …
LEAST_GAIN = 0.01  # … by such a share of itself
ROUNDING = 1e-12  # of a variance, which in units of `scale` is up to 1
TOLD = 50  # times at which progress is told


@dataclass(frozen=True, eq=False)
class Target:
    """Margins in units of their spread, learned by squared error; hard labels by cross-entropy.

    Parameters
    ----------
    margins : ndarray of shape (n_samples, n_outputs)
        Less `centre`, divided by `scale`; 0 for hard labels.
    labels : ndarray of shape (n_samples, n_scores)
    hard : ndarray of shape (n_samples,)
        Which labels hold an exact 0, and so have no finite score.
    weights : ndarray of shape (n_samples,)
    centre : ndarray of shape (n_outputs,)
    scale : float
    task : {"classification", "regression"}
    """

    margins: FloatArray
    labels: FloatArray
    hard: BoolArray
    weights: FloatArray
    centre: FloatArray
    scale: float
    task: TaskKind

    @classmethod
    def of(
        cls, labels: FloatArray, weights: FloatArray, task: TaskKind, temperature: float
    ) -> Target:
        """Take labels ``(n_samples, n_scores)`` that were softened at a temperature."""
        hard = is_hard(labels) if task == "classification" else np.zeros(len(labels), bool)
        margins = np.zeros((len(labels), n_outputs(labels.shape[1])))
        margins[~hard] = margins_of_labels(labels[~hard], task, temperature)
        centre, scale = np.zeros(margins.shape[1]), 1.0
        if not hard.all():
            centre = np.average(margins[~hard], axis=0, weights=weights[~hard])
            scale = max(float(margins[~hard].std()), 1e-12)
        return cls((margins - centre) / scale, labels, hard, weights, centre, scale, task)

    @property
    def variance(self) -> float:
        """The margins' variance in units of `scale`, into which the offset of the classes goes."""
        soft = self.margins[~self.hard]
        variance = float(soft.var(axis=0).mean()) if len(soft) else 0.0
        return variance if variance > ROUNDING else 1.0

    def part(self, rows: IntArray) -> Target:
        """Take some of the rows."""
        return replace(
            self,
            margins=self.margins[rows],
            labels=self.labels[rows],
            hard=self.hard[rows],
            weights=self.weights[rows],
        )

    def matrix(self, X: ReadableRows, like: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
        """Bin rows for xgboost, on the bins of another matrix where one is given."""
        import xgboost

        return xgboost.QuantileDMatrix(X, self.margins, weight=self.weights, ref=like)

    def loss(self, outputs: FloatArray) -> float:
        """Give the mean loss of outputs ``(n_samples, n_outputs)``.

        Without hard labels it is what is left unexplained of the scores, in units of `scale`.
        """
        outputs = outputs.astype(np.float64).reshape(self.margins.shape)
        losses = np.square(outputs - self.margins).mean(axis=1)
        if self.hard.any():
            logs = log_softmax(self._scores(outputs[self.hard]), axis=1)
            losses[self.hard] = -(logs * self.labels[self.hard]).sum(axis=1)
        return float(np.average(losses, weights=self.weights))

    def slopes(self, outputs: FloatArray, rows: xgboost.DMatrix) -> tuple[FloatArray, FloatArray]:
        """Give xgboost the first and second derivatives of the loss, for mixed labels."""
        outputs = np.asarray(outputs, dtype=np.float64).reshape(self.margins.shape)
        gradient, hessian = outputs - self.margins, np.ones_like(outputs)
        probabilities = softmax(self._scores(outputs[self.hard]), axis=1)
        slope, curve = probabilities - self.labels[self.hard], probabilities * (1 - probabilities)
        if self.margins.shape[1] == 1:
            slope, curve = slope[:, [1]], curve[:, [1]]
        gradient[self.hard] = slope * self.scale
        hessian[self.hard] = np.maximum(curve * self.scale**2, 1e-6)
        return gradient * self.weights[:, None], hessian * self.weights[:, None]

    def _scores(self, outputs: FloatArray) -> FloatArray:
        return scores_of_margins(outputs * self.scale + self.centre, self.task)


def boosted(
    X: ReadableRows,
    target: Target,
    held_out: IntArray,
    parameters: dict[str, Any],
    n_rounds: int,
    on_step: OnStep | None,
) -> xgboost.Booster:
    """Boost trees until they follow the target no better on rows held out, or to the last round.

    Boosting stops once `PATIENCE` rounds took away less than `LEAST_GAIN` of the loss on the rows
    held out; the trees after the best round are dropped.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_readable)
    target : Target
    held_out : ndarray of shape (n_held_out,)
        The numbers of rows that are not learned; none for boosting to the last round.
    parameters : dict
        xgboost's.
    n_rounds : int
    on_step : callable, optional

    References
    ----------
    Prechelt (1998), Early stopping: but when?
    """
    import xgboost

    kept = np.setdiff1d(np.arange(len(X)), held_out)
    learned, judged = target.part(kept), target.part(held_out if len(held_out) else kept)
    rows = learned.matrix(X[kept])
    others = judged.matrix(X[held_out], rows) if len(held_out) else rows
    follow = _follower(n_rounds, bool(len(held_out)), judged.variance, on_step)
    watched = len(held_out) or on_step is not None
    booster = xgboost.train(
        parameters,
        rows,
        n_rounds,
        obj=learned.slopes if learned.hard.any() else None,
        evals=[(others, "judged")] if watched else (),
        custom_metric=lambda outputs, _: ("loss", judged.loss(outputs)),
        verbose_eval=False,
        callbacks=[follow],
    )
    return booster[: follow.best] if len(held_out) else booster


def _follower(n_rounds: int, stops: bool, variance: float, on_step: OnStep | None) -> Any:
    """Build the callback that tells `on_step` how it goes, and stops where it goes no further."""
    import xgboost

    class Follower(xgboost.callback.TrainingCallback):
        best = n_rounds

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            if not evals_log:
                return False
            losses = evals_log["judged"]["loss"]
            self.best = int(np.argmin(losses)) + 1
            before = min(losses[:-PATIENCE], default=np.inf)
            done = stops and min(losses) > (1 - LEAST_GAIN) * before
            last = done or epoch + 1 == n_rounds
            if on_step is not None and (last or (epoch + 1) % max(1, n_rounds // TOLD) == 0):
                on_step(epoch + 1, n_rounds, losses[-1], 1 - losses[-1] / variance)
            return done

    return Follower()
