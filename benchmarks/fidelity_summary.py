"""What fidelity_at_size.py measured, put into figures, shown and drawn.

Intervals of 95 % come from a bootstrap in two steps: seeds are drawn with replacement, and in each
its test rows (whole groups where rows come in groups, such as the recordings of one person). Of two
trees, the difference is resampled on the same seeds and rows. Where no row disagrees at all, the
upper end is Clopper and Pearson's for the rows of one split.

A ratio compares a student with the best of the other tools on that table and at that size, which
is chosen by its mean on the same test rows: a choice in favour of the others. Half a row is added
to both counts, so that a table on which nobody errs counts as 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fidelity_results import Measured

RESAMPLES = 2000
STUDENTS = {
    "soft-tree": ("soft tree", "#1f5fa8"),
    "soft-tree-5": ("soft tree, ≤ 5 features a gate", "#3aa6a0"),
    "decision-tree": ("decision tree", "#c2571a"),
    "model-tree": ("decision tree, linear leaves", "#8a5a9e"),
}
OTHERS = {
    "cart-labels": "CART, labels",
    "cart-probabilities": "CART, probabilities",
    "trustee": "trustee",
    "mimic": "MimicExplainer",
    "figs": "distilled FIGS",
}
SINGLE_TREES = tuple(tool for tool in OTHERS if tool != "figs")
"""FIGS is a sum of trees: of as many leaves, but with more regions."""
LARGER = ("figs-splits",)
"""Shown, but no rival: it has more leaves than the students."""


@dataclass(frozen=True)
class Share:
    """A share of rows, or a difference of two, with its interval.

    Parameters
    ----------
    value, low, high : float
    n : int
        Test rows of all seeds.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def share(measured: Measured, table: str, rows: dict[int, np.ndarray]) -> Share:
    """Estimate the mean over seeds of a share of rows, given row by row for each seed."""
    rng = np.random.default_rng(0)
    n_seeds = len(rows)
    means = np.stack(
        [
            resampled_means(part, measured.split(table, seed)["groups"], n_seeds, rng)
            for seed, part in rows.items()
        ]
    )
    seeds = rng.integers(n_seeds, size=(n_seeds, RESAMPLES))
    place, resample = np.indices(seeds.shape)
    low, high = np.quantile(means[seeds, place, resample].mean(axis=0), [0.025, 0.975])
    value = float(np.mean([part.mean() for part in rows.values()]))
    if all(not part.any() for part in rows.values()):
        high = 1 - 0.025 ** (1 / independent(measured, table, next(iter(rows))))
    return Share(value, float(low), float(high), sum(map(len, rows.values())))


def resampled_means(
    values: np.ndarray, groups: list[int] | None, n_seeds: int, rng: np.random.Generator
) -> np.ndarray:
    """Resample the mean of rows, or of whole groups of rows: ``(n_seeds, RESAMPLES)``."""
    units = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    sums, sizes = np.bincount(units, values), np.bincount(units)
    # Rows that are alike are drawn together: so many of each kind.
    kinds, counts = np.unique(np.column_stack([sums, sizes]), axis=0, return_counts=True)
    drawn = rng.multinomial(len(sums), counts / len(sums), size=(n_seeds, RESAMPLES))
    return (drawn @ kinds[:, 0]) / (drawn @ kinds[:, 1])


def independent(measured: Measured, table: str, seed: int) -> int:
    """Count the test rows of a split, or their groups."""
    split = measured.split(table, seed)
    return split["n_test"] if split["groups"] is None else len(set(split["groups"]))


@dataclass(frozen=True)
class Duel:
    """A student against the best of the other tools, on one table and at one size.

    Parameters
    ----------
    table : str
    leaves : int
    n_seeds : int
    best : str
        The best of the other tools.
    ratio : float
        Of the disagreements; below 1 the student is better.
    difference : Share
        The student's disagreement less the other's, paired.
    """

    table: str
    leaves: int
    n_seeds: int
    best: str
    ratio: float
    difference: Share

    @classmethod
    def fought(
        cls, measured: Measured, table: str, leaves: int, tool: str, rivals: Sequence[str]
    ) -> Duel | None:
        """Compare on the seeds that all have; None where there are none."""
        ours = measured.rows(table, leaves, tool)
        theirs = {other: measured.rows(table, leaves, other) for other in rivals}
        seeds = [seed for seed in ours if all(seed in rows for rows in theirs.values())]
        if not seeds:
            return None
        means = {
            other: np.mean([rows[seed].mean() for seed in seeds]) for other, rows in theirs.items()
        }
        best = min(means, key=lambda other: means[other])
        counts = [sum(rows[seed].sum() for seed in seeds) for rows in (ours, theirs[best])]
        difference = {seed: ours[seed] - theirs[best][seed] for seed in seeds}
        return cls(
            table,
            leaves,
            len(seeds),
            best,
            ratio=(counts[0] + 0.5) / (counts[1] + 0.5),
            difference=share(measured, table, difference),
        )


