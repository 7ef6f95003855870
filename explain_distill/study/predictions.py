"""Predictions of a kept student for the rows of a file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from explain_distill._types import Scores
from explain_distill.attribution.own import score_rows
from explain_distill.data.dataset import Task
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.data.readers import read_rows
from explain_distill.exceptions import DataError, OutputError, StudyFormatError, UnknownNameError
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.study.output import check_new_file, write_whole
from explain_distill.study.study import Study

SUFFIXES = (".csv", ".parquet")


def predictions(study: Study, model: str, path: Path) -> pd.DataFrame:
    """Predict the rows of a file.

    Parameters
    ----------
    study : Study
    model : str
        A student's name, or ``"teacher"``.
    path : Path
        CSV or Parquet, with the columns that training had, in any order.

    Returns
    -------
    DataFrame
        The file's columns, then ``"MODEL prediction"`` and, for classes,
        ``"MODEL probability of CLASS"``.

    Raises
    ------
    UnknownNameError, StudyFormatError, DataError
    """
    if model not in study.comparison.models:
        raise UnknownNameError.of("The student", model, study.comparison.models)
    predictor = study.comparison.teacher if model == "teacher" else study.students[model]
    if predictor is None:
        raise StudyFormatError(
            "The teacher must be kept in the study's folder to predict; however, it is a foreign "
            "model, which is not. Name a student."
        )
    rows, table = read_rows(path, study.about.schema)
    score = score_rows(predictor, rows, ReadableFeatures(study.about.schema))
    columns = pd.DataFrame(_prediction_columns(model, score, study.about.task), index=table.index)
    taken = [name for name in columns if name in table.columns]
    if taken:
        raise DataError(
            f"'{path.name}' must not hold the columns of the predictions; however, it holds "
            f"{taken[0]!r}. Rename or remove them."
        )
    return pd.concat([table, columns], axis=1)


def _prediction_columns(model: str, score: Scores, task: Task) -> dict[str, np.ndarray]:
    if task.kind == "regression":
        return {f"{model} prediction": score[:, 0]}
    words = np.asarray(task.class_names, dtype=object)[score.argmax(axis=1)]
    columns = {f"{model} prediction": words}
    probabilities = probabilities_of_score(score)
    for code, name in enumerate(task.class_names):
        columns[f"{model} probability of {name}"] = probabilities[:, code]
    return columns


def check_file(path: Path) -> None:
    """Refuse an output file that is there already, or of another form.

    Raises
    ------
    OutputError
    """
    if path.suffix not in SUFFIXES:
        raise OutputError(
            f"The output must be a .csv or .parquet file; however, got '{path.name}'. "
            "Rename it in --out."
        )
    check_new_file(path)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table, whole or not at all."""
    content = io.BytesIO()
    if path.suffix == ".parquet":
        table.to_parquet(content, index=False)
    else:
        table.to_csv(content, index=False)
    write_whole(path, content.getvalue())
