"""Prepared rows as two products take them."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, eq=False)
class BothWays:
    """Rows, and the same memory as columns: a view that is made once, since each costs.

    Parameters
    ----------
    rows : Tensor of shape (n, n_inputs)
    """

    rows: Tensor
    columns: Tensor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", self.rows.T)
