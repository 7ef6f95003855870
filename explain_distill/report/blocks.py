"""What a report is made of: words, figures and what is to be drawn, before any form of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from explain_distill.data.dataset import Task
from explain_distill.metrics.intervals import Estimate
from explain_distill.students.nodes import Node

Form = Literal["number", "share", "count", "bytes", "seconds", "milliseconds"]
"""How a figure is written."""


@dataclass(frozen=True)
class Figure:
    """A figure with its interval, in full precision.

    Parameters
    ----------
    value : float
    low, high : float or None
    n : int or None
        The number of rows it rests on.
    level : float or None
        The confidence level of the interval.
    form : str
    note : str
        A word to stand beside it.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    level: float | None = None
    form: Form = "number"
    note: str = ""

    @classmethod
    def of(cls, estimate: Estimate, form: Form = "number") -> Figure:
        """Take an estimate."""
        return cls(
            estimate.value, estimate.low, estimate.high, estimate.n, estimate.level, form=form
        )

    @property
    def words(self) -> str:
        """The value as it is written."""
        return written(self.value, self.form)

    @property
    def interval(self) -> str:
        """The interval as it is written, ``"0.95 to 1.00"``; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        digits = _decimals(self.value, self.form)
        return " to ".join(written(bound, self.form, digits) for bound in (self.low, self.high))


Cell: TypeAlias = str | Figure


@dataclass(frozen=True)
class Paragraph:
    """Words, a few sentences of them."""

    text: str


@dataclass(frozen=True)
class Listing:
    """Sentences one under the other."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names and what is told of each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Code:
    """What is typed, to be copied as it is."""

    text: str


@dataclass(frozen=True)
class RowGroup:
    """Rows of a table under a heading; each row's first cell names it."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table: its columns' names and its rows, in groups."""

    caption: str
    columns: tuple[str, ...]
    groups: tuple[RowGroup, ...]


@dataclass(frozen=True)
class Point:
    """One model's figure in a `Dots`."""

    label: str
    figure: Figure


@dataclass(frozen=True)
class Dots:
    """Figures with their intervals on one line each, between a floor and a ceiling.

    Parameters
    ----------
    caption, axis : str
    points : tuple of Point
    floor, ceiling : float or None
        What chance gets, and the most that could be told apart.
    """

    caption: str
    axis: str
    points: tuple[Point, ...]
    floor: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True)
class Panel:
    """A figure of one kind of student at several sizes.

    Parameters
    ----------
    title, unit : str
        `unit` is what a size counts.
    sizes : tuple of int
        Ascending.
    validation, test : tuple of Figure
        On the rows of each name, one a size.
    chosen : int
        One of the sizes.
    """

    title: str
    unit: str
    sizes: tuple[int, ...]
    validation: tuple[Figure, ...]
    test: tuple[Figure, ...]
    chosen: int


@dataclass(frozen=True)
class Sizes:
    """A figure against the size of students, a panel a kind, all on one scale from 0."""

    caption: str
    axis: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Bars:
    """Values of several series, side by side for each name."""

    caption: str
    axis: str
    names: tuple[str, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class Shape:
    """A step function of one feature: what each step adds.

    Parameters
    ----------
    name : str
        The feature, with its unit.
    edges : tuple of float
        Where steps begin and end, increasing: one more than there are steps.
    values : tuple of float
    missing : float or None
        What a missing value adds; None where none was missing.
    levels : tuple of str, default=()
        Of a category, the level of each step.
    """

    name: str
    edges: tuple[float, ...]
    values: tuple[float, ...]
    missing: float | None
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shapes:
    """Step functions side by side, on one scale of what they add; `axis` says to what."""

    caption: str
    axis: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Tree:
    """A soft tree to be drawn; `weighed` says whether the reach comes from rows."""

    caption: str
    nodes: tuple[Node, ...]
    task: Task
    weighed: bool


@dataclass(frozen=True)
class ColouredMolecule:
    """A molecule as a model sees it: ``shares`` are its atoms', in the order of the SMILES.

    Where ``like`` names another molecule, what both have in common is drawn as in that one.
    """

    smiles: str
    title: str
    shares: tuple[float, ...]
    like: str = ""


@dataclass(frozen=True)
class Molecules:
    """Molecules to be drawn, a row each and a model a column, on one scale of colours."""

    caption: str
    rows: tuple[tuple[ColouredMolecule, ...], ...]


@dataclass(frozen=True)
class Structure:
    """A molecule, and lines of words under it.

    Parameters
    ----------
    smiles : str
    lines : tuple of str
    marked : tuple of int, optional
        Atoms to mark, in the order of the SMILES; where left out, those that differ from the first
        molecule of the row.
    """

    smiles: str
    lines: tuple[str, ...]
    marked: tuple[int, ...] | None = None


@dataclass(frozen=True)
class StructureRow:
    """Molecules side by side under a title, to be compared with the first."""

    title: str
    structures: tuple[Structure, ...]


@dataclass(frozen=True)
class Structures:
    """Molecules to be compared, a row each comparison."""

    caption: str
    rows: tuple[StructureRow, ...]


@dataclass(frozen=True)
class Item:
    """A line of an `Outline` with those under it; `lead` is the answer that leads to it."""

    text: str
    items: tuple[Item, ...] = ()
    lead: str = ""


@dataclass(frozen=True)
class Outline:
    """Nested lines."""

    items: tuple[Item, ...]


Block: TypeAlias = (
    Paragraph
    | Listing
    | Facts
    | Code
    | Table
    | Dots
    | Sizes
    | Bars
    | Shapes
    | Tree
    | Molecules
    | Structures
    | Outline
)


@dataclass(frozen=True)
class Section:
    """A part of the report, with a key to be found by."""

    key: str
    title: str
    blocks: tuple[Block, ...] = field(repr=False)


@dataclass(frozen=True)
class Report:
    """All that is told of a study, in the order in which it is read."""

    title: str
    created: str
    sections: tuple[Section, ...]

    def section(self, key: str) -> Section:
        """Look a section up by its key."""
        return next(section for section in self.sections if section.key == key)


def written(value: float, form: Form = "number", decimals: int | None = None) -> str:
    """Write a figure for people: ``"0.990"``, ``"2,400"``, ``"1.3 kB"``."""
    if not math.isfinite(value):
        return "not defined"
    if form == "count":
        return f"{value:,.0f}"
    if form == "bytes":
        size, units = value, iter(("bytes", "kB", "MB", "GB"))
        unit = next(units)
        while size >= 1000 and unit != "GB":
            size, unit = size / 1000, next(units)
        return f"{size:.3g} {unit}"
    if form in ("seconds", "milliseconds"):
        return f"{value:.3g} {'s' if form == 'seconds' else 'ms'}"
    if decimals is None:
        decimals = _decimals(value, form)
    return f"{value:,.{decimals}f}".replace("-", "−")


def _decimals(value: float, form: Form) -> int:
    """Give the decimals that tell three digits, or a share from 1."""
    size = abs(value)
    if not math.isfinite(size) or size == 0:
        return 3
    if form == "share" or 0.1 <= size < 1:
        # What is not 1 is not written as 1.
        return next((d for d in range(3, 7) if size >= 1 or round(size, d) < 1), 6)
    return min(max(2 - math.floor(math.log10(size)), 0), 7)
