"""The tables that ship with scikit-learn, with names, units and levels in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema


def breast_cancer() -> Dataset:
    """Load the breast-cancer table of Wisconsin: 569 rows, 30 columns, 2 classes."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    return Dataset(
        "breast-cancer",
        table.data,
        table.target.astype(np.int64),
        Schema(tuple(Feature(_without_error_word(str(name))) for name in table.feature_names)),
        Task("classification", "diagnosis", tuple(map(str, table.target_names))),
        notes=(
            "Each column describes the cell nuclei in the image of one fine needle aspirate: the "
            "mean, its standard error, and the mean of the three largest ('worst').",
            "The table's documentation gives no units.",
        ),
    )


def _without_error_word(name: str) -> str:
    """Say 'standard error' of what scikit-learn calls an error, which a reader may misread."""
    return f"{name.removesuffix(' error')} standard error" if name.endswith(" error") else name


def diabetes() -> Dataset:
    """Load the diabetes table of Efron et al.: 442 rows, 10 columns, a value to predict."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    rows = table.data.copy()
    rows[:, 1] -= 1  # the sex, written as 1 and 2, as the code of its level
    features = (
        Feature("age", unit="years"),
        Feature("sex", "category", levels=("1", "2")),
        Feature("body mass index", unit="kg/m²"),
        Feature("mean blood pressure", unit="mm Hg"),
        Feature("total cholesterol", unit="mg/dL"),
        Feature("LDL cholesterol", unit="mg/dL"),
        Feature("HDL cholesterol", unit="mg/dL"),
        Feature("total to HDL cholesterol ratio"),
        Feature("log of triglycerides"),
        Feature("blood sugar", unit="mg/dL"),
    )
    return Dataset(
        "diabetes",
        rows,
        table.target.astype(np.float64),
        Schema(features),
        Task("regression", "disease progression after one year"),
        notes=(
            "The columns are in raw units, not standardised as scikit-learn gives them by default.",
            "The documentation does not say which sex 1 and 2 are.",
            "The documentation gives no units beside years; those shown are the ones in which "
            "the values are plausible. It takes 'log of triglycerides' for likely, not certain.",
        ),
    )


def digits() -> Dataset:
    """Load the handwritten digits: 1797 images of 8 by 8 pixels, 10 classes."""
    from sklearn.datasets import load_digits

    table = load_digits()
    places = [(row, column) for row in range(1, 9) for column in range(1, 9)]
    names = [f"pixel row {row}, column {column}" for row, column in places]
    rows, kept = _without_constants(table.data)
    dropped = [name for name, keep in zip(names, kept, strict=True) if not keep]
    return Dataset(
        "digits",
        rows,
        table.target.astype(np.int64),
        Schema(
            tuple(
                Feature(name, unit="of 16") for name, keep in zip(names, kept, strict=True) if keep
            )
        ),
        Task("classification", "digit", tuple(map(str, table.target_names))),
        notes=(
            "Each column is the intensity of one pixel, from 0 (paper) to 16 (ink); rows and "
            "columns of pixels are counted from 1 at the top left.",
            f"Set aside, since they are 0 in every row: {_listed(dropped)}.",
        ),
    )


def wine() -> Dataset:
    """Load the wine table: 178 rows, 13 columns, 3 classes."""
    from sklearn.datasets import load_wine

    table = load_wine()
    names = {
        "alcalinity_of_ash": "alkalinity of ash",
        "flavanoids": "flavonoids",
        "nonflavanoid_phenols": "non-flavonoid phenols",
        "color_intensity": "colour intensity",
        "od280/od315_of_diluted_wines": "OD280/OD315 of diluted wine",
    }
    features = (
        Feature(
            names.get(name, name.replace("_", " ")), unit="% vol" if name == "alcohol" else None
        )
        for name in map(str, table.feature_names)
    )
    return Dataset(
        "wine",
        table.data,
        table.target.astype(np.int64),
        Schema(tuple(features)),
        Task("classification", "cultivar", ("cultivar 1", "cultivar 2", "cultivar 3")),
        notes=(
            "The documentation does not name the three cultivars, and gives no units; that of "
            "alcohol is plain from its values.",
        ),
    )


def _without_constants(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop the columns with one value; give the rest and the mask ``(n_columns,)`` of them."""
    kept = np.ptp(rows, axis=0) > 0
    return rows[:, kept], kept


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names)
