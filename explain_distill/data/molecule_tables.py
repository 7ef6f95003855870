"""Tables of molecules: a column of SMILES and what was measured of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from explain_distill._optional import require
from explain_distill._types import FloatArray
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import is_text
from explain_distill.data.fragments import EXTRA, chem
from explain_distill.data.molecules import (
    Standardiser,
    first_of,
    molecule_schema,
    numbers_of,
    refusal,
    rows_of,
    scaffold_of,
    smiles_of,
    standardised,
)
from explain_distill.exceptions import DataError, UnknownNameError

SAME = 0.1  # of the values' standard deviation: measurements that differ by less are one
NEARLY_ALL, HARDLY_ANY = 0.9, 0.5  # of the cells that are looked at
LOOKED_AT = 50
LEAST_ATOMS, LEAST_DIFFERENT = 3, 10
NO_COLUMN = "none"


def molecules(
    name: str,
    smiles: Sequence[Any],
    y: np.ndarray,
    task: Task,
    column: str = "smiles",
    notes: Sequence[str] = (),
    numbers: Sequence[int] | None = None,
    times: FloatArray | None = None,
) -> Dataset:
    """Make a data set of molecules: standardised, each once.

    Parameters
    ----------
    name : str
    smiles : sequence of n cells
    y : ndarray of shape (n,)
        Class codes or values.
    task : Task
    column : str, default="smiles"
        Where the molecules stand in a table.
    notes : sequence of str, default=()
        What was found before.
    numbers : sequence of int, optional
        What the rows are called in the file, from 0; counted where left out.
    times : ndarray of shape (n,), optional
        When each row was known: of a molecule the earliest rows count, and later ones are left
        out.

    Returns
    -------
    Dataset
        Its notes count what was changed, merged and set aside.

    Raises
    ------
    DataError
        Where no molecule is left.
    """
    standard = Standardiser()
    told, reasons = standardised(smiles, standard)
    refused = [
        refusal((place if numbers is None else numbers[place]) + 1, smiles[place], why)
        for place, why in reasons.items()
    ]
    if not told:
        raise DataError(
            f"Column {column!r} must hold molecules as SMILES; however, none of {len(smiles)} rows "
            f"does, the first being {refused[0]}. Name another column, or mend it."
        )
    table = pd.DataFrame({"smiles": list(told.values()), "y": y[list(told)]})
    table["time"] = 0.0 if times is None else times[list(told)]
    table, later = _earliest(table)
    table, merged = _each_once(table, task)
    found = [*notes, *_notes_of(refused, standard, len(told))]
    return Dataset(
        name,
        rows_of(table["smiles"]),
        table["y"].to_numpy(),
        molecule_schema(column),
        task,
        notes=(*found, *later, *merged),
        times=None if times is None else table["time"].to_numpy(),
    )


def _notes_of(refused: Sequence[str], standard: Standardiser, n_told: int) -> list[str]:
    """Count what was set aside, and what was changed."""
    found = []
    if refused:
        count = "1 row" if len(refused) == 1 else f"{len(refused)} rows"
        found.append(f"Set aside as no molecules, {count}: {first_of(refused, len(refused))}.")
    changed = [f"{what} in {count}" for what, count in standard.changed.items() if count]
    if changed:
        found.append(f"Standardised: {', '.join(changed)} of {n_told} molecules.")
    return found


def smiles_column(table: pd.DataFrame, target: str, named: str | None = None) -> str | None:
    """Give the column of a table that holds molecules; None where there is none.

    A column is one if it holds many different cells, and nearly all of the first are SMILES of
    several atoms that no word is: with a ring, a branch or a double bond in one of two. Without
    RDKit none is found unless it is named. Named ``none``, there is none.

    Raises
    ------
    DataError, UnknownNameError, MissingDependencyError
        Where the named column is not there, or holds something else.
    """
    names = [str(name) for name in table.columns if name != target]
    if named == NO_COLUMN and NO_COLUMN not in names:
        return None
    if named is None and find_spec("rdkit") is None:
        if any("smiles" in name.lower() and is_text(table[name]) for name in names):
            require("rdkit", EXTRA)
        return None
    if named is not None and named not in names:
        raise UnknownNameError.of("The column of molecules", named, names)
    shares = {name: _share_of_smiles(table[name]) for name in names if is_text(table[name])}
    found = max(shares, key=lambda name: shares[name], default=None)
    enough = found is not None and shares[found] >= NEARLY_ALL
    if named is None:
        return found if enough else None
    if shares.get(named, 0.0) < HARDLY_ANY:
        meant = f" Did you mean column {found!r}?" if enough else " Name another column."
        raise DataError(
            f"Column {named!r} must hold molecules as SMILES; however, its cells are such as "
            f"{str(table[named].iloc[0])[:40]!r}.{meant}"
        )
    return named


def _share_of_smiles(cells: pd.Series) -> float:
    """Say how many of the first different cells are SMILES of three atoms or more."""
    texts = [str(cell).strip() for cell in cells.dropna().unique()[:LOOKED_AT]]
    texts = [text for text in texts if text]
    # Short codes, of countries say, can be read as chains of elements.
    if len(texts) < LEAST_DIFFERENT or 2 * sum(not text.isalpha() for text in texts) < len(texts):
        return 0.0
    Chem = chem()
    from rdkit import rdBase

    with rdBase.BlockLogs():
        read = [None if " " in text else Chem.MolFromSmiles(text) for text in texts]
    return sum(m is not None and m.GetNumAtoms() >= LEAST_ATOMS for m in read) / len(texts)


def _earliest(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep the earliest rows of each molecule: a later measurement was not known at that time."""
    first = table["time"] == table.groupby("smiles", sort=False)["time"].transform("min")
    n_later = int((~first).sum())
    if not n_later:
        return table, []
    rows = "1 row is" if n_later == 1 else f"{n_later} rows are"
    note = f"{rows} left out: the same molecule was measured earlier."
    return table[first].reset_index(drop=True), [note]