def duels(measured: Measured, tool: str, rivals: Sequence[str] = tuple(OTHERS)) -> list[Duel]:
    """Compare one student with the best of its rivals, everywhere."""
    found = (
        Duel.fought(measured, table, leaves, tool, rivals)
        for leaves in sorted(measured.named("leaves"))
        for table in measured.named("table")
    )
    return [duel for duel in found if duel is not None]


def shown(measured: Measured) -> str:
    """Give each size's disagreements in per cent, and how the students compare, in Markdown."""
    tools = [tool for tool in (*STUDENTS, *OTHERS, *LARGER) if tool in measured.named("tool")]
    lines = []
    for leaves in sorted(measured.named("leaves")):
        lines.append(f"\n{leaves} leaves: disagreement with the teacher in % of the test rows\n")
        lines.append(f"| table | seeds | {' | '.join(tools)} |\n|{'---|' * (len(tools) + 2)}")
        for table in measured.named("table"):
            rows = [measured.rows(table, leaves, tool) for tool in tools]
            cells = [str(share(measured, table, found)) if found else "" for found in rows]
            seeds = "–".join(map(str, sorted({len(found) for found in rows if found})))
            lines.append(f"| {table} | {seeds} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", ratios(measured)])


def ratios(measured: Measured) -> str:
    """Give each student's mean ratio to the best of the others, in Markdown."""
    head = (
        "student",
        "leaves",
        "tables",
        "seeds",
        "mean ratio",
        "from … to",
        "lower on",
        "beyond the interval",
        "higher beyond it",
    )
    head = (*head, "to one tree", "lower on", "beyond the interval", "higher beyond it")
    lines = [f"| {' | '.join(head)} |", "|---|" + "---|" * (len(head) - 1)]
    for tool in [tool for tool in STUDENTS if tool in measured.named("tool")]:
        fought, single = duels(measured, tool), duels(measured, tool, SINGLE_TREES)
        for leaves in sorted({duel.leaves for duel in fought}):
            here, alone = (
                [duel for duel in found if duel.leaves == leaves] for found in (fought, single)
            )
            seeds = "–".join(map(str, sorted({duel.n_seeds for duel in here})))
            first, *counts = outcome(here)
            cells = (STUDENTS[tool][0], leaves, len(here), seeds, first, spread(here), *counts)
            cells = (*cells, *outcome(alone))
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def outcome(here: Sequence[Duel]) -> tuple[str, int, int, str]:
    """Give the mean ratio, how often it is below 1 and beyond the interval, and where above it."""
    worse = [f"{duel.table} ({duel.best})" for duel in here if duel.difference.low > 0]
    return (
        f"{np.mean([duel.ratio for duel in here]):.2f}",
        sum(duel.ratio < 1 for duel in here),
        sum(duel.difference.high < 0 for duel in here),
        ", ".join(worse) or "nowhere",
    )


def spread(here: Sequence[Duel]) -> str:
    """Give the least and the largest ratio."""
    found = [duel.ratio for duel in here]
    return f"{min(found):.2f} … {max(found):.2f}"


def draw(measured: Measured, path: Path) -> None:
    """Draw a panel a table: disagreement against leaves, students in colour, others in grey."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"font.size": 8, "svg.fonttype": "none", "svg.hashsalt": "fidelity"})
    tables, leaves = measured.named("table"), sorted(measured.named("leaves"))
    figure, panels = plt.subplots(3, 4, figsize=(9.2, 6.4), sharex=True, layout="constrained")
    looks = dict.fromkeys(OTHERS, ("other tools", "#b8b8b8")) | STUDENTS
    for table, axes in zip(tables, panels.flat, strict=False):
        for tool, (label, colour) in looks.items():
            shares = [
                100 * share(measured, table, found).value if found else np.nan
                for found in (measured.rows(table, size, tool) for size in leaves)
            ]
            width, order = (2, 2) if tool in STUDENTS else (1, 1)
            style = {"color": colour, "lw": width, "zorder": order, "clip_on": False}
            axes.plot(range(len(leaves)), shares, label=label, **style)
        axes.set_title(table, fontsize=9, loc="left")
        axes.set_ylim(bottom=0)
        axes.set_xticks(range(len(leaves)), leaves)
        axes.spines[["top", "right"]].set_visible(False)
    handles = dict(zip(*reversed(panels.flat[0].get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles, loc="outside upper left", ncols=5, frameon=False)
    figure.supylabel("rows on which student and teacher disagree, %", fontsize=9)
    figure.supxlabel("leaves", fontsize=9)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)
    plt.close(figure)
