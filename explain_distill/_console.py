"""What the command line shows: progress, notes and tables."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from explain_distill.data.features import UnseenLevelWarning
from explain_distill.data.readers import SetAsideWarning
from explain_distill.study.run import Advance, Progress

if TYPE_CHECKING:
    from explain_distill.audit.comparison import Comparison, Metric

COLUMNS = {
    "performance.accuracy": "accuracy",
    "performance.r2": "R²",
    "fidelity.agreement": "agreement",
    "fidelity.score_r2": "score R²",
    "attribution.rank_correlation": "rank correlation of reasons",
    "complexity.leaves": "leaves",
    "cost.bytes": "bytes",
    "cost.money_per_million": "money per million",
}
"""The figures of the table that a run ends with."""


class PlainProgress(Progress):
    """One line a stage, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @contextmanager
    def stage(self, name: str) -> Iterator[Advance]:
        """Enter a stage; its line is printed when it ends, with its last word."""
        started, last = time.perf_counter(), ""

        def advance(done: int, total: int, word: str) -> None:
            nonlocal last
            last = word

        yield advance
        seconds = time.perf_counter() - started
        print(f"{name}: {seconds:.1f} s ({last})", file=self.stream, flush=True)


class BarProgress(Progress):
    """A bar a stage, for terminals."""

    @contextmanager
    def stage(self, name: str) -> Iterator[Advance]:
        """Enter a stage and show its bar."""
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        bars = RichProgress(
            TextColumn("{task.description:<14}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[word]}"),
            console=Console(stderr=True),
        )
        with bars:
            task = bars.add_task(name, word="")

            def advance(done: int, total: int, word: str) -> None:
                bars.update(task, completed=done, total=total, word=word)

            yield advance
            bars.update(task, completed=bars.tasks[0].total or 1)


def progress_for(quiet: bool) -> Progress:
    """Give bars on a terminal, plain lines elsewhere, nothing where quiet."""
    if quiet:
        return Progress()
    return BarProgress() if sys.stderr.isatty() else PlainProgress(sys.stderr)


@contextmanager
def notes_on_stderr() -> Iterator[None]:
    """Print what readers set aside or found strange as a note instead of a warning."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, (SetAsideWarning, UnseenLevelWarning)):
                print(f"Note: {message}", file=sys.stderr)
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", SetAsideWarning)
        warnings.simplefilter("always", UnseenLevelWarning)
        warnings.showwarning = show
        yield


def side_by_side(comparison: Comparison) -> str:
    """Give the leading figures as a table in text, one row a model, an interval beside each."""
    import pandas as pd

    rows = {}
    for model in comparison.models:
        found = {title: comparison.get(model, key) for key, title in COLUMNS.items()}
        rows[model] = {
            title: "" if metric is None else _figure(metric) for title, metric in found.items()
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table = table.loc[:, (table != "").any()]
    return table.to_string(col_space=[len(title) + 1 for title in table.columns])


def _figure(metric: Metric) -> str:
    if metric.metric.startswith("complexity.") or metric.metric == "cost.bytes":
        return f"{metric.value:,.0f}"
    if metric.metric == "cost.money_per_million":
        return f"{metric.value:.3g}"
    return str(metric.estimate)