def _each_once(table: pd.DataFrame, task: Task) -> tuple[pd.DataFrame, list[str]]:
    """Merge rows of one molecule, and set those aside of which the measurements contradict."""
    groups = table.groupby("smiles", sort=False)["y"]
    count = groups.transform("size")
    if (count == 1).all():
        return table, []
    spread = groups.transform("max") - groups.transform("min")
    limit = SAME * float(table["y"].std()) if task.kind == "regression" else 0.0
    against = spread > limit
    kept = table[~against].copy()
    kept["y"] = groups.transform("mean")[~against].astype(table["y"].dtype)
    kept = kept.drop_duplicates("smiles", ignore_index=True)
    notes = []
    n_merged = int((~against).sum()) - len(kept)
    if n_merged:
        rows = "1 row was" if n_merged == 1 else f"{n_merged} rows were"
        notes.append(f"{rows} merged with another of the same molecule.")
    if against.any():
        names = table.loc[against, "smiles"].unique()
        notes.append(
            f"Set aside: {int(against.sum())} rows of {len(names)} "
            f"{'molecule' if len(names) == 1 else 'molecules'} whose "
            f"{task.target!r} contradicts itself, such as {', '.join(names[:2])}."
        )
    return kept, notes


def by_scaffold(data: Dataset) -> Dataset:
    """Group molecules by their scaffold, so that none stands on both sides of a split.

    Molecules without a ring have no scaffold and are one group each.
    """
    if data.schema.molecules is None:
        raise DataError(
            f"A split by scaffold must be of molecules; however, {data.name!r} has none. Leave "
            "--split out."
        )
    told = [smiles_of(number) for number in numbers_of(data.X)]
    scaffolds = [scaffold_of(smiles) or smiles for smiles in told]
    return replace(data, groups=np.unique(scaffolds, return_inverse=True)[1])
