"""How good teachers and students of molecules are, by data set, split and seed.

    python benchmarks/molecules.py --table bbbp --split balanced-scaffold --seeds 0,1,2

trains a `MolecularTeacher` on nine tenths of the molecules, distils students of it on coalitions
and on the training rows, and judges them on the last tenth; figures go to
``benchmarks/results/molecules-TABLE-SPLIT.json``, and what stands there is not run again. With
``--graph-alone`` the teacher is not told descriptors, and figures go to a file of that name. With
``--controls`` the teachers of those runs are trained again, to distil soft and boosted trees on
molecules with atoms masked in the graph and on molecules with fragments taken off alone
(`masked_atoms.py`); their figures are added.

    python benchmarks/molecules.py --show

prints the tables of README and case studies from those files.

Splits: ``random``; ``balanced-scaffold``, where scaffolds of more than half a test set train and
the others fall at random (Yang et al. 2019); ``ordered-scaffold``, where the rarest scaffolds are
tested on, the same for every seed (MoleculeNet: Wu et al. 2018).
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from masked_atoms import Masking, TakenOff
from sklearn.metrics import roc_auc_score

import explain_distill as xd
from explain_distill.distillation.transfer_sets import Pool

RESULTS = Path(__file__).parent / "results"
SPLITS = ("random", "balanced-scaffold", "ordered-scaffold")
TRANSFERS = ("coalitions", "training-rows")
CONTROLS = ("masked-atoms", "taken-off")
TEST_SHARE = 0.1
REASONS = "attribution.rank_correlation"
KEPT = (
    "performance.rmse",
    "performance.r2",
    "performance.roc_auc",
    "performance.accuracy",
    "fidelity.agreement",
    "fidelity.score_r2",
    REASONS,
)


def students() -> dict[str, xd.Student]:
    """Give the students that are compared."""
    return {
        "soft-tree": xd.SoftTree(),
        "decision-tree": xd.DecisionTree(),
        "boosted-trees": xd.BoostedTrees(),
    }


def parted(data: xd.Dataset, split: str, seed: int) -> tuple[xd.Dataset, xd.Dataset]:
    """Part molecules into training and test rows."""
    if split == "random":
        return data.split(seed, TEST_SHARE)
    grouped = xd.by_scaffold(data)
    assert grouped.groups is not None
    scaffolds = list(pd.Series(np.arange(len(data))).groupby(grouped.groups).indices.values())
    wanted = TEST_SHARE * len(data)
    if split == "ordered-scaffold":
        # The first molecule decides among scaffolds of one size, as in MoleculeNet.
        order = sorted(scaffolds, key=lambda rows: (len(rows), rows[0]), reverse=True)
    else:
        large = [rows for rows in scaffolds if len(rows) > wanted / 2]
        small = [rows for rows in scaffolds if len(rows) <= wanted / 2]
        order = [*large, *(small[i] for i in np.random.default_rng(seed).permutation(len(small)))]
    train: list[int] = []
    for rows in order:
        if len(train) + len(rows) <= len(data) - wanted:
            train += rows.tolist()
    test = np.setdiff1d(np.arange(len(data)), train)
    first = grouped.take(np.sort(train))
    return first, replace(grouped.take(test), background=first.X)


def one_run(
    table: str,
    split: str,
    seed: int,
    kept: Path | None,
    *,
    alone: bool = False,
    descriptors: bool = True,
) -> dict[str, Any]:
    """Train a teacher, distil students on each transfer set, and judge them all.

    With `alone`, the teacher is judged by how right it is, and no student is made; without
    `descriptors`, it is told the graph alone.
    """
    data = xd.load_dataset(table)
    train, test = parted(data, split, seed)
    started = time.perf_counter()
    teacher = xd.MolecularTeacher(descriptors=descriptors, seed=seed).fit(train)
    trained = time.perf_counter()
    print(f"teacher: {trained - started:.0f} s", flush=True)
    about: dict[str, Any] = {"seed": seed, "train": len(train), "test": len(test)}
    if alone:
        seconds = {"teacher": round(trained - started)}
        return about | {"seconds": seconds, "figures": [right(teacher, test)]}
    learned = students_of(teacher, train, seed)
    distilled = time.perf_counter()
    study = xd.compare(teacher, learned, test, seed=seed)
    judged = time.perf_counter()
    if kept is not None:
        study.save(kept / name_of(table, split, descriptors, seed))
    seconds = {
        "teacher": round(trained - started),
        "students": round(distilled - trained),
        "judging": round(judged - distilled),
    }
    return about | {"seconds": seconds, "figures": figures_of(study)}


def students_of(teacher: xd.Teacher, train: xd.Dataset, seed: int) -> dict[str, xd.Student]:
    """Distil each student on each transfer set."""
    learned = {}
    for transfer in TRANSFERS:
        for name, student in students().items():
            started = time.perf_counter()
            learned[f"{name}.{transfer}"] = xd.distill(
                teacher, student, train, transfer=transfer, seed=seed
            )
            print(f"{name} on {transfer}: {time.perf_counter() - started:.0f} s", flush=True)
    return learned


def controls_of(table: str, split: str, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Distil a run's teacher, trained again, on masked atoms and on fragments taken off."""
    train, test = parted(xd.load_dataset(table), split, run["seed"])
    teacher = xd.MolecularTeacher(descriptors=False, seed=run["seed"]).fit(train)
    of_teacher = [figure for figure in run["figures"] if figure["model"] == "teacher"]
    told = right(teacher, test)
    before = next(f["value"] for f in of_teacher if f["metric"] == told["metric"])
    if abs(told["value"] - before) > 1e-4:
        raise SystemExit(f"The teacher is another one: {told['metric']} {told['value']}, {before}.")
    learned = {}
    pool = Pool(TakenOff())
    for control, asked in zip(CONTROLS, (Masking(teacher), teacher), strict=True):
        for name in ("soft-tree", "boosted-trees"):
            started = time.perf_counter()
            learned[f"{name}.{control}"] = xd.distill(
                asked, students()[name], train, transfer=pool, seed=run["seed"]
            )
            print(f"{name} on {control}: {time.perf_counter() - started:.0f} s", flush=True)
    study = xd.compare(teacher, learned, test, seed=run["seed"])
    return [figure for figure in figures_of(study) if figure["model"] != "teacher"]


