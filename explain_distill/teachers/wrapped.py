"""Any fitted object with `predict_proba` or `predict`, as a teacher."""

from __future__ import annotations

from typing import Any

import numpy as np

from explain_distill._arrays import in_blocks
from explain_distill._types import FloatArray, Rows, Scores
from explain_distill.data.dataset import Dataset, Task, check_dataset
from explain_distill.data.features import Schema
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.exceptions import DataError
from explain_distill.metrics.scores import score_of_probabilities
from explain_distill.teachers.base import Teacher

CHUNK = 65_536  # rows a call
SLACK = 1e-3  # by which rows of probabilities may miss 1, in single precision, say


class WrappedTeacher(Teacher):
    """A fitted model of another library, asked for its probabilities or values.

    The model gets what it was fitted on, judged by what it says of itself: a table with the
    original columns where it has `feature_names_in_`; else the readable features where its
    `n_features_in_` equals their number and not that of the raw columns; else the raw columns with
    categories as codes. The table holds cells as `Dataset.frame` gives them: text without blanks
    around it, and no categories of pandas.

    Parameters
    ----------
    model : object
        Fitted, with `predict_proba` (classification) or `predict` (regression).
    data : Dataset
        Rows of the table that the model was fitted on; their columns and task are taken.

    Raises
    ------
    DataError
        Where the model's classes or features are not those of the data.
    """

    def __init__(self, model: Any, data: Dataset) -> None:
        self.model = model
        self.task: Task = data.task
        self.schema: Schema = data.schema
        self._readable = ReadableFeatures(data.schema)
        method = "predict_proba" if self.task.kind == "classification" else "predict"
        if not hasattr(model, method):
            raise DataError(
                f"A teacher for {self.task.kind} must have {method!r}; however, "
                f"{type(model).__name__} has none. Wrap it in an object that has."
            )
        self._class_order = self._order_of_classes()

    def predict_score(self, X: Rows) -> Scores:
        """Score rows ``(n_samples, n_columns)`` as ``(n_samples, n_scores)``."""
        return in_blocks(self._score_chunk, np.asarray(X, dtype=np.float64), CHUNK)

    def describe(self) -> str:
        """Say in one phrase what the teacher is."""
        return f"a fitted {type(self.model).__name__}"

    def _score_chunk(self, X: Rows) -> Scores:
        rows = self._as_fitted(X)
        classify = self.task.kind == "classification"
        ask = self.model.predict_proba if classify else self.model.predict
        try:
            told = np.asarray(ask(rows), dtype=np.float64)
        except DataError:
            raise
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise DataError(
                f"A teacher must score rows of the data; however, {type(self.model).__name__} "
                f"fails on them: {reason[:160].rstrip('.')}. Fit it on `data.frame()`, `data.X` or "
                "`data.readable()`, or wrap it in an object that prepares them."
            ) from error
        if not classify:
            if told.size != len(X):
                raise DataError(
                    f"A teacher must give one value a row; however, {type(self.model).__name__} "
                    f"gives {told.shape} for {len(X)} rows. Wrap it in an object that gives one."
                )
            return told.reshape(-1, 1)
        self._check_probabilities(told, len(X))
        return score_of_probabilities(told[:, self._class_order])

    def _check_probabilities(self, told: FloatArray, n_rows: int) -> None:
        """Refuse what is no distribution over the classes; rows without a number are told later.

        Raises
        ------
        DataError
        """
        name, wanted = type(self.model).__name__, (n_rows, self.task.n_scores)
        if told.shape != wanted:
            raise DataError(
                f"A teacher's predict_proba must give one column a class, {wanted}; however, "
                f"{name} gives {told.shape}. Fit it on all {wanted[1]} classes."
            )
        lowest, sums = told.min(axis=1), told.sum(axis=1)
        wrong = (lowest < -SLACK) | (np.abs(sums - 1) > SLACK)
        if wrong.any():
            shown = np.array2string(told[int(np.argmax(wrong))], precision=4, threshold=6)
            raise DataError(
                "A teacher's predict_proba must give probabilities, each row summing to 1; "
                f"however, {name} gives {shown} to a row. Divide percentages by 100, and turn "
                "scores into probabilities."
            )

    def _as_fitted(self, X: Rows) -> Any:
        names = getattr(self.model, "feature_names_in_", None)
        if self.schema.molecules is not None:
            expected = getattr(self.model, "n_features_in_", None)
            if expected is None or list(names if names is not None else ()) == [
                self.schema.molecules
            ]:
                return self.schema.decode(X)
            if expected == len(self.schema):
                raise DataError(
                    "A teacher of molecules must not be fitted on `data.X`, whose cells are "
                    f"numbers of molecules; however, {type(self.model).__name__} was. Fit it on "
                    "`data.frame()` or `data.readable()`."
                )
        if names is not None and set(names) <= set(self.schema.names):
            return self.schema.decode(X)[list(names)]
        expected = getattr(self.model, "n_features_in_", len(self.schema))
        if expected == len(self.schema) and names is None:
            return X
        readable = self._readable.transform(X)
        if names is not None and set(names) <= set(self._readable.names):
            import pandas as pd

            return pd.DataFrame(readable, columns=self._readable.names)[list(names)]
        if names is None and expected == readable.shape[1]:
            return readable
        unknown = "" if names is None else ", whose names are not all among the data's,"
        raise DataError(
            f"The teacher must have been fitted on the data's columns; however, "
            f"{type(self.model).__name__} expects {expected} features{unknown} and the data have "
            f"{len(self.schema)} columns ({readable.shape[1]} readable features). "
            "Fit it on `data.X`, `data.frame()` or `data.readable()`."
        )

    def _order_of_classes(self) -> list[int]:
        """Find the model's column of each class, matched by code or by name."""
        known = getattr(self.model, "classes_", None)
        n_classes = self.task.n_scores
        if self.task.kind == "regression" or known is None:
            return list(range(n_classes))
        given = list(known)
        if set(given) == set(range(n_classes)):  # 0.0 and False are codes, too
            return [given.index(code) for code in range(n_classes)]
        words = [str(name) for name in given]
        if set(words) == set(self.task.class_names):
            return [words.index(name) for name in self.task.class_names]
        raise DataError(
            f"The teacher's classes must be those of the data ({', '.join(self.task.class_names)});"
            f" however, it has {', '.join(map(str, known))}. Fit it on `data.y`."
        )


def as_teacher(model: Any, data: Dataset) -> Teacher:
    """Give a `Teacher` as it is, and wrap any other fitted model.

    Raises
    ------
    DataError
        Where the teacher is of another table.
    """
    check_dataset(data)
    if not isinstance(model, Teacher):
        return WrappedTeacher(model, data)
    if not hasattr(model, "task"):
        raise DataError(
            f"The teacher must be fitted; however, {type(model).__name__} was not. Call its fit on "
            f"the training rows of {data.name!r} first."
        )
    schema = getattr(model, "schema", data.schema)
    if model.task != data.task or schema != data.schema:
        raise DataError(
            f"The teacher must be of the same table as the data, {data.name!r}; however, its "
            "target or its columns are others. Fit a teacher on these data."
        )
    return model
