"""Folders and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from explain_distill.exceptions import OutputError

RENAME_EXCHANGE = 2  # of Linux's renameat2: swap two paths in one step
AT_FDCWD = -100
MARK = "study.json"
OURS = frozenset(
    {
        MARK,
        "results.json",
        "teacher",
        "retrained",
        "students",
        "repeats",
        "data",
        "scores.parquet",
        "trust.json",
        "attributions",
    }
)


def check_output(folder: Path, force: bool) -> None:
    """Refuse an output folder that cannot be written, before anything is computed.

    Raises
    ------
    OutputError
        Where something is there already and `force` is not given, where what is there is no study,
        or where the parent folder is not writable.
    """
    if folder.exists() or folder.is_symlink():
        if not folder.is_dir():
            raise OutputError(
                f"The output must be a folder; however, '{folder}' is a file. Name another --out."
            )
        if os.path.ismount(folder):
            raise OutputError(
                f"The output must be a folder that can be replaced; however, '{folder}' is a mount "
                "point. Name a folder in it."
            )
        empty = not any(folder.iterdir())
        if not empty and not (folder / MARK).is_file():
            raise OutputError(
                f"The output must be a new folder or an earlier study; however, '{folder}' holds "
                "other files. Name another --out."
            )
        foreign = sorted(path.name for path in folder.iterdir() if not _is_ours(path.name))
        if foreign:
            raise OutputError(
                f"The output must hold an earlier study alone; however, '{folder}' also holds "
                f"'{foreign[0]}', which would be lost. Move it, or name another --out."
            )
        if not empty and not force:
            raise OutputError(
                f"The output must be a new folder; however, '{folder}' holds a study. Name another "
                "--out, or replace it with --force (in Python: force=True)."
            )
    parent = _nearest_parent(folder)
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"The output must be writable; however, '{parent}' is not. Name another --out, or "
            "change its permissions."
        )


def check_new_file(path: Path) -> None:
    """Refuse an output file that is there already, or whose folder is not.

    Raises
    ------
    OutputError
    """
    if not path.parent.is_dir():
        raise OutputError(
            f"The output must be in a folder that exists; however, there is no '{path.parent}'. "
            "Make it, or name another --out."
        )
    if path.exists():
        raise OutputError(
            f"The output must be a new file; however, '{path}' exists. Name another --out."
        )


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder beside `folder`, which takes its place once it is filled.

    An error or an interrupt leaves `folder` as it was. On Linux the two are swapped in one step.

    Raises
    ------
    OutputError
        Where the folder cannot be written, because the disk is full, say.
    """
    folder = folder.resolve()
    with told_as_output_error(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(
            tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent)
        )
    try:
        with told_as_output_error(folder):
            part.chmod(0o777 & ~_umask())
            yield part
            _settle(part)
            _take_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises
    ------
    OutputError
    """
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a new file beside `path`, which takes its place once it is written.

    An error or an interrupt leaves nothing behind.

    Raises
    ------
    OutputError
        Where the file cannot be written, because the disk is full, say.
    """
    with told_as_output_error(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def told_as_output_error(path: Path) -> Iterator[None]:
    """Say which output could not be written, and why."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"The output must be writable; however, '{path}' could not be written: "
            f"{reason.lower()}. Free some space or name another output; what was there is "
            "unchanged."
        ) from error


def _take_place(part: Path, folder: Path) -> None:
    """Put `part` where `folder` is or is to be; afterwards `part` holds what was there, if any."""
    if not folder.exists():
        part.rename(folder)
    elif not _exchange(part, folder):
        aside = part.with_suffix(".old")
        folder.rename(aside)
        try:
            part.rename(folder)
        except BaseException:
            aside.rename(folder)
            raise
        aside.rename(part)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(rename(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0)


def _is_ours(name: str) -> bool:
    return name in OURS or name.startswith("report.")


def _settle(folder: Path) -> None:
    """Have the disk hold the files before their folder takes its place."""
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _nearest_parent(folder: Path) -> Path:
    return next(parent for parent in folder.absolute().parents if parent.exists())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
