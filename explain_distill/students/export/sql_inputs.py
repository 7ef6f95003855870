"""What a query reads of a table: cells as numbers, truth values and levels, step by step."""

from __future__ import annotations

from explain_distill.data.features import FALSE_WORDS, TRUE_WORDS, number_of_level
from explain_distill.exceptions import DataError
from explain_distill.students.export.quoting import exact, sql_name, sql_text
from explain_distill.students.export.tree_model import TreeModel

BLANKS = "".join(character for character in map(chr, range(256)) if character.isspace())
"""What stands around a word and does not belong to it; of Latin-1, which any database can hold."""
MOST_COLUMNS = 1600
"""Of a step: PostgreSQL holds 1664, SQLite 2000."""


def texts(model: TreeModel, row: str) -> str:
    """Select of each column used ``c`` its cells, and ``t`` the same as text without blanks."""
    columns = [f'"numbered".{row} AS "row number"']
    for place in _columns(model):
        # SQLite takes an unknown name that stands alone for a text.
        cell = f'"numbered".{sql_name(model.columns[place].name)}'
        columns.append(f'{cell} AS "c{place}"')
        columns.append(
            f'TRIM(CAST({cell} AS TEXT), (SELECT "characters" FROM "blanks")) AS "t{place}"'
        )
    return select(columns, "numbered")


def values(model: TreeModel) -> str:
    """Select ``v``, a number or a truth value, or ``t``, the text of a category."""
    columns = ['"row number"']
    for place in _columns(model):
        kind = model.columns[place].kind
        if kind in ("number", "boolean"):
            value = _number(place) if kind == "number" else _truth(place)
            columns.append(f'{value} AS "v{place}"')
        else:
            columns.append(f'"t{place}"')
    return select(columns, "texts")


def _columns(model: TreeModel) -> list[int]:
    return sorted({model.features[feature].column for feature in model.used})


def _number(place: int) -> str:
    """Read a number, and none out of text that is no number, which SQLite would cast to 0.

    A number has digits, after at most a sign and around at most one point, and an exponent of
    digits; where all of that holds, any database reads it. A cell that is a number already is not
    read from its text, which in SQLite has fewer digits.
    """
    text, lower = f'"t{place}"', f'LOWER("t{place}")'
    rules = [
        f"TRIM({text}, '+-.0123456789Ee') = ''",
        f"TRIM({text}, '+-.Ee') <> ''",
        f"RTRIM({text}, '+-Ee') = {text}",
        f"LTRIM({lower}, '+-.') NOT LIKE 'e%'",
        *(f"{lower} NOT LIKE '{wrong}'" for wrong in ("%e%e%", "%.%.%", "%e%.%")),
        *(f"REPLACE(REPLACE({lower}, 'e-', 'e'), 'e+', 'e') NOT LIKE '_%{sign}%'" for sign in "-+"),
    ]
    read = (
        f'CASE WHEN CAST("c{place}" AS TEXT) = {text} THEN CAST("c{place}" AS DOUBLE PRECISION) '
        f"ELSE CAST({text} AS DOUBLE PRECISION) END"
    )
    return f"CASE WHEN {' AND '.join(rules)} THEN {read} END"


def _truth(place: int) -> str:
    yes, no = (", ".join(map(sql_text, sorted(words))) for words in (TRUE_WORDS, FALSE_WORDS))
    lower = f'LOWER("t{place}")'
    return f"CASE WHEN {lower} IN ({yes}) THEN 1.0e0 WHEN {lower} IN ({no}) THEN 0.0e0 END"


def inputs(model: TreeModel) -> str:
    """Select ``x`` a value, ``d`` how far it is from its centre, ``m`` whether it is missing."""
    columns = ['"row number"']
    for feature in model.used:
        value = _value(model, feature)
        if feature in model.compared:
            columns.append(f'{value} AS "x{feature}"')
        if feature in model.weighed:
            filled = f"COALESCE({value}, {exact(model.fill[feature])})"
            columns.append(f'{filled} - {bracketed(model.centre[feature])} AS "d{feature}"')
        if feature in model.asked_whether_missing:
            columns.append(f'CASE WHEN {value} IS NULL THEN 1.0e0 ELSE 0.0e0 END AS "m{feature}"')
    return select(columns, "values")


def _value(model: TreeModel, feature: int) -> str:
    readable = model.features[feature]
    column = model.columns[readable.column]
    if column.kind in ("number", "boolean"):
        return f'"v{readable.column}"'
    level = str(readable.level)
    number = number_of_level(level)
    whole = number is not None and "." not in level
    also = f"{level}.0"
    spellings = [level, also] if whole and also not in column.levels else [level]
    known = ", ".join(map(sql_text, spellings))
    return f'CASE WHEN "t{readable.column}" IN ({known}) THEN 1.0e0 ELSE 0.0e0 END'


def select(columns: list[str], source: str) -> str:
    """Write a step.

    Raises
    ------
    DataError
        Where it has more columns than PostgreSQL would hold.
    """
    if len(columns) > MOST_COLUMNS:
        raise DataError(
            f"A step of a query must have at most {MOST_COLUMNS} columns; however, this student "
            f"takes {len(columns)}. Export it as python or onnx, or make it smaller."
        )
    return "  SELECT\n    " + ",\n    ".join(columns) + f'\n  FROM "{source}"'


def bracketed(number: float) -> str:
    """Write a number that may follow a sign."""
    return f"({exact(number)})" if number < 0 else exact(number)
