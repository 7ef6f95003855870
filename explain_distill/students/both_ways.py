"""Prepared rows as two products take them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor


@dataclass(frozen=True, eq=False)
class BothWays:
    """Rows, and the same memory as columns.

    Parameters
    ----------
    rows : Tensor of shape (n, n_inputs)
    """

    rows: Tensor

    @cached_property
    def columns(self) -> Tensor:
        """A view ``(n_inputs, n)``, made once, since each costs."""
        return self.rows.T
