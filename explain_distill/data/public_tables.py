"""The tables of public files, with names, units and levels from their documentation, in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.documented_columns import (
    Column,
    documented_dataset,
    read_documented,
    without_repeats,
)
from explain_distill.data.features import numbers

HEART_DISEASE = (
    Column("age", "years"),
    Column("sex", levels={"0": "female", "1": "male"}),
    Column(
        "chest pain",
        levels={
            "1": "typical angina",
            "2": "atypical angina",
            "3": "non-anginal pain",
            "4": "asymptomatic",
        },
    ),
    Column("resting blood pressure", "mm Hg"),
    Column("serum cholesterol", "mg/dL"),
    Column("fasting blood sugar above 120 mg/dL", boolean=True),
    Column(
        "resting ECG",
        levels={"0": "normal", "1": "ST-T wave abnormality", "2": "left ventricular hypertrophy"},
    ),
    Column("maximum heart rate", "beats/min"),
    Column("angina induced by exercise", boolean=True),
    Column("ST depression by exercise", "mm"),
    Column("slope of ST at peak exercise", levels={"1": "up", "2": "flat", "3": "down"}),
    Column("major vessels coloured by fluoroscopy"),
    Column("thallium scan", levels={"3": "normal", "6": "fixed defect", "7": "reversible defect"}),
)

PIMA_DIABETES = (
    Column("pregnancies"),
    Column("plasma glucose 2 hours after a glucose drink", "mg/dL"),
    Column("diastolic blood pressure", "mm Hg"),
    Column("triceps skin fold", "mm"),
    Column("serum insulin after 2 hours", "µU/mL"),
    Column("body mass index", "kg/m²"),
    Column("diabetes pedigree"),
    Column("age", "years"),
)
PIMA_ZERO_IS_MISSING = slice(1, 6)

PARKINSONS = {
    "MDVP:Fo(Hz)": Column("average vocal pitch", "Hz"),
    "MDVP:Fhi(Hz)": Column("highest vocal pitch", "Hz"),
    "MDVP:Flo(Hz)": Column("lowest vocal pitch", "Hz"),
    "MDVP:Jitter(%)": Column("jitter"),
    "MDVP:Jitter(Abs)": Column("absolute jitter", "s"),
    "MDVP:RAP": Column("jitter over 3 periods (RAP)"),
    "MDVP:PPQ": Column("jitter over 5 periods (PPQ)"),
    "Jitter:DDP": Column("jitter of differences (DDP)"),
    "MDVP:Shimmer": Column("shimmer"),
    "MDVP:Shimmer(dB)": Column("shimmer in decibels", "dB"),
    "Shimmer:APQ3": Column("shimmer over 3 periods (APQ3)"),
    "Shimmer:APQ5": Column("shimmer over 5 periods (APQ5)"),
    "MDVP:APQ": Column("shimmer over 11 periods (APQ)"),
    "Shimmer:DDA": Column("shimmer of differences (DDA)"),
    "NHR": Column("noise-to-harmonics ratio"),
    "HNR": Column("harmonics-to-noise ratio", "dB"),
    "RPDE": Column("recurrence period density entropy"),
    "DFA": Column("fractal scaling exponent (DFA)"),
    "spread1": Column("pitch variation, spread 1"),
    "spread2": Column("pitch variation, spread 2"),
    "D2": Column("correlation dimension (D2)"),
    "PPE": Column("pitch period entropy"),
}

GERMAN_CREDIT = (
    Column(
        "checking account",
        levels={
            "A11": "below 0 DM",
            "A12": "0 to 200 DM",
            "A13": "200 DM or more, or salary paid in for a year",
            "A14": "none",
        },
    ),
    Column("duration", "months"),
    Column(
        "credit history",
        levels={
            "A30": "no credits, or all paid back duly",
            "A31": "all credits at this bank paid back duly",
            "A32": "existing credits paid back duly till now",
            "A33": "delays in the past",
            "A34": "critical account, or credits at other banks",
        },
    ),
    Column(
        "purpose",
        levels={
            "A40": "new car",
            "A41": "used car",
            "A42": "furniture or equipment",
            "A43": "radio or television",
            "A44": "domestic appliances",
            "A45": "repairs",
            "A46": "education",
            "A47": "vacation",
            "A48": "retraining",
            "A49": "business",
            "A410": "other",
        },
    ),
    Column("credit amount", "DM"),
    Column(
        "savings",
        levels={
            "A61": "below 100 DM",
            "A62": "100 to 500 DM",
            "A63": "500 to 1000 DM",
            "A64": "1000 DM or more",
            "A65": "unknown or none",
        },
    ),
    Column(
        "employed for",
        levels={
            "A71": "unemployed",
            "A72": "less than 1 year",
            "A73": "1 to 4 years",
            "A74": "4 to 7 years",
            "A75": "7 years or more",
        },
    ),
    Column("instalment rate (code 1 to 4)"),
    Column(
        "sex and marital status",
        levels={
            "A91": "male, divorced or separated",
            "A92": "female, divorced, separated or married",
            "A93": "male, single",
            "A94": "male, married or widowed",
            "A95": "female, single",
        },
    ),
    Column("other parties", levels={"A101": "none", "A102": "co-applicant", "A103": "guarantor"}),
    Column("time at present residence (code 1 to 4)"),
    Column(
        "property",
        levels={
            "A121": "real estate",
            "A122": "building society savings or life insurance",
            "A123": "car or other",
            "A124": "unknown or none",
        },
    ),
    Column("age", "years"),
    Column("other instalment plans", levels={"A141": "bank", "A142": "stores", "A143": "none"}),
    Column("housing", levels={"A151": "rent", "A152": "own", "A153": "for free"}),
    Column("credits at this bank"),
    Column(
        "job",
        levels={
            "A171": "unemployed or unskilled, non-resident",
            "A172": "unskilled, resident",
            "A173": "skilled employee or official",
            "A174": "management, self-employed or highly qualified",
        },
    ),
    Column("people to maintain"),
    Column("telephone in own name", levels={"A191": "no", "A192": "yes"}, boolean=True),
    Column("foreign worker", levels={"A201": "yes", "A202": "no"}, boolean=True),
)

MAGIC = (
    Column("length of the ellipse", "mm"),
    Column("width of the ellipse", "mm"),
    Column("size (log10 of photons)"),
    Column("share of the two brightest pixels"),
    Column("share of the brightest pixel"),
    Column("asymmetry along the long axis", "mm"),
    Column("third root of the third moment, long axis", "mm"),
    Column("third root of the third moment, short axis", "mm"),
    Column("angle of the long axis to the centre", "degrees"),
    Column("distance to the centre", "mm"),
)


def heart_disease(path: Path) -> Dataset:
    """Read the Cleveland table of heart disease: 303 rows, 13 columns, 2 classes."""
    cells = read_documented(path, header=None)
    return documented_dataset(
        "heart-disease",
        cells.iloc[:, :-1],
        HEART_DISEASE,
        (numbers(cells.iloc[:, -1], "num") > 0).astype(np.int64),
        Task("classification", "heart disease", ("no disease", "disease")),
        notes=(
            "The target is the diagnosis 'num': 0 is no disease (no major vessel narrowed by more "
            "than half), 1 to 4 are disease.",
            "The documentation gives no unit for the ST depression; its values are those of mm.",
        ),
    )


def pima_diabetes(path: Path) -> Dataset:
    """Read the table of diabetes in Pima women: 768 rows, 8 columns, 2 classes."""
    cells = read_documented(path, header=None)
    measured = cells.columns[PIMA_ZERO_IS_MISSING]
    cells[measured] = cells[measured].mask(cells[measured].astype(np.float64) == 0)
    return documented_dataset(
        "pima-diabetes",
        cells.iloc[:, :-1],
        PIMA_DIABETES,
        cells.iloc[:, -1].astype(np.int64).to_numpy(),
        Task("classification", "diabetes within five years", ("no diabetes", "diabetes")),
        notes=(
            "A 0 of glucose, blood pressure, skin fold, insulin or body mass index cannot have "
            "been measured; it is treated as missing.",
        ),
    )


def parkinsons(path: Path) -> Dataset:
    """Read the voices of people with and without Parkinson's: 195 rows, 22 columns, 32 groups."""
    cells = read_documented(path, header=0)
    people, _ = pd.factorize(cells["name"].str.rpartition("_")[0])
    return documented_dataset(
        "parkinsons",
        cells[list(PARKINSONS)],
        tuple(PARKINSONS.values()),
        cells["status"].astype(np.int64).to_numpy(),
        Task("classification", "health", ("healthy", "Parkinson's disease")),
        groups=np.asarray(people, dtype=np.int64),
        notes=(
            f"The {len(cells)} recordings come from {people.max() + 1} people, whom the column "
            "'name' tells apart; the recordings of one person stand on one side of a split.",
            "Jitter and shimmer are shares of the period and of the amplitude: what the file "
            "calls 'MDVP:Jitter(%)' agrees with its absolute jitter as a share, not in percent.",
        ),
    )


