"""The molecules of public files: in which column they stand, and what was measured of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import numbers
from explain_distill.data.molecule_tables import molecules

NO_YES = ("no", "yes")


@dataclass(frozen=True)
class MoleculeFile:
    """How a public file of molecules is read.

    Parameters
    ----------
    name : str
        Of the data set.
    target : str
        The file's column of what was measured: values, or 0 and 1.
    task : Task
    column : str, default="smiles"
        The file's column of molecules.
    note : str, default=""
        What is left out of it, and why.
    """

    name: str
    target: str
    task: Task
    column: str = "smiles"
    note: str = ""

    def __call__(self, path: Path) -> Dataset:
        """Load the file."""
        table = pd.read_csv(path)
        known = table[self.target].notna()
        n_unknown = int((~known).sum())
        notes = [f"{n_unknown} rows without {self.task.target} left out."] if n_unknown else []
        notes += [self.note] if self.note else []
        values = numbers(table.loc[known, self.target], self.target)
        y = values.astype(np.int64) if self.task.kind == "classification" else values
        cells = table.loc[known, self.column]
        numbered = cells.index.tolist()
        return molecules(self.name, cells.tolist(), y, self.task, "smiles", notes, numbered)


def _yes_or_no(target: str) -> Task:
    return Task("classification", target, NO_YES)


ESOL = MoleculeFile(
    "esol",
    "measured log solubility in mols per litre",
    Task("regression", "log solubility", unit="log mol/L"),
    note="The column of Delaney's own prediction is left out: it is a model of the target.",
)
FREESOLV = MoleculeFile(
    "freesolv",
    "expt",
    Task("regression", "hydration free energy", unit="kcal/mol"),
    note="The calculated free energy is left out: it is a simulation of the target.",
)
LIPOPHILICITY = MoleculeFile("lipophilicity", "exp", Task("regression", "logD at pH 7.4"))
BBBP = MoleculeFile("bbbp", "p_np", _yes_or_no("crosses the blood-brain barrier"))
BACE = MoleculeFile("bace", "Class", _yes_or_no("inhibits BACE-1"), column="mol")
CLINTOX = MoleculeFile("clintox", "CT_TOX", _yes_or_no("fails for toxicity"))
TOX21 = MoleculeFile("tox21", "SR-ARE", _yes_or_no("active in SR-ARE"))
HIV = MoleculeFile("hiv", "HIV_active", _yes_or_no("inhibits HIV replication"))
AMES = MoleculeFile("ames", "Activity", _yes_or_no("mutagenic"), column="Canonical_Smiles")
