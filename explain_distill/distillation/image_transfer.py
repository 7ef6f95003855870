"""Where a student of images learns: the training images, moved by a few pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain_distill._types import Rows
from explain_distill.data.images import check_shape, moved
from explain_distill.exceptions import DataError


@dataclass(frozen=True)
class Shifts:
    """Training images, each moved at random by whole pixels.

    A tree with one filter a gate learns the place of the ink by heart; a convolutional teacher
    knows that a digit moved by a pixel is the same digit, and says so on the moved image.

    Parameters
    ----------
    shape : tuple of int, default=(28, 28)
        Height and width of the images; a row holds their pixels row by row from the top left.
    pixels : int, default=1
        The most that an image is moved up, down, left or right; what comes in at the edge is 0.
    n_rows : int, default=200_000
        How many rows a student gets that does not train in steps. One that does gets fresh rows in
        each step.

    References
    ----------
    Simard, Steinkraus & Platt (2003), Best practices for convolutional neural networks applied to
    visual document analysis (training images moved; here the teacher labels them).
    """

    shape: tuple[int, int] = (28, 28)
    pixels: int = 1
    n_rows: int = 200_000
    NAME: ClassVar[str] = "shifts"

    def __post_init__(self) -> None:
        if self.pixels < 0 or self.n_rows < 1:
            raise DataError(
                "Shifts must move by at least 0 pixels and draw at least 1 row; however, got "
                f"pixels={self.pixels} and n_rows={self.n_rows}. One pixel suits small images."
            )

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` moved images out of the rows ``(n_train, height * width)``."""
        check_shape(self.shape, X.shape[1])
        images = X[rng.integers(len(X), size=n)].reshape(n, *self.shape)
        return moved(images, self.pixels, rng).reshape(n, -1)