def german_credit(path: Path) -> Dataset:
    """Read the credits of a German bank: 1000 rows, 20 columns, 2 classes."""
    cells = read_documented(path, header=None, sep=" ")
    return documented_dataset(
        "german-credit",
        cells.iloc[:, :-1],
        GERMAN_CREDIT,
        cells.iloc[:, -1].astype(np.int64).to_numpy() - 1,
        Task("classification", "credit risk", ("good", "bad")),
        notes=(
            "The levels are in the words of the file's documentation, some of which Grömping "
            "(2019, South German Credit Data) found wrong, those of sex and marital status and of "
            "foreign workers among them.",
            "The instalment rate and the time at the present residence are codes for ranges.",
        ),
    )


def magic(path: Path) -> Dataset:
    """Read the showers of the MAGIC telescope: 18905 rows, 10 columns, 2 classes."""
    cells, repeats = without_repeats(read_documented(path, header=None))
    return documented_dataset(
        "magic",
        cells.iloc[:, :-1],
        MAGIC,
        (cells.iloc[:, -1] == "h").astype(np.int64).to_numpy(),
        Task("classification", "particle", ("gamma ray", "hadron")),
        notes=(
            "Each row describes the ellipse of light that a simulated shower of particles leaves "
            "in the telescope's camera.",
            "There are fewer hadrons here than in the sky, where they are the large majority.",
            repeats,
        ),
    )
