"""The public tables that audits are commonly shown on: incomes and relapses into crime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.documented_columns import (
    Column,
    documented_dataset,
    read_documented,
    without_repeats,
)
from explain_distill.data.features import numbers

ADULT_COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
)

COUNTRIES = {
    "Cambodia": "Cambodia",
    "Canada": "Canada",
    "China": "China",
    "Columbia": "Colombia",
    "Cuba": "Cuba",
    "Dominican-Republic": "Dominican Republic",
    "Ecuador": "Ecuador",
    "El-Salvador": "El Salvador",
    "England": "England",
    "France": "France",
    "Germany": "Germany",
    "Greece": "Greece",
    "Guatemala": "Guatemala",
    "Haiti": "Haiti",
    "Holand-Netherlands": "Netherlands",
    "Honduras": "Honduras",
    "Hong": "Hong Kong",
    "Hungary": "Hungary",
    "India": "India",
    "Iran": "Iran",
    "Ireland": "Ireland",
    "Italy": "Italy",
    "Jamaica": "Jamaica",
    "Japan": "Japan",
    "Laos": "Laos",
    "Mexico": "Mexico",
    "Nicaragua": "Nicaragua",
    "Outlying-US(Guam-USVI-etc)": "outlying US (Guam, US Virgin Islands etc.)",
    "Peru": "Peru",
    "Philippines": "Philippines",
    "Poland": "Poland",
    "Portugal": "Portugal",
    "Puerto-Rico": "Puerto Rico",
    "Scotland": "Scotland",
    "South": "'South'",
    "Taiwan": "Taiwan",
    "Thailand": "Thailand",
    "Trinadad&Tobago": "Trinidad and Tobago",
    "United-States": "United States",
    "Vietnam": "Vietnam",
    "Yugoslavia": "Yugoslavia",
}

ADULT = {
    "age": Column("age", "years"),
    "workclass": Column(
        "kind of employer",
        levels={
            "Private": "private",
            "Self-emp-not-inc": "self-employed, not incorporated",
            "Self-emp-inc": "self-employed, incorporated",
            "Federal-gov": "federal government",
            "State-gov": "state government",
            "Local-gov": "local government",
            "Without-pay": "without pay",
            "Never-worked": "never worked",
        },
    ),
    "education-num": Column("level of education (code 1 to 16)"),
    "marital-status": Column(
        "marital status",
        levels={
            "Married-civ-spouse": "married, civilian spouse",
            "Married-AF-spouse": "married, spouse in the armed forces",
            "Married-spouse-absent": "married, spouse absent",
            "Never-married": "never married",
            "Separated": "separated",
            "Divorced": "divorced",
            "Widowed": "widowed",
        },
    ),
    "occupation": Column(
        "occupation",
        levels={
            "Adm-clerical": "administration and clerks",
            "Armed-Forces": "armed forces",
            "Craft-repair": "craft and repair",
            "Exec-managerial": "executives and managers",
            "Farming-fishing": "farming and fishing",
            "Handlers-cleaners": "handlers and cleaners",
            "Machine-op-inspct": "machine operation and inspection",
            "Other-service": "other services",
            "Priv-house-serv": "service in private houses",
            "Prof-specialty": "professional specialty",
            "Protective-serv": "protective services",
            "Sales": "sales",
            "Tech-support": "technical support",
            "Transport-moving": "transport",
        },
    ),
    "relationship": Column(
        "place in the family",
        levels={
            "Husband": "husband",
            "Wife": "wife",
            "Own-child": "own child",
            "Other-relative": "other relative",
            "Not-in-family": "not in a family",
            "Unmarried": "unmarried",
        },
    ),
    "race": Column(
        "race",
        levels={
            "Amer-Indian-Eskimo": "American Indian or Eskimo",
            "Asian-Pac-Islander": "Asian or Pacific islander",
            "Black": "Black",
            "White": "White",
            "Other": "other",
        },
    ),
    "sex": Column("sex", levels={"Female": "female", "Male": "male"}),
    "capital-gain": Column("capital gain", "USD"),
    "capital-loss": Column("capital loss", "USD"),
    "hours-per-week": Column("hours of work a week", "h"),
    "native-country": Column("native country", levels=COUNTRIES),
}

COMPAS = {
    "sex": Column("sex", levels={"Female": "female", "Male": "male"}),
    "age": Column("age", "years"),
    "race": Column(
        "race",
        levels={
            name: name
            for name in (
                "African-American",
                "Asian",
                "Caucasian",
                "Hispanic",
                "Native American",
                "Other",
            )
        },
    ),
    "juv_fel_count": Column("felonies as a juvenile"),
    "juv_misd_count": Column("misdemeanours as a juvenile"),
    "juv_other_count": Column("other charges as a juvenile"),
    "priors_count": Column("earlier charges"),
    "c_charge_degree": Column("charge", levels={"F": "felony", "M": "misdemeanour"}),
}
COMPAS_LAST_SCREENING = "2014-04-01"
"""Whoever was screened later was not followed for two years."""


def adult(path: Path) -> Dataset:
    """Read the incomes of the US census of 1994: 32537 rows, 12 columns, 2 classes."""
    cells, repeats = without_repeats(
        read_documented(path, header=None, names=ADULT_COLUMNS, skipinitialspace=True)
    )
    return documented_dataset(
        "adult",
        cells[list(ADULT)],
        tuple(ADULT.values()),
        (cells["income"] == ">50K").astype(np.int64).to_numpy(),
        Task("classification", "yearly income", ("at most 50 000 USD", "above 50 000 USD")),
        notes=(
            "These are the rows of 'adult.data'; those of 'adult.test' are not read.",
            repeats,
            "Set aside: 'fnlwgt', the weight of a row in the census and nothing about a person, "
            "and 'education', whose levels the code for the level of education repeats (9 is a "
            "high school's, 13 a bachelor's, 16 a doctor's degree).",
            "A capital gain of 99 999 USD stands for that or more.",
            "The file does not say which country 'South' is.",
        ),
    )


def compas(path: Path) -> Dataset:
    """Read ProPublica's defendants of Broward County: 5304 rows, 8 columns, 2 classes."""
    cells = read_documented(path, header=0)
    near = np.abs(numbers(cells["days_b_screening_arrest"], "days_b_screening_arrest")) <= 30
    usual = near & (cells["is_recid"] != "-1") & (cells["c_charge_degree"] != "O")
    followed = cells["compas_screening_date"] <= COMPAS_LAST_SCREENING
    kept = cells[usual & followed].reset_index(drop=True)
    return documented_dataset(
        "compas",
        kept[list(COMPAS)],
        tuple(COMPAS.values()),
        kept["two_year_recid"].astype(np.int64).to_numpy(),
        Task("classification", "charged again within two years", ("no", "yes")),
        notes=(
            f"Of {len(cells)} rows, {usual.sum()} pass ProPublica's filter (screened within 30 "
            "days of the arrest; a case that could be matched; no ordinary traffic offence).",
            f"{(usual & ~followed).sum()} of these were screened after 1 April 2014, too late to "
            "be followed for two years, and stand in the file only because they were charged "
            "again; they are set aside (Barenstein 2019, ProPublica's COMPAS data revisited).",
            "Set aside: the scores of COMPAS itself, and whatever happened after the screening.",
            "The truth is a new charge, not a new crime: whoever is policed more is charged more.",
        ),
    )
