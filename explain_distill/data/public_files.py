"""Files that lie at a public address: looked for on this machine, else fetched once and checked."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from explain_distill.exceptions import DataError

FOLDER_VARIABLE = "EXPLAIN_DISTILL_DATA"
"""The environment variable that names a folder to look into before anything is fetched."""

TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class PublicFile:
    """A file at a public address, known by its fingerprint.

    Parameters
    ----------
    path : str
        Where it lies in the folder that `FOLDER_VARIABLE` names, there perhaps with a further
        ``.gz``, and in the cache.
    url : str
    sha256 : str
        Of the bytes before any ``.gz``, in hexadecimal digits.
    fetched_hash : str, optional
        Where the address holds other bytes that serve as well: what pooch checks them by.
    """

    path: str
    url: str
    sha256: str
    fetched_hash: str | None = None


def locate(file: PublicFile) -> Path:
    """Give the path of a public file on this machine; fetch it where it is not there yet.

    The folder named by the environment variable ``EXPLAIN_DISTILL_DATA`` comes first, the user's
    cache second, the file's address last.

    Parameters
    ----------
    file : PublicFile

    Returns
    -------
    Path
        Of a file whose SHA-256 is the known one.

    Raises
    ------
    DataError
        Where the file is not there and cannot be fetched, or is not the file that is meant.
    """
    here = find(file)
    if here is None:
        return _fetch(file)
    _check_fingerprint(here, file)
    return here


def find(file: PublicFile) -> Path | None:
    """Give the path of a public file in the folder of files, or None where it is not there."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return None
    places = (Path(folder) / f"{file.path}{ending}" for ending in ("", ".gz"))
    return next((place for place in places if place.is_file()), None)


def _check_fingerprint(path: Path, file: PublicFile) -> None:
    found = hashlib.sha256(_content(path, file)).hexdigest()
    if found != file.sha256:
        raise DataError(
            f"'{path}' must be the file of {file.url} (SHA-256 {file.sha256[:12]}…); however, its "
            f"SHA-256 is {found[:12]}…. Replace it with that file, or remove it."
        )


def _content(path: Path, file: PublicFile) -> bytes:
    """Give a file's bytes, unpacked where it is the gzipped form of what is meant."""
    content = path.read_bytes()
    if path.name == PurePosixPath(file.path).name:
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"'{path}' must be the gzipped file of {file.url}; however, it cannot be unpacked. "
            "Replace it with that file, or remove it."
        ) from error


def _fetch(file: PublicFile) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    inner = PurePosixPath(file.path)
    try:
        return Path(
            pooch.retrieve(
                file.url,
                known_hash=file.fetched_hash or f"sha256:{file.sha256}",
                fname=inner.name,
                path=Path(pooch.os_cache("explain-distill")) / inner.parent,
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS),
            )
        )
    except (OSError, ValueError) as error:
        # pooch raises ValueError where the bytes that came have another fingerprint.
        why = "other bytes came" if type(error) is ValueError else type(error).__name__
        raise DataError(
            f"The file {file.path} must be on this machine or at its address; however, it is not "
            f"here and could not be fetched ({why}). Get it from {file.url} and put it at "
            f"{file.path} in a folder named by the environment variable {FOLDER_VARIABLE}."
        ) from error
