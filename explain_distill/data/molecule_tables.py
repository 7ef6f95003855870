"""Tables of molecules: a column of SMILES and what was measured of each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from explain_distill._optional import require
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import is_text
from explain_distill.data.features import numbers as read_numbers
from explain_distill.data.fragments import EXTRA, chem
from explain_distill.data.molecules import (
    Standardiser,
    molecule_schema,
    numbers_of,
    rows_of,
    scaffold_of,
    smiles_of,
)
from explain_distill.exceptions import DataError, UnknownNameError

SAME = 0.1  # of the values' standard deviation: measurements that differ by less are one
NEARLY_ALL, HARDLY_ANY = 0.9, 0.5  # of the cells that are looked at
LOOKED_AT = 50
LEAST_ATOMS, LEAST_DIFFERENT = 3, 10
NO_COLUMN = "none"
SHOWN = 5  # molecules that a note names


def molecules(
    name: str,
    smiles: Sequence[object],
    y: np.ndarray,
    task: Task,
    column: str = "smiles",
    notes: Sequence[str] = (),
    numbers: Sequence[int] | None = None,
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
    told: list[str] = []
    places: list[int] = []
    refused: list[str] = []
    for place, cell in enumerate(smiles):
        text = "" if cell is None or cell is pd.NA or cell != cell else str(cell).strip()
        try:
            told.append(standard(text))
            places.append(place)
        except ValueError as why:
            row = place if numbers is None else numbers[place]
            refused.append(f"row {row + 1} ({text[:40] or 'empty'}: {why})")
    if not told:
        raise DataError(
            f"Column {column!r} must hold molecules as SMILES; however, none of {len(smiles)} rows "
            f"does, the first being {refused[0]}. Name another column, or mend it."
        )
    table = pd.DataFrame({"smiles": told, "y": y[places]})
    table, merged = _each_once(table, task)
    found = [*notes]
    if refused:
        more = f", and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
        found.append(f"Set aside as no molecules: {'; '.join(refused[:SHOWN])}{more}.")
    changed = [f"{what} in {count}" for what, count in standard.changed.items() if count]
    if changed:
        found.append(f"Standardised: {', '.join(changed)} of {len(told)} molecules.")
    return Dataset(
        name,
        rows_of(table["smiles"]),
        table["y"].to_numpy(),
        molecule_schema(column),
        task,
        notes=(*found, *merged),
    )


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
            f"Set aside: {int(against.sum())} rows of {len(names)} molecules whose "
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


def _loaded(
    name: str,
    path: Path,
    column: str,
    target: str,
    task: Task,
    dropped: str = "",
) -> Dataset:
    table = pd.read_csv(path)
    known = table[target].notna()
    values = read_numbers(table.loc[known, target], target)
    y = values.astype(np.int64) if task.kind == "classification" else values
    notes = [] if known.all() else [f"{int((~known).sum())} rows without {task.target} left out."]
    if dropped:
        notes.append(dropped)
    with warnings.catch_warnings():
        cells = table.loc[known, column]
        return molecules(name, cells.tolist(), y, task, "smiles", notes, cells.index.tolist())


def esol(path: Path) -> Dataset:
    """Load aqueous solubility (Delaney 2004)."""
    return _loaded(
        "esol",
        path,
        "smiles",
        "measured log solubility in mols per litre",
        Task("regression", "log solubility", unit="log mol/L"),
        "The column of Delaney's own prediction is left out: it is a model of the target.",
    )


def freesolv(path: Path) -> Dataset:
    """Load free energies of hydration (Mobley & Guthrie 2014)."""
    return _loaded(
        "freesolv",
        path,
        "smiles",
        "expt",
        Task("regression", "hydration free energy", unit="kcal/mol"),
        "The calculated free energy is left out: it is a simulation of the target.",
    )


def lipophilicity(path: Path) -> Dataset:
    """Load distribution coefficients octanol to water at pH 7.4 (AstraZeneca)."""
    return _loaded("lipophilicity", path, "smiles", "exp", Task("regression", "logD at pH 7.4"))


def bbbp(path: Path) -> Dataset:
    """Load blood-brain barrier penetration (Martins et al. 2012)."""
    task = Task("classification", "crosses the blood-brain barrier", ("no", "yes"))
    return _loaded("bbbp", path, "smiles", "p_np", task)


def bace(path: Path) -> Dataset:
    """Load inhibition of β-secretase 1 (Subramanian et al. 2016)."""
    task = Task("classification", "inhibits BACE-1", ("no", "yes"))
    return _loaded("bace", path, "mol", "Class", task)


def clintox(path: Path) -> Dataset:
    """Load failure in clinical trials for toxicity (Gayvert et al. 2016)."""
    task = Task("classification", "fails for toxicity", ("no", "yes"))
    return _loaded("clintox", path, "smiles", "CT_TOX", task)


def tox21(path: Path) -> Dataset:
    """Load activation of the stress response by ARE (Tox21, assay SR-ARE)."""
    task = Task("classification", "active in SR-ARE", ("no", "yes"))
    return _loaded("tox21", path, "smiles", "SR-ARE", task)


def hiv(path: Path) -> Dataset:
    """Load inhibition of HIV replication (NCI DTP AIDS antiviral screen)."""
    task = Task("classification", "inhibits HIV replication", ("no", "yes"))
    return _loaded("hiv", path, "smiles", "HIV_active", task)


def ames(path: Path) -> Dataset:
    """Load mutagenicity in the Ames test (Hansen et al. 2009)."""
    task = Task("classification", "mutagenic", ("no", "yes"))
    return _loaded("ames", path, "Canonical_Smiles", "Activity", task)