def figures_of(study: xd.Study) -> list[dict[str, Any]]:
    """Give what is kept of a study."""
    found = []
    for metric in study.comparison.metrics:
        if metric.metric in KEPT:
            told = {name: getattr(metric, name) for name in ("value", "low", "high", "chance")}
            rounded = {k: None if v is None else round(v, 5) for k, v in told.items()}
            found.append({"model": metric.model, "metric": metric.metric, **rounded})
    return found


def right(teacher: xd.Teacher, test: xd.Dataset) -> dict[str, Any]:
    """Give the error or the area under the curve of a teacher on the test molecules."""
    scores = teacher.predict_score(test.X)
    if test.task.kind == "regression":
        metric, value = "rmse", float(np.sqrt(np.square(scores[:, 0] - test.y).mean()))
    else:
        metric, value = "roc_auc", float(roc_auc_score(test.y, scores[:, 1] - scores[:, 0]))
    return {"model": "teacher", "metric": f"performance.{metric}", "value": round(value, 5)}


def name_of(table: str, split: str, descriptors: bool, seed: int | None = None) -> str:
    """Name the runs of a data set, a split and a teacher, or that of a seed."""
    parts = (table, split, None if descriptors else "graph-alone", seed)
    return "-".join(str(part) for part in parts if part is not None)


def path_of(table: str, split: str, descriptors: bool) -> Path:
    """Say where the runs of a data set, a split and a teacher stand."""
    return RESULTS / f"molecules-{name_of(table, split, descriptors)}.json"


def kept_runs(table: str, split: str, descriptors: bool) -> list[dict[str, Any]]:
    """Give the runs that were made before."""
    path = path_of(table, split, descriptors)
    runs: list[dict[str, Any]] = json.loads(path.read_text())["runs"] if path.exists() else []
    return runs


def shown() -> str:
    """Give a table of each data set and split that was run, in Markdown."""
    told = []
    for path in sorted(RESULTS.glob("molecules-*.json")):
        about = json.loads(path.read_text())
        told.append(table_of(*(about[k] for k in ("table", "split", "descriptors", "runs"))))
    return "\n\n".join(told)


