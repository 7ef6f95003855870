"""Two classic public tables: shapes of printed letters, and positions of the game Connect-4."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.documented_columns import Column, documented_dataset, read_documented

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LETTER_RECOGNITION = (
    Column("horizontal position of the box"),
    Column("vertical position of the box"),
    Column("width of the box"),
    Column("height of the box"),
    Column("pixels of ink"),
    Column("mean x of ink"),
    Column("mean y of ink"),
    Column("mean x² of ink"),
    Column("mean y² of ink"),
    Column("mean x·y of ink"),
    Column("mean x²·y of ink"),
    Column("mean x·y² of ink"),
    Column("edges from left to right"),
    Column("edges from left to right, by y"),
    Column("edges from bottom to top"),
    Column("edges from bottom to top, by x"),
)

CONNECT_4 = tuple(
    Column(f"{file}{rank}", levels={"b": "empty", "x": "first player", "o": "second player"})
    for file in "abcdefg"
    for rank in range(1, 7)
)
CONNECT_4_OUTCOMES = ("loss", "draw", "win")


def letter_recognition(path: Path) -> Dataset:
    """Read the shapes of printed capital letters: 20000 rows, 16 columns, 26 classes."""
    cells = read_documented(path, header=None)
    repeats = int(cells.duplicated().sum())
    return documented_dataset(
        "letter-recognition",
        cells.iloc[:, 1:],
        LETTER_RECOGNITION,
        cells.iloc[:, 0].map(LETTERS.index).to_numpy(np.int64, copy=True),
        Task("classification", "letter", LETTERS),
        notes=(
            "Each column is scaled to whole numbers from 0 to 15 by the table's authors, who train "
            "on the first 16000 rows and test on the rest; the rows are in their order.",
            f"{repeats} rows repeat an earlier one in every cell; they are kept, so that the "
            "authors' split stays what it is.",
        ),
    )


def connect_4(path: Path) -> Dataset:
    """Read the positions of Connect-4 after eight moves: 67557 rows, 42 columns, 3 classes."""
    cells = read_documented(path, header=None)
    return documented_dataset(
        "connect-4",
        cells.iloc[:, :-1],
        CONNECT_4,
        cells.iloc[:, -1].map(CONNECT_4_OUTCOMES.index).to_numpy(np.int64, copy=True),
        Task("classification", "outcome for the first player", CONNECT_4_OUTCOMES),
        notes=(
            "All legal positions after eight moves in which nobody has won and the next move is "
            "not forced, with their outcome under perfect play. Squares are a1 (bottom left) to "
            "g6; the rows are sorted by position.",
        ),
    )
