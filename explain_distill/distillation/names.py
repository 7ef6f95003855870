"""The transfer sets by the names that the command line knows them by."""

from __future__ import annotations

from dataclasses import replace

from explain_distill.distillation.conditional_coalitions import ConditionalCoalitions
from explain_distill.distillation.munge import Munge
from explain_distill.distillation.transfer_sets import (
    Coalitions,
    Mixture,
    TrainingRows,
    TransferSet,
)
from explain_distill.exceptions import UnknownNameError

TRANSFER_SETS: dict[str, type[TransferSet]] = {
    transfer.NAME: transfer for transfer in (Coalitions, ConditionalCoalitions, Munge, TrainingRows)
}


def transfer_set(name: str, n_rows: int | None = None) -> TransferSet:
    """Make a transfer set by name.

    Parameters
    ----------
    name : str
        Of `TRANSFER_SETS`, or several in equal shares: ``"coalitions+munge"``.
    n_rows : int, optional
        How many rows a student gets that does not train in steps; the training rows keep their own.

    Raises
    ------
    UnknownNameError
    """
    parts = []
    for each in name.split("+"):
        if each not in TRANSFER_SETS:
            raise UnknownNameError.of("The transfer set", each, TRANSFER_SETS)
        part = TRANSFER_SETS[each]()
        if n_rows is not None and part.n_rows is not None:
            part = replace(part, n_rows=n_rows)  # type: ignore[type-var]
        parts.append(part)
    return parts[0] if len(parts) == 1 else Mixture(*parts)