def table_of(table: str, split: str, descriptors: bool, runs: list[dict[str, Any]]) -> str:
    """Give a row a model: mean over the seeds (lowest to highest); nothing where none was run."""
    if not runs:
        return ""
    told = [figure | {"seed": run["seed"]} for run in runs for figure in run["figures"]]
    figures = pd.DataFrame(told, columns=["model", "metric", "value", "chance", "seed"])
    values = "performance.rmse" in set(figures["metric"])
    named = {"performance.rmse": "RMSE"} if values else {"performance.roc_auc": "ROC-AUC"}
    named |= {"fidelity.score_r2": "score R²"} if values else {"fidelity.agreement": "agreement"}
    named[REASONS] = "reasons"
    n_students = figures.loc[figures["model"] != "teacher", "seed"].nunique()
    alone = "" if descriptors else " told the graph alone,"
    words = f"{table}, {split} split, {runs[0]['test']} test molecules: the teacher{alone} of "
    words += f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"
    if n_students:
        chance = figures.loc[figures["metric"] == REASONS, "chance"].astype(float).mean()
        words += f", students of {n_students}; a random order of the fragments gets {chance:.2f}"
    ceiling = _over_seeds(figures, "teacher", REASONS).mean()
    lines = [f"| model | learned on | {' | '.join(named.values())} | of the ceiling |"]
    lines.append(f"|---{'|---' * (len(named) + 2)}|")
    for model in dict.fromkeys(figures["model"]):
        name, _, transfer = model.partition(".")
        cells = [_spread(_over_seeds(figures, model, metric)) for metric in named]
        reasons = _over_seeds(figures, model, REASONS).mean()
        of_ceiling = "" if name == "teacher" else f"{reasons / ceiling:.2f}"
        lines.append(f"| {' | '.join([name, transfer, *cells, of_ceiling])} |")
    return "\n".join([f"{words}.", "", *lines])


def _over_seeds(figures: pd.DataFrame, model: str, metric: str) -> pd.Series:
    return figures.loc[(figures["model"] == model) & (figures["metric"] == metric), "value"]


def _spread(values: pd.Series) -> str:
    if values.empty:
        return ""
    if len(values) == 1:
        return f"{values.iloc[0]:.3f}"
    return f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})"


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", default="esol")
    parser.add_argument("--split", choices=SPLITS, default="random")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--keep", type=Path, help="a folder for the studies themselves")
    parser.add_argument(
        "--teacher-alone", action="store_true", help="judge how right the teacher is, and no more"
    )
    parser.add_argument(
        "--graph-alone", action="store_true", help="do not tell the teacher descriptors"
    )
    parser.add_argument(
        "--controls", action="store_true", help="add students of masked atoms to the runs kept"
    )
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    if arguments.show:
        print(shown())
        return
    descriptors = not arguments.graph_alone
    runs = kept_runs(arguments.table, arguments.split, descriptors)
    if arguments.controls:
        if descriptors:
            parser.error("--controls needs --graph-alone: descriptors cannot be masked")
        for run in runs:
            models = {figure["model"].partition(".")[2] for figure in run["figures"]}
            if "coalitions" in models and not models & set(CONTROLS):
                run["figures"] += controls_of(arguments.table, arguments.split, run)
                keep(arguments.table, arguments.split, descriptors, runs)
        return
    for seed in map(int, arguments.seeds.split(",")):
        if any(run["seed"] == seed for run in runs):
            continue
        runs.append(
            one_run(
                arguments.table,
                arguments.split,
                seed,
                arguments.keep,
                alone=arguments.teacher_alone,
                descriptors=descriptors,
            )
        )
        keep(arguments.table, arguments.split, descriptors, runs)
        print(runs[-1]["seed"], runs[-1]["seconds"], flush=True)


def keep(table: str, split: str, descriptors: bool, runs: list[dict[str, Any]]) -> None:
    """Write the runs of a data set, a split and a teacher."""
    path = path_of(table, split, descriptors)
    draft = path.with_suffix(".draft")
    about = {"table": table, "split": split, "descriptors": descriptors, "runs": runs}
    draft.write_text(json.dumps(about, indent=1) + "\n")
    draft.replace(path)


if __name__ == "__main__":
    main()
