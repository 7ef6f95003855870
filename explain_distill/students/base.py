"""What a student is: a scikit-learn estimator that learns soft labels and can say itself.

Students take the matrix of readable features, in raw units with NaN kept. They scale and impute
inside, and undo it before anything is shown.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias, get_args

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, Tags, check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from explain_distill._gradients import GradientModel
from explain_distill._ranges import Range, check_choices, check_ranges
from explain_distill._types import (
    FloatArray,
    Json,
    Probabilities,
    ReadableRows,
    Scores,
    SoftLabels,
    TaskKind,
)
from explain_distill.data.features import Schema
from explain_distill.data.readable_features import ReadableFeature, ReadableFeatures
from explain_distill.exceptions import DataError
from explain_distill.metrics.scores import probabilities_of_score, score_of_probabilities


class Batch(NamedTuple):
    """What a student learns in one step; a plain tuple of rows and labels serves as well.

    Attributes
    ----------
    rows : ndarray of shape (n, n_readable)
    labels : ndarray of shape (n, n_classes) or (n,)
        Soft labels, or values.
    weights : ndarray of shape (n,), optional
        What each row counts.
    pairs : ndarray of shape (n_pairs,), optional
        Rows 0 and 1, 2 and 3, … are pairs, so many as this has weights: besides each row's error,
        the difference of the two errors counts.
    hints : ndarray of shape (n, n_hints), optional
        What an inner layer of the teacher says of the rows, to be learned in place of the labels.
    """

    rows: ReadableRows
    labels: SoftLabels
    weights: FloatArray | None = None
    pairs: FloatArray | None = None
    hints: FloatArray | None = None


OnStep: TypeAlias = Callable[[int, int, float, float], None]
"""Called with the step, the number of steps, the loss, and the fidelity so far: the score R², or of
hard labels the accuracy, or what their loss leaves of 1."""


def _classifies(student: Student) -> bool:
    return student.task == "classification"


class Student(BaseEstimator):  # type: ignore[misc]
    """Base of all students.

    A subclass has `_fit_labels`, `predict_score`, `complexity`, `rules`, and reads and writes its
    arrays. Its parameters include `task`, `temperature` and `random_state`. It may besides learn
    from a stream (``fit_stream(batches, on_step)``) or by asking (``fit_oracle(oracle, on_step)``,
    see `explain_distill.students.oracle`); `distill` prefers either to `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classification only.
    n_features_in_ : int
    """

    NAME: ClassVar[str]
    """The name on the command line and in a study's folder."""

    SIZE_UNIT: ClassVar[str] = ""
    """What `with_size` counts, in the plural, such as ``"leaves"``; empty without sizes."""

    LARGEST_VALUE: ClassVar[float] = 1e18
    """That is learned: single precision, in which most students learn, holds its square."""

    RANGES: ClassVar[dict[str, Range]] = {"temperature": Range(0, without_low=True)}
    """The numbers that parameters may be, checked before anything is learned."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"task": get_args(TaskKind)}
    """The words that parameters may be."""

    task: TaskKind
    temperature: float
    random_state: Any

    # -- what a subclass says ---------------------------------------------------------------------

    @classmethod
    def get_ready(cls) -> None:
        """Do what is done once on a machine, such as compiling, before a fit is timed."""

    @classmethod
    def check_installed(cls) -> None:
        """Refuse, before anything is trained, where an optional package is not installed.

        Raises
        ------
        MissingDependencyError
        """

    def _fit_labels(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> None:
        """Learn labels ``(n, n_scores)``: probabilities, or values as one column."""
        raise TypeError(f"{type(self).__name__} does not say how it learns.")

    def predict_score(self, X: ReadableRows) -> Scores:
        """Score rows ``(n_samples, n_readable)`` as ``(n_samples, n_scores)``."""
        raise TypeError(f"{type(self).__name__} does not say how it scores.")

    def complexity(self) -> dict[str, float]:
        """Give the student's size in numbers: leaves, depth, parameters, features per split."""
        return {}

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy of another size, counted in `SIZE_UNIT`.

        Raises
        ------
        DataError
            Where there is no such size.
        """
        raise DataError(
            f"A student must say what its size is to be made in several; however, {self.NAME!r} "
            "does not. Leave it out, or give no sizes."
        )

    def largest_size(self, n_features: int) -> int | None:
        """Give the largest size there is of so many readable features; None for any."""
        return None

    def rules(self) -> list[str]:
        """Say the student in words, in raw units."""
        return []

    def gradient_model(self) -> GradientModel | None:
        """Give the score as a differentiable function, for students that have gradients."""
        return None

    def write(self, folder: Path) -> Json:
        """Write the arrays into `folder`, return what config.json must hold besides."""
        raise TypeError(f"{type(self).__name__} cannot be written to a folder.")

    def read(self, folder: Path, config: Json) -> None:
        """Read what `write` wrote."""
        raise TypeError(f"{type(self).__name__} cannot be read from a folder.")

    # -- scikit-learn's side ----------------------------------------------------------------------

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, on_step: OnStep | None = None
    ) -> Student:
        """Learn rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_readable)
            Raw units, NaN for missing.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Hard labels, values, or soft labels whose rows sum to 1.
        sample_weight : array-like of shape (n_samples,), optional
            A weight of 2 counts as the row twice. Weights far below 1 in all rows count as few
            rows: a student that needs a number of rows in each leaf then grows fewer leaves.
        on_step : callable, optional
            Called with step, number of steps, loss and fidelity (score R²) so far.

        Returns
        -------
        Student
            Itself.

        Raises
        ------
        ValueError
            Where labels and task do not fit together.
        """
        with self._learning():
            X, y = validate_data(
                self,
                X,
                y,
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                multi_output=True,
                y_numeric=self.task == "regression",
            )
            labels = self._checked_labels(y)
            weights = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            kept = weights > 0
            self._fit_labels(X[kept], labels[kept], weights[kept], on_step)
        return self

    @contextmanager
    def _learning(self) -> Iterator[None]:
        """Forget what was learned before; where this learning fails, leave nothing half learned."""
        self._forget()
        self.check_parameters()
        try:
            yield
        except BaseException:
            self._forget()
            raise

    def _sized(self, **parameters: Any) -> Self:
        """Give an unfitted copy with other parameters, if it may have them."""
        sized = clone(self).set_params(**parameters)
        sized.check_parameters()
        return sized

    def check_parameters(self) -> None:
        """Refuse parameters that a student of its kind cannot have.

        Raises
        ------
        DataError, UnknownNameError
        """
        parameters = self.get_params(deep=False)
        check_ranges(parameters, self.RANGES)
        check_choices(parameters, self.CHOICES)

    def _forget(self) -> None:
        kept = ("schema_", "class_names_")
        for name in [name for name in vars(self) if name.endswith("_") and name not in kept]:
            delattr(self, name)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether anything was learned or read; names alone are not."""
        return hasattr(self, "n_features_in_")

    def predict(self, X: Any) -> np.ndarray:
        """Give classes ``(n_samples,)``, or values for regression."""
        score = self.predict_score(X)
        if self.task == "regression":
            return score[:, 0]
        return np.asarray(self.classes_[score.argmax(axis=1)])

    @available_if(_classifies)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Probabilities:
        """Give the probability of each class: ``(n_samples, n_classes)``."""
        return probabilities_of_score(self.predict_score(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give the accuracy, or R² for regression, as scikit-learn's estimators do."""
        measure = accuracy_score if self.task == "classification" else r2_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        if self.task == "classification":
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags

    def _checked_rows(self, X: Any) -> ReadableRows:
        if self._needs_no_check(X):
            return np.asarray(X)
        check_is_fitted(self)
        return np.asarray(
            validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        )

    def _needs_no_check(self, X: Any) -> bool:
        """Whether rows are plainly as they must be, which for one row is far quicker to see."""
        return (
            type(X) is np.ndarray
            and X.dtype == np.float64
            and X.ndim == 2
            and len(X) > 0
            and X.shape[1] == getattr(self, "n_features_in_", None)
            and not hasattr(self, "feature_names_in_")
            and not np.isinf(X).any()
        )

    def _checked_labels(self, y: np.ndarray) -> FloatArray:
        """Bring labels to ``(n, n_scores)`` and set `classes_`."""
        if y.ndim == 2 and y.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected; it is flattened.",
                DataConversionWarning,
                stacklevel=3,
            )
            y = column_or_1d(y)
        if self.task == "regression":
            if y.ndim == 2:
                raise DataError(
                    f"A regressor learns one value a row; however, y has {y.shape[1]} columns. "
                    "Pass them one by one, or set task='classification' for soft labels."
                )
            values = np.asarray(y, dtype=np.float64).reshape(len(y), 1)
            check_size(values, self.LARGEST_VALUE)
            return values
        if y.ndim == 2:
            self.classes_ = np.arange(y.shape[1])
            return checked_distribution(y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "A classifier needs at least two classes in y; however, y holds one class, "
                f"{self.classes_[0]!r}."
            )
        return np.asarray(np.eye(len(self.classes_))[codes])

    # -- names ------------------------------------------------------------------------------------

    def set_names(self, schema: Schema, class_names: Sequence[str]) -> Student:
        """Tell the student its raw columns and classes, so that it says itself with names."""
        self.schema_, self.class_names_ = schema, tuple(class_names)
        return self

    def readable_features(self) -> tuple[ReadableFeature, ...]:
        """Give the readable features; ``x0, x1, …`` for a student that was told no names."""
        if hasattr(self, "schema_"):
            told = ReadableFeatures(self.schema_).features
            if len(told) == getattr(self, "n_features_in_", len(told)):
                return told  # else they are those of another table
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        return tuple(ReadableFeature(str(name), i) for i, name in enumerate(names))

    def class_names(self) -> list[str]:
        """Give the classes as text; one empty name for regression."""
        if self.task == "regression":
            return [""]
        told = getattr(self, "class_names_", self.classes_)
        return [str(name) for name in (told if len(told) == len(self.classes_) else self.classes_)]

    def _rng(self) -> np.random.Generator:
        """Make a generator of `random_state`: None, an int, or one of numpy's two kinds."""
        if isinstance(self.random_state, np.random.Generator):
            return self.random_state
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))


def checked_distribution(y: np.ndarray) -> FloatArray:
    """Check soft labels: not negative, rows summing to 1.

    Raises
    ------
    DataError
    """
    labels = np.asarray(y, dtype=np.float64)
    fine = (labels >= 0).all(axis=1) & (np.abs(labels.sum(axis=1) - 1) <= 1e-6)  # NaN is not
    if not fine.all():
        row = int(np.argmin(fine))
        raise DataError(
            "Soft labels must be probabilities, each row summing to 1; however, row "
            f"{row} is {np.array2string(labels[row], precision=3)}. Pass probabilities, not scores."
        )
    return labels


def check_size(values: FloatArray, largest: float) -> None:
    """Refuse values that are larger than a student can learn.

    Raises
    ------
    DataError
    """
    if np.abs(values).max(initial=0.0) > largest:
        raise DataError(
            f"Values to learn must be within ±{largest:.0e}; however, one is "
            f"{values.flat[np.abs(values).argmax()]:.4g}. Give them in larger units."
        )


def is_hard(labels: FloatArray) -> np.ndarray:
    """Say which rows are hard labels: those that hold an exact 0."""
    return np.asarray((labels == 0).any(axis=1))


def soft_scores(labels: FloatArray) -> Scores:
    """Give the scores of soft labels without a zero, however small they are."""
    return score_of_probabilities(labels, smallest=1e-300)


def first_batches(
    batches: Iterable[tuple[Any, ...]], n: int
) -> tuple[list[Batch], Iterator[Batch]]:
    """Take the first `n` batches, and give the iterator of those that follow."""
    following = (Batch(*batch) for batch in batches)
    return [batch for _, batch in zip(range(n), following, strict=False)], following
