"""What a column is: its name, its kind, its unit, its levels; and a table's columns together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from explain_distill._arrays import is_number
from explain_distill._types import Json, Rows
from explain_distill.exceptions import DataError

FeatureKind = Literal["number", "category", "boolean", "fragment"]

TRUE_WORDS = frozenset({"true", "yes", "y", "t", "1", "1.0"})
FALSE_WORDS = frozenset({"false", "no", "n", "f", "0", "0.0"})

SHOWN_LEVELS = 3  # levels that a warning names

MOST_ENVIRONMENTS = 1024

EXACT_WHOLE = 2.0**53
"""Below it, a float that is whole is one whole number and no other."""


class UnseenLevelWarning(UserWarning):
    """A category holds a level that the training rows never held; it is treated as missing."""


@dataclass(frozen=True)
class Feature:
    """One raw column.

    Parameters
    ----------
    name : str
    kind : {"number", "category", "boolean", "fragment"}
    unit : str, optional
        For display: ``"mm Hg"``.
    levels : tuple of str, default=()
        The levels of a category in the order of their codes; of a boolean the words for false and
        true, or none where the table holds 0 and 1.
    part_of : str, optional
        Of a kind of fragment: the table's column that holds the molecules. A cell is the number of
        the molecule that such fragments come from; see `molecules`.
    """

    name: str
    kind: FeatureKind = "number"
    unit: str | None = None
    levels: tuple[str, ...] = ()
    part_of: str | None = None

    def encode(self, values: pd.Series) -> np.ndarray:
        """Turn a column of a table into codes: ``(n_samples,)`` float64, missing as NaN.

        Raises
        ------
        DataError
            Where a number is expected and the column holds text or an infinite value.
        """
        if self.kind == "number":
            return numbers(values, self.name)
        if self.kind == "boolean":
            return self._encode_boolean(values)
        codes = level_text(values).map({level: code for code, level in enumerate(self.levels)})
        unseen = self.unseen(values)
        if len(unseen):
            told = self.unseen_warning(unseen.unique().tolist(), len(unseen), len(values))
            warnings.warn(told, stacklevel=3)
        return codes.to_numpy(dtype=np.float64, na_value=np.nan)

    def unseen(self, values: pd.Series) -> pd.Series:
        """Give those cells of a category, as text, whose level training never saw."""
        text = level_text(values)
        return text[text.notna() & ~text.isin(self.levels)]

    def unseen_warning(
        self, levels: Sequence[str], n_unseen: int, n_rows: int
    ) -> UnseenLevelWarning:
        """Say which levels training never saw, and in how many of the rows."""
        shown = ", ".join(map(repr, levels[:SHOWN_LEVELS]))
        return UnseenLevelWarning(
            f"Column {self.name!r} holds {shown} in {n_unseen} of {n_rows} rows; training never "
            "saw this level, so it is treated as missing."
        )

    def _encode_boolean(self, values: pd.Series) -> np.ndarray:
        text = level_text(values).str.lower()
        codes = pd.Series(np.nan, index=values.index)
        codes[text.isin(TRUE_WORDS)] = 1.0
        codes[text.isin(FALSE_WORDS)] = 0.0
        wrong = codes.isna() & text.notna()
        if wrong.any():
            raise DataError(
                f"Column {self.name!r} must hold true or false; however, row {first_row(wrong)} "
                f"holds {str(values[wrong].iloc[0])!r}. Mend that row, or leave it empty."
            )
        return codes.to_numpy(dtype=np.float64)

    def decode(self, codes: np.ndarray) -> pd.Series:
        """Turn codes back into the column as pandas would read it.

        That is numbers, text without blanks around it, truth values where the words are true and
        false; and NaN where a cell is missing.
        """
        if not self.levels:
            return pd.Series(codes, name=self.name)
        missing = np.isnan(codes)
        held = np.array([*self.levels, np.nan], dtype=object)
        if self.kind == "boolean" and {word.lower() for word in self.levels} == {"true", "false"}:
            held = np.array([False, True, np.nan], dtype=object)
        values = held[np.where(missing, len(self.levels), codes).astype(np.int64)]
        whole = held[0] is False and not missing.any()
        return pd.Series(values, name=self.name, dtype=bool if whole else object)

    def word(self, code: float, digits: int = 4) -> str:
        """Say one value in words, with its unit: ``"54 years"``."""
        if np.isnan(code):
            return "missing"
        if self.kind == "number":
            return f"{code:.{digits}g}" + (f" {self.unit}" if self.unit else "")
        return (self.levels or ("no", "yes"))[int(code)]


@dataclass(frozen=True)
class Environment:
    """An atom and what is around it, which students of molecules count.

    Parameters
    ----------
    key : int
        The identifier that Morgan fingerprints give it, of 32 bits.
    smiles : str
        Its atoms, as SMILES.
    share : float
        Of the training molecules that have it, from 0 to 1.
    structures : int, default=1
        How many it stands for among them: identifiers have 32 bits, and two may share one.
    """

    key: int
    smiles: str
    share: float
    structures: int = 1

    @classmethod
    def from_json(cls, json: Json) -> Environment:
        """Read what a study keeps of an environment.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is none.
        """
        key, smiles, share = json["key"], json["smiles"], json["share"]
        if type(key) is not int or not 0 <= key < 2**32:
            raise ValueError(f"an environment's key is {key!r}, not a whole number of 32 bits")
        if not isinstance(smiles, str):
            raise ValueError(f"an environment's smiles is {smiles!r}, not text")
        if not is_number(share) or not 0 <= share <= 1:
            raise ValueError(f"an environment's share is {share!r}, not a number from 0 to 1")
        structures = json["structures"]
        if type(structures) is not int or structures < 1:
            raise ValueError(f"an environment's structures are {structures!r}, not one or more")
        return cls(key, smiles, float(share), structures)


@dataclass(frozen=True)
class Schema:
    """The raw columns of a table, in order.

    Parameters
    ----------
    features : tuple of Feature
    environments : tuple of Environment, default=()
        Of molecules: what students count besides; see `environments_of`.
    """

    features: tuple[Feature, ...]
    environments: tuple[Environment, ...] = ()

    def __len__(self) -> int:
        return len(self.features)

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [feature.name for feature in self.features]

    @property
    def molecules(self) -> str | None:
        """The table's column of molecules; None where rows are no molecules."""
        return self.features[0].part_of if self.features else None

    def encode(self, table: pd.DataFrame, source: str = "The table") -> Rows:
        """Bring a table into the order and the codes of this schema.

        Extra columns are ignored and the order does not matter. A level that the schema does not
        know becomes missing, with an `UnseenLevelWarning`.

        Parameters
        ----------
        table : DataFrame of shape (n_samples, at least n_columns)
        source : str
            What to call the table in an error.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)

        Raises
        ------
        DataError
            Where a column is absent, or holds what cannot be read.
        """
        self.check(table, source)
        if self.molecules is not None:
            from explain_distill.data.molecules import rows_of_column

            return rows_of_column(table[self.molecules])
        columns = [feature.encode(table[feature.name]) for feature in self.features]
        return np.column_stack(columns).astype(np.float64).reshape(len(table), len(self))

    def check(self, table: pd.DataFrame, source: str = "The table") -> None:
        """Refuse a table that lacks a column of this schema, or has one twice.

        Raises
        ------
        DataError
        """
        wanted = self.names if self.molecules is None else [self.molecules]
        absent = [name for name in wanted if name not in table.columns]
        if absent:
            raise DataError(
                f"{source} must hold the columns that training had; however, "
                f"{', '.join(map(repr, absent[:5]))} {'is' if len(absent) == 1 else 'are'} absent. "
                "Add the column; leave its cells empty where the value is unknown."
            )
        doubled = table.columns[table.columns.duplicated()]
        if len(doubled):
            raise DataError(
                f"Each column of {source[0].lower() + source[1:]} must have a name of its own; "
                f"however, {str(doubled[0])!r} names several. Rename or remove one."
            )

    def decode(self, rows: Rows) -> pd.DataFrame:
        """Turn coded rows back into a table as a person would read it."""
        if self.molecules is not None:
            from explain_distill.data.molecules import numbers_of, smiles_of

            return pd.DataFrame({self.molecules: [*map(smiles_of, numbers_of(rows))]})
        return pd.DataFrame(
            {f.name: f.decode(rows[:, i]) for i, f in enumerate(self.features)},
        )

    def to_json(self) -> list[Json]:
        """Describe the columns as a list of JSON objects."""
        columns: list[Json] = [
            {"name": f.name, "kind": f.kind, "unit": f.unit, "levels": list(f.levels)}
            | ({} if f.part_of is None else {"part_of": f.part_of})
            for f in self.features
        ]
        if self.environments:
            columns[0]["environments"] = [asdict(each) for each in self.environments]
        return columns

    @classmethod
    def from_json(cls, columns: Sequence[Json]) -> Schema:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is not of that form.
        """
        environments = [e for c in columns[:1] for e in c.get("environments", ())]
        if len(environments) > MOST_ENVIRONMENTS:
            raise ValueError(f"{len(environments)} environments, not {MOST_ENVIRONMENTS} at most")
        if environments and columns[0].get("part_of") is None:
            raise ValueError("environments of atoms, where rows are no molecules")
        return cls(
            tuple(
                Feature(
                    c["name"],
                    c["kind"],
                    c.get("unit"),
                    tuple(c.get("levels", ())),
                    c.get("part_of"),
                )
                for c in columns
            ),
            tuple(Environment.from_json(e) for e in environments),
        )


def numbers(values: pd.Series, name: str) -> np.ndarray:
    """Read a column as numbers, empty cells as NaN.

    Raises
    ------
    DataError
        Names the first row (counted from 1, without the header) that holds text or an infinity.
    """
    if values.dtype.kind in "mM":  # dates and durations, which to_numeric takes for nanoseconds
        read = pd.Series(np.nan, index=values.index)
    else:
        read = pd.to_numeric(values, errors="coerce").astype(np.float64)
    wrong = read.isna() & values.notna()
    if is_text(values):
        wrong &= values.str.strip() != ""
    if wrong.any():
        raise DataError(
            f"Column {name!r} must hold numbers; however, row {first_row(wrong)} holds "
            f"{str(values[wrong].iloc[0])!r}. Mend that row, or leave the cell empty."
        )
    infinite = read.isin([np.inf, -np.inf])
    if infinite.any():
        raise DataError(
            f"Column {name!r} must hold finite numbers; however, row {first_row(infinite)} is "
            "infinite. Mend that row, or leave the cell empty where the value is unknown."
        )
    return read.to_numpy()


def is_text(values: pd.Series) -> bool:
    """Whether a column's cells are text, missing cells aside."""
    # pandas calls every column of objects a string column, also one of dates or lists.
    return isinstance(values.dtype, pd.StringDtype) or (
        values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) == "string"
    )


