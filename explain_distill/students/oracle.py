"""What a student may ask of its teacher while it learns."""

from __future__ import annotations

from typing import Protocol

from explain_distill._types import FloatArray, ReadableRows, Rows, SoftLabels


class Oracle(Protocol):
    """Gives labelled rows to a student that has ``fit_oracle(oracle, on_step)``.

    Rows are mixed as raw columns, so that the levels of a category move together, and learned as
    readable features; the oracle knows both.

    Attributes
    ----------
    rows : ndarray of shape (n_train, n_columns)
        The training rows, raw.
    """

    @property
    def rows(self) -> Rows:
        """The training rows, raw: ``(n_train, n_columns)``."""

    def known(self) -> tuple[ReadableRows, SoftLabels, FloatArray]:
        """Give the training rows, labelled, in the order of `rows`, and their weights.

        Where some rows are to carry their true label, each row follows again with it, and the
        weights say how much either label counts.
        """

    def draw(self, n: int) -> tuple[ReadableRows, SoftLabels]:
        """Draw `n` rows of the transfer set, labelled."""

    def ask(self, rows: Rows) -> tuple[ReadableRows, SoftLabels]:
        """Give raw rows of any origin as readable rows, labelled by the teacher.

        Rows that the teacher cannot score may be left out.
        """
