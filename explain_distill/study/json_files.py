"""The JSON files of a study, and what is said where one of its files is missing or altered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from explain_distill._types import Json
from explain_distill.exceptions import StudyFormatError

FORMAT = 2
"""Of a study's folder; see `explain_distill.study.folder` for when it is raised."""

RESULTS_FORMAT = 1
"""Of results.json, on which people's programs rely."""


def write_json(path: Path, value: Json) -> None:
    """Write a JSON object for machines and people."""
    path.write_text(
        json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def read_json(path: Path, expected: int = FORMAT) -> Json:
    """Read a JSON object that has the expected format number.

    Raises
    ------
    StudyFormatError
    """
    with told_as_format_error(path):
        value = json.loads(path.read_text(encoding="utf-8"))
        number = value.get("format")
    if number != expected:
        raise StudyFormatError(
            f"'{path}' must have format {expected}; however, it has {number!r}. Open it with the "
            "version of explain-distill that wrote it, or run the study again."
        )
    return dict(value)


@contextmanager
def told_as_format_error(path: Path) -> Iterator[None]:
    """Say which file of a study is missing or altered."""
    from safetensors import SafetensorError

    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StudyFormatError(
            f"A study must be whole; however, '{path}' is missing. Copy the whole folder again, or "
            "run the study again."
        ) from error
    except (
        *(ValueError, KeyError, TypeError, AttributeError, RuntimeError, OSError, IndexError),
        *(ArithmeticError, MemoryError, pa.ArrowException, SafetensorError),
    ) as error:
        detail = str(error).strip().partition("\n")[0][:160] or type(error).__name__
        raise StudyFormatError(
            f"A study's files must be as they were written; however, '{path}' cannot be read "
            f"({detail}). Copy the folder again, or run the study again."
        ) from error
