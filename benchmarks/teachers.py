"""Which network makes the teacher: the evidence for `NeuralTeacher`'s architecture and defaults.

    pip install tabm rtdl_num_embeddings
    python benchmarks/teachers.py

Each candidate is trained on the training rows of five tables for three seeds, stops early on an
inner validation split, is calibrated on it by the same temperature scaling, and is judged on the
test rows: accuracy and log-loss, or R². TabM (Gorishniy, Kotelnikov & Babenko 2024) has its own
defaults, with and without periodic embeddings of numbers; the last two rows are what a teacher must
be worth its size against. Results go to ``benchmarks/results/teachers.json``.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

import explain_distill as xd
from explain_distill._preparation import Preparation
from explain_distill.data.dataset import split_indices
from explain_distill.metrics.performance import r2
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.teachers import batched_mlp
from explain_distill.teachers.neural import fitted_temperature

RESULTS = Path(__file__).parent / "results" / "teachers.json"
TABLES = ("heart-disease", "diabetes", "wine", "pima-diabetes", "breast-cancer")
SEEDS = (0, 1, 2)
Fit = Callable[[xd.Dataset, int], Callable[[xd.Dataset], np.ndarray]]


def ensemble(squash: float = batched_mlp.CLIP, **options: float | str) -> Fit:
    """Make `NeuralTeacher` with these options; `squash` is where inputs are squashed."""

    def fit(train: xd.Dataset, seed: int) -> Callable[[xd.Dataset], np.ndarray]:
        batched_mlp.CLIP = squash
        teacher = xd.NeuralTeacher(seed=seed, **options).fit(train)  # type: ignore[arg-type]

        def score(data: xd.Dataset) -> np.ndarray:
            batched_mlp.CLIP = squash
            return teacher.predict_score(data.X)

        return score

    return fit


def tabm(embeddings: bool) -> Fit:
    """Make TabM with its own defaults."""

    def fit(train: xd.Dataset, seed: int) -> Callable[[xd.Dataset], np.ndarray]:
        from rtdl_num_embeddings import PeriodicEmbeddings
        from tabm import TabM

        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        held_out = split_indices(train, 0.15, rng)
        inner = np.setdiff1d(np.arange(len(train)), held_out)
        prepare = Preparation.fit(train.readable()[inner])
        rows = torch.as_tensor(prepare(train.readable()), dtype=torch.float32)
        classify = train.task.kind == "classification"
        centre, scale = train.y[inner].mean(), train.y[inner].std()
        y = torch.as_tensor(train.y if classify else (train.y - centre) / scale)
        embed = PeriodicEmbeddings(rows.shape[1], lite=False) if embeddings else None
        model = TabM.make(
            n_num_features=rows.shape[1], d_out=train.task.n_scores, num_embeddings=embed
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=3e-4)

        def loss(part: np.ndarray) -> torch.Tensor:
            outputs, truth = model(rows[part]), y[part]
            if not classify:
                return (outputs[..., 0] - truth.float()[:, None]).square().mean()
            wide = truth.repeat_interleave(outputs.shape[1])
            return functional.cross_entropy(outputs.flatten(0, 1), wide)

        best, kept, waited = np.inf, None, 0
        while waited < 30:
            model.train()
            order = rng.permutation(inner)
            for start in range(0, len(order), 128):
                optimizer.zero_grad()
                loss(order[start : start + 128]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            model.eval()
            with torch.no_grad():
                now = loss(held_out).item()
            waited = 0 if now < best else waited + 1
            if now < best:
                best, kept = now, {k: v.clone() for k, v in model.state_dict().items()}
        model.load_state_dict(kept)

        def outputs(part: torch.Tensor) -> np.ndarray:
            with torch.no_grad():
                return model(part).mean(dim=1).double().numpy()

        temperature = 1.0
        if classify:
            temperature = fitted_temperature(outputs(rows[held_out]), train.y[held_out])

        def score(data: xd.Dataset) -> np.ndarray:
            part = torch.as_tensor(prepare(data.readable()), dtype=torch.float32)
            found = outputs(part)
            return found / temperature if classify else found * scale + centre

        return score

    return fit


def scikit(classifier: Callable[[], object], regressor: Callable[[], object]) -> Fit:
    """Make an estimator of scikit-learn on readable features."""

    def fit(train: xd.Dataset, seed: int) -> Callable[[xd.Dataset], np.ndarray]:
        classify = train.task.kind == "classification"
        made = classifier() if classify else regressor()
        model = make_pipeline(SimpleImputer(), StandardScaler(), made).fit(
            train.readable(), train.y
        )

        def score(data: xd.Dataset) -> np.ndarray:
            if not classify:
                return model.predict(data.readable()).reshape(-1, 1)
            return np.log(np.clip(model.predict_proba(data.readable()), 1e-3, None))

        return score

    return fit


CANDIDATES: dict[str, Fit] = {
    "ensemble (default)": ensemble(),
    "ensemble, inputs not squashed": ensemble(squash=1e9),
    "ensemble, 3 layers of 256": ensemble(width=256, depth=3),
    "ensemble, units of SiLU": ensemble(activation="silu"),
    "one network": ensemble(members=1),
    "TabM": tabm(embeddings=False),
    "TabM, periodic embeddings": tabm(embeddings=True),
    "random forest": scikit(
        lambda: RandomForestClassifier(300, random_state=0),
        lambda: RandomForestRegressor(300, random_state=0),
    ),
    "linear": scikit(lambda: LogisticRegression(max_iter=5000), RidgeCV),
}


def judge(fit: Fit, table: str, seed: int) -> dict[str, float]:
    """Train and judge one candidate once."""
    train, test = xd.load_dataset(table).split(seed=seed)
    started = time.perf_counter()
    score = fit(train, seed)(test)
    seconds = time.perf_counter() - started
    if test.task.kind == "regression":
        return {"r2": float(r2(test.y, score[:, 0])), "seconds": seconds}
    probabilities = probabilities_of_score(score)
    picked = probabilities[np.arange(len(test)), test.y]
    return {
        "accuracy": float((probabilities.argmax(axis=1) == test.y).mean()),
        "log_loss": float(-np.log(picked).mean()),
        "seconds": seconds,
    }


def shown(rows: list[dict[str, Any]]) -> str:
    """Give a table of each measure: candidates by tables."""
    frame = pd.DataFrame(rows)
    measures = frame.columns.intersection(["accuracy", "log_loss", "r2", "seconds"])
    parts = [
        f"{measure}\n{frame.pivot_table(measure, 'candidate', 'table', sort=False).to_string()}"
        for measure in measures
    ]
    return "\n\n".join(parts)


def main() -> None:
    """Judge every candidate on every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    if arguments.show:
        print(shown(json.loads(RESULTS.read_text())["rows"]))
        return
    torch.set_num_threads(1)
    rows = []
    for table in arguments.tables.split(","):
        for name, fit in CANDIDATES.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = [judge(fit, table, seed) for seed in SEEDS]
            mean = pd.DataFrame(found).mean().round(4)
            rows.append({"table": table, "candidate": name, **mean.to_dict()})
            print(rows[-1], flush=True)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps({"seeds": SEEDS, "rows": rows}, indent=1) + "\n")
    print(shown(rows))


if __name__ == "__main__":
    main()
