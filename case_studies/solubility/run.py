"""What makes a molecule insoluble? A readable equation of the teacher beside Delaney's.

    python case_studies/solubility/run.py            # measure
    python case_studies/solubility/run.py --show     # print what was measured

fits Delaney's form, a weighted sum of logP, molecular weight, rotatable bonds and the share of
aromatic atoms, to what was measured, to what the teacher says and to what its student says of the
training molecules; tests all on the molecules of the last tenth; and tells what fragments add.

Delaney (2004), ESOL: estimating aqueous solubility directly from molecular structure, Journal of
Chemical Information and Computer Sciences 44, 1000-1005.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression

import explain_distill as xd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from molecule_cases import (  # noqa: E402 - it stands beside this folder
    STUDENT,
    benchmark,
    effects_of,
    effects_table,
    in_markdown,
    keep,
    study_of,
    table_of,
)

TERMS = {
    "logP (Crippen)": -0.63,
    "molecular weight": -0.0062,
    "rotatable bonds": 0.066,
    "share of aromatic atoms": -0.74,
}
DELANEY = (0.16, *TERMS.values())
RESAMPLED = 1000


def described(data: xd.Dataset) -> np.ndarray:
    """Give Delaney's four terms of molecules ``(n, 4)``."""
    names = [feature.name for feature in data.readable_features.features]
    return data.readable()[:, [names.index(name) for name in TERMS]]


def equation(terms: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fit intercept and weights ``(5,)`` by least squares."""
    fitted = LinearRegression().fit(terms, y)
    return np.concatenate([[fitted.intercept_], fitted.coef_])


def resampled(terms: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fit it to molecules drawn anew: its 95% interval ``(2, 5)``."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(len(y), size=len(y)) for _ in range(RESAMPLED)]
    told = np.array([equation(terms[rows], y[rows]) for rows in drawn])
    return np.quantile(told, [0.025, 0.975], axis=0)


def off(said: np.ndarray, y: np.ndarray) -> float:
    """Give the root mean squared error, in log mol/L."""
    return float(np.sqrt(np.square(said - y).mean()))


def measured() -> dict[str, Any]:
    """Fit and test the equations."""
    study = study_of(HERE, "esol", "random")
    train, test = benchmark.parted(xd.load_dataset("esol"), "random", 0)
    teacher, student = study.comparison.teacher, study.students[STUDENT]
    assert teacher is not None
    said = {
        "measured": train.y,
        "teacher": teacher.predict_score(train.X)[:, 0],
        "soft tree": student.predict_score(train.readable())[:, 0],
    }
    terms, of_test = described(train), described(test)
    told: dict[str, Any] = {"equations": {}, "rmse": {}}
    told["rmse"]["Delaney's equation, as published"] = off(
        DELANEY[0] + of_test @ DELANEY[1:], test.y
    )
    for name, y in said.items():
        weights, (low, high) = equation(terms, y), resampled(terms, y)
        told["equations"][name] = [
            [round(float(v), 5) for v in each] for each in zip(weights, low, high, strict=True)
        ]
        told["rmse"][f"its form, fitted to {name}"] = off(
            weights[0] + of_test @ weights[1:], test.y
        )
    told["rmse"]["teacher"] = off(teacher.predict_score(test.X)[:, 0], test.y)
    for name, student in study.students.items():
        told["rmse"][name] = off(student.predict_score(test.readable())[:, 0], test.y)
    told["effects"] = effects_of(study)
    return told


def shown(told: dict[str, Any]) -> str:
    """Write the tables of the README."""
    names = ("constant", *TERMS)
    rows = []
    for place, name in enumerate(names):
        row = [name, f"{DELANEY[place]:g}"]
        for found in told["equations"].values():
            value, low, high = found[place]
            row.append(f"{value:.4g} [{low:.4g}, {high:.4g}]")
        rows.append(row)
    equations = in_markdown(("term", "Delaney (2004)", *told["equations"]), rows)
    errors = in_markdown(
        ("what predicts", "RMSE on test molecules"),
        [[name, f"{value:.3f}"] for name, value in told["rmse"].items()],
    )
    return "\n\n".join(
        [table_of("esol", "random"), equations, errors, effects_table(told["effects"])]
    )


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    if not parser.parse_args().show:
        keep(HERE, "solubility", measured())
    print(shown(json.loads((HERE / "results" / "solubility.json").read_text())))


if __name__ == "__main__":
    main()
