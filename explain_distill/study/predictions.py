"""Predictions of a kept student for the rows of a file.

Rows are read, predicted and written in blocks. A first pass keeps what is predicted in a file that
nobody sees, so that nothing is written of a file that cannot be read to its end, and columns that
depend on all rows are known before the first is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pandas as pd

from explain_distill._types import Rows, Scores
from explain_distill.attribution.own import Model, score_rows
from explain_distill.data.chemical_features import forgotten
from explain_distill.data.dataset import Task
from explain_distill.data.files import cell_blocks, of_length
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.data.rows_to_predict import RowsToPredict, read_rows
from explain_distill.exceptions import DataError, OutputError, StudyFormatError, UnknownNameError
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.study.output import check_new_file, whole_file
from explain_distill.study.study import Study
from explain_distill.teachers.base import Teacher

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".parquet")
WHY_NOT = "not predicted because"
"""The column that says why a row has no prediction; it is there where one has none."""

Blocks = Iterator[tuple[pd.DataFrame, "pa.Schema"]]
ROW_GROUP = 20_000  # rows of a Parquet file that are written together


def predict_file(study: Study, model: str, path: Path, out: Path) -> int:
    """Predict the rows of a file, and write them with the predictions beside them.

    What is written are the file's columns, then ``"MODEL prediction"`` and, for classes, ``"MODEL
    probability of CLASS"``. Rows that hold no molecule have no prediction: where there are such,
    the last column is ``"not predicted because"``.

    Parameters
    ----------
    study : Study
    model : str
        A student's name, or ``"teacher"``.
    path : Path
        CSV or Parquet, with the columns that training had, in any order.
    out : Path
        A new ``.csv`` or ``.parquet`` file, which appears whole or not at all.

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    UnknownNameError, StudyFormatError, DataError, OutputError
    """
    check_file(out)
    predictor = _predictor(study, model)
    with tempfile.TemporaryFile() as kept:
        found = _predict(study, model, predictor, path, kept)
        with whole_file(out) as file:
            write = _write_parquet if out.suffix == ".parquet" else _write_csv
            write(file, _written_blocks(path, kept, found), found)
    return found.n_rows


def _predictor(study: Study, model: str) -> Model:
    if model not in study.comparison.models:
        raise UnknownNameError.of("The student", model, study.comparison.models)
    predictor = study.comparison.teacher if model == "teacher" else study.students[model]
    if predictor is None:
        raise StudyFormatError(
            "The teacher must be kept in the study's folder to predict; however, it is a foreign "
            "model, which is not. Name a student."
        )
    return predictor


@dataclass
class _Found:
    """What is known of the columns once all rows were read."""

    n_rows: int = 0
    n_refused: int = 0
    with_time: set[str] = field(default_factory=set)

    def add(self, block: RowsToPredict) -> None:
        """Count rows, and note which columns of dates have a time of day."""
        self.n_rows += len(block.table)
        self.n_refused += len(block.refused)
        for name, values in block.table.items():
            if values.dtype.kind == "M":
                filled = values.dropna()
                if (filled != filled.dt.normalize()).any():
                    self.with_time.add(str(name))


def _predict(study: Study, model: str, predictor: Model, path: Path, kept: BinaryIO) -> _Found:
    """Predict all rows, block by block, and keep what is predicted as Arrow writes it."""
    import pyarrow as pa

    found, sink = _Found(), None
    features = ReadableFeatures(study.about.schema)
    try:
        for block in read_rows(path, study.about.schema):
            found.add(block)
            score = _scores(predictor, block.rows, features, study.about.task.n_scores)
            columns = _prediction_columns(model, score, study.about.task, block)
            _refuse_taken(block, columns, path)
            batch = pa.RecordBatch.from_pandas(columns, preserve_index=False)
            sink = sink or pa.ipc.new_stream(kept, batch.schema)
            sink.write_batch(batch)
    finally:
        if sink is not None:
            sink.close()
    return found


def _scores(predictor: Model, rows: Rows, features: ReadableFeatures, n_scores: int) -> Scores:
    """Score rows, and keep nothing that depends on how many there were before."""
    if not len(rows):
        return np.empty((0, n_scores))
    with forgotten(), predictor.forgetful() if isinstance(predictor, Teacher) else nullcontext():
        return score_rows(predictor, rows, features)


def _prediction_columns(
    model: str, score: Scores, task: Task, block: RowsToPredict
) -> pd.DataFrame:
    """Give the columns that are added to a block, the reason why a row has no prediction last."""
    if task.kind == "regression":
        columns = {f"{model} prediction": score[:, 0]}
    else:
        words = np.asarray(task.class_names, dtype=object)[score.argmax(axis=1)]
        columns = {f"{model} prediction": pd.array(words, dtype="str")}
        probabilities = probabilities_of_score(score)
        for code, name in enumerate(task.class_names):
            columns[f"{model} probability of {name}"] = probabilities[:, code]
    index = block.table.index
    predicted = pd.DataFrame(columns, index=index.drop(list(block.refused))).reindex(index)
    return predicted.assign(**{WHY_NOT: pd.Series(block.refused, index=index, dtype="str")})


def _refuse_taken(block: RowsToPredict, columns: pd.DataFrame, path: Path) -> None:
    """Refuse a file that has a column of the predictions already."""
    added = [name for name in columns if name != WHY_NOT or block.refused]
    taken = [name for name in added if name in block.table.columns]
    if taken:
        raise DataError(
            f"'{path.name}' must not hold the columns of the predictions; however, it holds "
            f"{taken[0]!r}. Rename or remove them."
        )


def _written_blocks(
    path: Path, kept: BinaryIO, found: _Found
) -> Iterator[tuple[pd.DataFrame, pa.Schema]]:
    """Give the file's cells with what was predicted beside them, and the types of all columns."""
    import pyarrow as pa

    kept.seek(0)
    with pa.ipc.open_stream(kept) as predicted:
        for (table, types), batch in zip(cell_blocks(path), predicted, strict=True):
            added = batch if found.n_refused else batch.drop_columns([WHY_NOT])
            beside = added.to_pandas(ignore_metadata=True).set_index(table.index)
            fields = [pa.field(each.name, each.type) for each in (*types, *added.schema)]
            yield pd.concat([table, beside], axis=1), pa.schema(fields)


def _write_csv(file: BinaryIO, blocks: Blocks, found: _Found) -> None:
    for place, (table, _) in enumerate(blocks):
        text = table.apply(_times_as_text, with_time=found.with_time)
        file.write(text.to_csv(index=False, header=place == 0).encode())


def _times_as_text(values: pd.Series, with_time: set[str]) -> pd.Series:
    """Write dates and durations as text, which pandas else does as the block's finest needs."""
    if values.dtype.kind == "M" and values.name not in with_time:
        return values.dt.strftime("%Y-%m-%d")
    return values.map(str, na_action="ignore") if values.dtype.kind in "mM" else values


def _write_parquet(file: BinaryIO, blocks: Blocks, found: _Found) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = (pa.Table.from_pandas(table, types, preserve_index=False) for table, types in blocks)
    writer = None
    try:
        for table in of_length(tables, ROW_GROUP):
            whole = table.replace_schema_metadata(None).combine_chunks()
            writer = writer or pq.ParquetWriter(file, whole.schema)
            writer.write_table(whole, ROW_GROUP)
    finally:
        if writer is not None:
            writer.close()


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
