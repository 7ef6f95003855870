"""Grey images in flat rows: each column is a pixel, row by row from the top left."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from explain_distill._arrays import is_count
from explain_distill._types import IntArray
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema
from explain_distill.data.public_files import PublicFile, locate
from explain_distill.exceptions import DataError, UnknownNameError

SMALLEST_SIDE = 4
IDX_BYTES = 0x08  # the type of an IDX file that holds bytes


@dataclass(frozen=True)
class ImageFiles:
    """A public set of images in IDX files, as LeCun, Cortes & Burges (1998) wrote MNIST.

    Parameters
    ----------
    target : str
        What the classes are.
    class_names : tuple of str
    train_images, train_labels, test_images, test_labels : PublicFile
    """

    target: str
    class_names: tuple[str, ...]
    train_images: PublicFile
    train_labels: PublicFile
    test_images: PublicFile
    test_labels: PublicFile


MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"

IMAGE_SETS = {
    "mnist": ImageFiles(
        "digit",
        tuple("0123456789"),
        PublicFile(
            "mnist/train-images-idx3-ubyte.gz",
            f"{MNIST}/train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        PublicFile(
            "mnist/train-labels-idx1-ubyte.gz",
            f"{MNIST}/train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        PublicFile(
            "mnist/t10k-images-idx3-ubyte.gz",
            f"{MNIST}/t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        PublicFile(
            "mnist/t10k-labels-idx1-ubyte.gz",
            f"{MNIST}/t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
}


def load_images(name: str) -> tuple[Dataset, Dataset]:
    """Load a public set of images, in the split that everyone uses.

    Parameters
    ----------
    name : str
        One of `IMAGE_SETS`: ``"mnist"``.

    Returns
    -------
    train, test : Dataset
        Each column the intensity of a pixel, from 0 to 255; pixels that never vary are kept.

    Raises
    ------
    UnknownNameError
        Where there is no such set.
    DataError
        Where a file is neither on this machine nor within reach.
    """
    if name not in IMAGE_SETS:
        raise UnknownNameError.of("The set of images", name, IMAGE_SETS)
    files = IMAGE_SETS[name]
    train = image_dataset(
        name,
        read_idx(locate(files.train_images)),
        read_idx(locate(files.train_labels)),
        Task("classification", files.target, files.class_names),
    )
    test = image_dataset(
        name,
        read_idx(locate(files.test_images)),
        read_idx(locate(files.test_labels)),
        train.task,
    )
    return train, replace(test, background=train.X)


def image_dataset(name: str, images: np.ndarray, labels: np.ndarray, task: Task) -> Dataset:
    """Build a data set of images ``(n_images, height, width)`` and class codes ``(n_images,)``."""
    height, width = images.shape[1:]
    pixels = (
        Feature(f"pixel row {row}, column {column}")
        for row in range(1, height + 1)
        for column in range(1, width + 1)
    )
    return Dataset(
        name,
        images.reshape(len(images), -1).astype(np.float64),
        labels.astype(np.int64),
        Schema(tuple(pixels)),
        task,
        notes=("Rows and columns of pixels are counted from 1 at the top left.",),
    )


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of bytes: ``(n,)`` labels or ``(n, height, width)`` images.

    Raises
    ------
    DataError
        Where it is none.
    """
    content = gzip.decompress(path.read_bytes())
    start = 4 + 4 * content[3] if len(content) > 3 else len(content) + 1
    shape = tuple(int.from_bytes(content[at : at + 4]) for at in range(4, start, 4))
    whole = len(content) == start + math.prod(shape)
    if not whole or content[:3] != bytes([0, 0, IDX_BYTES]):
        raise DataError(
            f"'{path}' must be an IDX file of bytes; however, its header does not fit its "
            f"{len(content)} bytes. Replace it with the published file."
        )
    values = np.frombuffer(content, np.uint8, offset=start)
    return values.reshape(shape)


def check_shape(shape: tuple[int, int], n_columns: int) -> None:
    """Refuse a shape that does not hold as many pixels as there are columns.

    Raises
    ------
    DataError
    """
    sides = shape if isinstance(shape, (tuple, list)) and all(map(is_count, shape)) else ()
    if len(sides) != 2 or min(sides) < SMALLEST_SIDE or math.prod(sides) != n_columns:
        raise DataError(
            f"shape must be (height, width), each at least {SMALLEST_SIDE}, with one pixel a "
            f"column; however, got {shape} for {n_columns} columns. Give the images' own shape."
        )


def pixel_places(names: Sequence[str], shape: tuple[int, int]) -> IntArray:
    """Give the place of each column in an image, counted row by row: ``(n_columns,)``.

    All pixels in order, or some, where names tell their rows and columns, counted from 1.

    Raises
    ------
    DataError
        Where the columns are no pixels of that shape.
    """
    found = [re.fullmatch(r"pixel row (\d+), column (\d+)", name) for name in names]
    told = [(int(match[1]), int(match[2])) for match in found if match]
    if len(told) != len(names):
        check_shape(shape, len(names))
        return np.arange(len(names))
    check_shape(shape, math.prod(shape))
    for row, column in told:
        if not (1 <= row <= shape[0] and 1 <= column <= shape[1]):
            raise DataError(
                f"Pixels must lie within the shape, {tuple(shape)}; however, one is in row {row}, "
                f"column {column}. Give the images' own shape."
            )
    return np.ravel_multi_index(tuple(np.transpose(told) - 1), shape)


def moved(images: np.ndarray, reach: int, rng: np.random.Generator) -> np.ndarray:
    """Move each image by up to `reach` whole pixels each way; what comes in at the edge is 0.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width)
    reach : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_images, height, width)
    """
    n_images, height, width = images.shape
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach)))
    windows = sliding_window_view(padded, (height, width), axis=(1, 2))
    down, right = rng.integers(2 * reach + 1, size=(2, n_images))
    return np.asarray(windows[np.arange(n_images), down, right])