def level_text(values: pd.Series) -> pd.Series:
    """Write a column's cells as text, so that a level reads the same from CSV and Parquet.

    How a cell is written does not depend on the others.
    """
    text = values.astype("string").str.strip()
    if pd.api.types.is_float_dtype(values):
        whole = (values == values.round()) & (values.abs() < EXACT_WHOLE)
        text = text.mask(whole, values.where(whole).astype("Int64").astype("string"))
    return text.mask(text == "")


def number_of_level(level: str) -> float | None:
    """Give the number whose text a level is, as `level_text` writes numbers; None for words."""
    try:
        number = float(level)
    except ValueError:
        return None
    whole = np.isfinite(number) and number == round(number) and abs(number) < EXACT_WHOLE
    written = str(int(number)) if whole else repr(number)
    return number if written == level and np.isfinite(number) else None


def called(name: str) -> str:
    """Call a class by its name, one that is a number as such: ``"benign"``, ``"class 1"``."""
    return name if number_of_level(name) is None else f"class {name}"


def first_row(wrong: pd.Series) -> int:
    """Give the number of the first true row in its file, counted from 1 without the header."""
    place = int(np.argmax(wrong.to_numpy(dtype=bool)))
    # After rows were set aside, the index still tells which row of the file it is.
    numbered = pd.api.types.is_integer_dtype(wrong.index.dtype)
    return (int(wrong.index[place]) if numbered else place) + 1
