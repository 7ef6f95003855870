"""What a student learns of a row: the teacher's soft label, or at times the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from explain_distill._types import BoolArray, FloatArray, Rows, Scores, SoftLabels
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.techniques import PairedRows, RowWeights, Technique
from explain_distill.distillation.transfer_sets import TransferSet, for_data
from explain_distill.exceptions import DataError
from explain_distill.metrics.scores import checked_scores, probabilities_of_score
from explain_distill.students.base import Batch
from explain_distill.teachers.base import Teacher

SMALLEST = 1e-300
MOST_DRAWS = 20  # rows drawn for one with a finite label
FEW_ROWS = 100  # of which the share with finite labels says little
HEAVIEST = 1e9  # that a row may count, and by its inverse the heaviest at the least; 1 is usual
LIGHTEST = 1e-20  # beside the heaviest, below which a weight is as good as none
NAMED_COLUMNS = 6  # of a row that has none

OnBadLabel = Literal["raise", "drop"]


def soft_labels(score: Scores, temperature: float, classify: bool) -> SoftLabels:
    """Turn a teacher's scores into soft labels.

    Parameters
    ----------
    score : ndarray of shape (n_samples, n_scores)
    temperature : float
        At which probabilities are softened (Hinton et al. 2015).
    classify : bool

    Returns
    -------
    ndarray of shape (n_samples, n_classes), or (n_samples,) for regression
    """
    if not classify:
        return score[:, 0]
    # An exact 0 would read as a hard label.
    return np.maximum(probabilities_of_score(score, temperature), SMALLEST)


class Labeller:
    """Draws transfer rows and labels them.

    With a hard weight w, a share w of the rows are training rows with their true label, so that
    the expected loss is Hinton's weighted sum of a soft and a hard part.

    Parameters
    ----------
    teacher : Teacher
    data : Dataset
        The training rows.
    transfer : TransferSet
    temperature, hard_weight : float
    rng : numpy.random.Generator
    techniques : sequence of Technique, default=()
        Kept as they are once made ready for the teacher and the data.
    on_bad_label : {"raise", "drop"}, default="raise"
        What to do of a row that the teacher gives a score that is not finite.
    """

    def __init__(
        self,
        teacher: Teacher,
        data: Dataset,
        transfer: TransferSet,
        temperature: float,
        hard_weight: float,
        rng: np.random.Generator,
        techniques: Sequence[Technique] = (),
        on_bad_label: OnBadLabel = "raise",
    ) -> None:
        self.teacher, self.on_bad_label = teacher, on_bad_label
        self.data = self._with_finite_scores(data) if on_bad_label == "drop" else data
        self.transfer = for_data(transfer, self.data)
        self.temperature, self.hard_weight, self.rng = temperature, hard_weight, rng
        self.techniques = [technique.ready(teacher, self.data) for technique in techniques]
        self.weighing = [each for each in self.techniques if isinstance(each, RowWeights)]
        self.classify = data.task.kind == "classification"

    def draw(self, n: int) -> Batch:
        """Give `n` readable rows, their labels, and their weights where rows are weighed."""
        rows, labels = self.singles(n)
        return Batch(self.data.readable_features.transform(rows), labels, self.weights(rows))

    def all_rows(self) -> Batch:
        """Give each training row with its soft and with its true label, and the weights of both."""
        X = self.data.X
        _, soft = self.labelled(X) if self.hard_weight < 1 else (X, self._truth(np.arange(len(X))))
        hard = self._truth(np.arange(len(X)))
        weights = np.repeat([1 - self.hard_weight, self.hard_weight], len(X))
        kept = weights > 0
        rows, labels = np.concatenate([X, X])[kept], np.concatenate([soft, hard])[kept]
        weights, further = weights[kept], self.weights(rows)
        return Batch(
            self.data.readable_features.transform(rows),
            labels,
            weights if further is None else weights * further,
        )

    def singles(self, n: int) -> tuple[Rows, SoftLabels]:
        """Give `n` raw rows of the transfer set or with their true label, and their labels."""
        n_hard = int(self.rng.binomial(n, self.hard_weight)) if self.hard_weight else 0
        chosen = self.rng.integers(len(self.data), size=n_hard)
        rows, labels = self.data.X[chosen], self._truth(chosen)
        if n_hard < n:
            drawn, soft = self._drawn(
                lambda n: self.transfer.draw(self.data.X, n, self.rng), n - n_hard
            )
            rows, labels = np.concatenate([rows, drawn]), np.concatenate([labels, soft])
        order = self.rng.permutation(n) if n_hard else slice(None)
        return rows[order], labels[order]

    def pairs(self, technique: PairedRows, n: int) -> tuple[Rows, SoftLabels]:
        """Give `n` pairs of raw rows, one after another, and their labels: ``2n`` of each."""
        return self._drawn(
            lambda n: technique.pairs(self.transfer, self.data.X, n, self.rng), n, together=2
        )

    def weights(self, rows: Rows) -> FloatArray | None:
        """Weigh raw rows: ``(n,)``, or None where nothing weighs them."""
        if not self.weighing:
            return None
        told = [
            _checked_weights(each, each.weights(self.teacher, rows), len(rows))
            for each in self.weighing
        ]
        weights = np.asarray(np.prod(told, 0))
        largest = weights.max(initial=0.0)
        if len(rows) and not 1 / HEAVIEST <= largest <= HEAVIEST:
            names = ", ".join(type(each).__name__ for each in self.weighing)
            raise DataError(
                f"Weights of rows must be from {1 / HEAVIEST:g} to {HEAVIEST:g} for the heaviest; "
                f"however, of {len(rows)} rows the heaviest has {largest:.4g} by {names}. Make "
                "them about 1 on the whole."
            )
        return np.where(weights < LIGHTEST * largest, 0.0, weights)

    def labelled(self, rows: Rows) -> tuple[Rows, SoftLabels]:
        """Give raw rows and their labels, without those that have none, where they are dropped.

        Raises
        ------
        DataError
            Where the teacher gives a row no finite score, unless such rows are dropped.
        """
        score, finite = self._scored(rows)
        return rows[finite], soft_labels(score[finite], self.temperature, self.classify)

    def _drawn(
        self, draw: Callable[[int], Rows], n: int, together: int = 1
    ) -> tuple[Rows, SoftLabels]:
        """Draw `n` times rows that belong together, until all have finite labels."""
        parts: list[tuple[Rows, Scores]] = []
        found, drawn, asked = 0, 0, n
        while True:
            rows = checked_rows(
                draw(asked), asked * together, self.data, "A transfer set must draw"
            )
            score, finite = self._scored(rows)
            finite = finite.reshape(-1, together).all(axis=1).repeat(together)
            parts.append((rows[finite], score[finite]))
            found, drawn = found + int(finite.sum()) // together, drawn + asked
            if found >= n:
                break
            if drawn >= FEW_ROWS and found * MOST_DRAWS < drawn:
                raise DataError(
                    f"The teacher must give finite scores to 1 in {MOST_DRAWS} rows of the "
                    f"transfer set; however, it gave them to {found} of {drawn}. Mend the "
                    "teacher, or take another transfer set, such as TrainingRows."
                )
            wanted = drawn * (n - found) // max(found, 1)
            asked = max(n - found, min(wanted, max(n, FEW_ROWS)))
        rows, score = (np.concatenate(each)[: n * together] for each in zip(*parts, strict=True))
        return rows, soft_labels(score, self.temperature, self.classify)

    def _with_finite_scores(self, data: Dataset) -> Dataset:
        finite = np.asarray(np.isfinite(self.teacher.predict_score(data.X)).all(axis=1))
        if not finite.any():
            raise DataError(
                "The teacher must give some training row a finite score; however, it gives none "
                f"to any of {len(data)}. Mend the teacher."
            )
        return data.take(finite)

    def _scored(self, rows: Rows) -> tuple[Scores, BoolArray]:
        """Score raw rows, and say which scores are finite, as all must be unless they are dropped.

        Raises
        ------
        DataError
            Names the first row whose score is not finite.
        """
        told = self.teacher.predict_score(rows)
        n_scores, name = self.data.task.n_scores, type(self.teacher).__name__
        score = checked_scores(told, len(rows), name, n_scores)
        finite = np.asarray(np.isfinite(score).all(axis=1))
        if finite.all() or self.on_bad_label == "drop":
            return score, finite
        first = int(np.argmin(finite))
        schema = self.data.schema
        values = [
            f"{f.name} = {f.word(code)}"
            for f, code in zip(schema.features[:NAMED_COLUMNS], rows[first], strict=False)
        ]
        more = ", …" if len(schema) > NAMED_COLUMNS else ""
        if schema.molecules is not None:
            values, more = [str(schema.decode(rows[[first]]).iloc[0, 0])], ""
        raise DataError(
            f"The teacher must give every row a finite score; however, it gives {(~finite).sum()} "
            f"of {len(rows)} drawn rows another, first {score[first].tolist()} to the row "
            f"{', '.join(values)}{more}. Mend the teacher, or pass on_bad_label='drop'."
        )

    def _truth(self, chosen: np.ndarray) -> SoftLabels:
        truth = self.data.y[chosen]
        return np.eye(self.data.task.n_scores)[truth] if self.classify else truth


def _checked_weights(technique: RowWeights, weights: FloatArray, n: int) -> FloatArray:
    """Refuse weights that are no numbers, below 0, or not one a row.

    Raises
    ------
    DataError
    """
    told = np.asarray(weights, dtype=np.float64)
    if told.shape != (n,) or not np.isfinite(told).all() or (told < 0).any():
        shown = f"{told.shape}" if told.shape != (n,) else f"{told.min():.4g} to {told.max():.4g}"
        raise DataError(
            f"Weights of rows must be one a row, finite and not below 0; however, "
            f"{type(technique).__name__} gives {shown} for {n} rows."
        )
    return told


def checked_rows(rows: Rows, n: int, data: Dataset, must: str) -> Rows:
    """Refuse what is not so many raw rows, or holds a level that no category has.

    `must` says whose the rows are, and what they must be.

    Raises
    ------
    DataError
    """
    shape = np.shape(rows)
    is_array = isinstance(rows, np.ndarray) and rows.dtype.kind in "fiub"
    if not is_array or shape != (n, data.X.shape[1]):
        told = type(rows).__name__ if not isinstance(rows, np.ndarray) else f"{rows.dtype} {shape}"
        raise DataError(
            f"{must} raw rows of numbers, {(n, data.X.shape[1])}; however, it gave {told}."
        )
    for column, feature in enumerate(data.schema.features):
        if feature.kind in ("category", "boolean"):
            codes, n_levels = rows[:, column], len(feature.levels) or 2
            known = np.isnan(codes) | (codes >= 0) & (codes < n_levels) & (codes == np.floor(codes))
            if not known.all():
                raise DataError(
                    f"{must} levels of {feature.name!r}, whole numbers from 0 to {n_levels - 1}, "
                    f"or NaN for missing; however, it gave {codes[~known][0]:g}. Take each cell "
                    "from one of the training rows."
                )
    return rows
