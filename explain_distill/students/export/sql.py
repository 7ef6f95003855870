"""Trees as one SQL query."""

from __future__ import annotations

from collections.abc import Sequence

from explain_distill.data.features import FALSE_WORDS, TRUE_WORDS, number_of_level
from explain_distill.exceptions import DataError
from explain_distill.students.export.quoting import exact, free_names, sql_name, sql_text, total
from explain_distill.students.export.tree_model import Gate, Split, Sum, Tree, TreeModel
from explain_distill.students.tree_parts import SMALLEST

TABLE = "rows"
BLANKS = "".join(character for character in map(chr, range(256)) if character.isspace())
"""What stands around a word and does not belong to it; of Latin-1, which any database can hold."""
MOST_COLUMNS = 1600
"""Of a step: PostgreSQL holds 1664, SQLite 2000."""
TREES_A_PART = 64
"""Trees whose leaves one expression adds up."""


def sql_query(model: TreeModel) -> str:
    """Write a query that gives each row of a table with the predictions beside it.

    The table is called ``rows``; the columns of the query are ``"row number"``, those of the table,
    ``"prediction"``, and for classes ``"probability of CLASS"``. Where a column that the student
    knows has such a name, in whatever case, a number is added to it: ``"prediction 2"``.

    Raises
    ------
    DataError
        Where a name holds a NUL.
    """
    row, *answers = _names(model)
    steps = [
        ("numbered", f'  SELECT row_number() OVER () AS {row}, "{TABLE}".* FROM "{TABLE}"'),
        ("blanks", f'  SELECT {sql_text(BLANKS)} AS "characters"'),
        ("texts", _texts(model, row)),
        ("values", _values(model)),
        ("inputs", _inputs(model)),
        *_answers(model),
    ]
    steps.append(("found", _found(model, steps[-1][0], row)))
    chain = ",\n".join(f'"{name}" AS MATERIALIZED (\n{body}\n)' for name, body in steps)
    return f"{_comment(model)}WITH\n{chain}\n{_final(model, row, answers)};\n"


def _names(model: TreeModel) -> list[str]:
    """Name the row number, the prediction and the probabilities, apart from the table's columns."""
    wanted = ["row number", "prediction"]
    if model.task == "classification":
        wanted += [f"probability of {name}" for name in model.class_names]
    return [sql_name(name) for name in free_names(wanted, (c.name for c in model.columns))]


def _comment(model: TreeModel) -> str:
    needs = _functions(model)
    return "".join(
        f"-- {line}\n"
        for line in (
            f"A {model.student} as a query, written by explain-distill.",
            f'It reads the table "{TABLE}", named once in "numbered".',
            "Missing are NULL, a blank and, in a column of numbers, text that is no number.",
            "For SQLite 3.35, PostgreSQL 12, DuckDB and later ones of each.",
            f"It needs {needs}; in SQLite these are there where it was built with them, which"
            if needs
            else "It needs no function beyond those of every database.",
            *(["SELECT EXP(1.0) tells."] if needs else []),
        )
    )


def _functions(model: TreeModel) -> str:
    if model.combination == "mixture":
        softened = model.task == "classification" and model.temperature != 1
        return "EXP and LN" if softened else "EXP"
    of_scores = model.combination == "sum" or model.linear
    return "EXP" if of_scores and model.task == "classification" else ""


# -- inputs ----------------------------------------------------------------------------------------


def _texts(model: TreeModel, row: str) -> str:
    """Select of each column used ``c`` its cells, and ``t`` the same as text without blanks."""
    columns = [f'"numbered".{row} AS "row number"']
    for place in _columns(model):
        # SQLite takes an unknown name that stands alone for a text.
        cell = f'"numbered".{sql_name(model.columns[place].name)}'
        columns.append(f'{cell} AS "c{place}"')
        columns.append(
            f'TRIM(CAST({cell} AS TEXT), (SELECT "characters" FROM "blanks")) AS "t{place}"'
        )
    return _select(columns, "numbered")


def _values(model: TreeModel) -> str:
    """Select ``v``, a number or a truth value, or ``t``, the text of a category."""
    columns = ['"row number"']
    for place in _columns(model):
        kind = model.columns[place].kind
        if kind in ("number", "boolean"):
            value = _number(place) if kind == "number" else _truth(place)
            columns.append(f'{value} AS "v{place}"')
        else:
            columns.append(f'"t{place}"')
    return _select(columns, "texts")


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


def _inputs(model: TreeModel) -> str:
    """Select ``x`` a value, ``d`` how far it is from its centre, ``m`` whether it is missing."""
    columns = ['"row number"']
    for feature in model.used:
        value = _value(model, feature)
        if feature in model.compared:
            columns.append(f'{value} AS "x{feature}"')
        if feature in model.weighed:
            filled = f"COALESCE({value}, {exact(model.fill[feature])})"
            columns.append(f'{filled} - {_bracketed(model.centre[feature])} AS "d{feature}"')
        if feature in model.asked_whether_missing:
            columns.append(f'CASE WHEN {value} IS NULL THEN 1.0e0 ELSE 0.0e0 END AS "m{feature}"')
    return _select(columns, "values")


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


# -- answers ---------------------------------------------------------------------------------------


def _answers(model: TreeModel) -> list[tuple[str, str]]:
    """Give the steps from the inputs to ``a0``, ``a1``, …: probabilities, or the value."""
    if model.combination == "leaf":
        return _leaf(model, model.trees[0])
    if model.combination == "mixture":
        return _mixture(model, model.trees[0])
    return _sum(model)


def _leaf(model: TreeModel, tree: Tree) -> list[tuple[str, str]]:
    leaf = _chosen(tree, tree.root, [str(number) for number in range(len(tree.leaves))])
    to_softmax = bool(tree.slopes) and model.task == "classification"
    answers = []
    for output in range(len(tree.leaves[0])):
        cases = "\n  ".join(
            f"WHEN {number} THEN {held}" for number, held in enumerate(_held(tree, output))
        )
        answers.append(f'CASE "leaf"\n  {cases}\nEND AS "{"s" if to_softmax else "a"}{output}"')
    passed = ['"row number"', *_weighed(model)]
    steps = [("leaves", _select([*passed, f'{leaf} AS "leaf"'], "inputs"))]
    if not to_softmax:
        return [*steps, ("answers", _select(['"row number"', *answers], "leaves"))]
    scores = ("scores", _select(['"row number"', *answers], "leaves"))
    return [*steps, scores, ("answers", _softmax(len(answers), "scores"))]


def _held(tree: Tree, output: int) -> list[str]:
    """Write what each leaf holds of one output."""
    if not tree.slopes:
        return [exact(leaf[output]) for leaf in tree.leaves]
    pairs = zip(tree.slopes, tree.leaves, strict=True)
    return [_summed(slopes[output], constants[output]) for slopes, constants in pairs]


def _weighed(model: TreeModel) -> list[str]:
    """Name the inputs that linear leaves weigh, which every step before them passes on."""
    if not model.linear:
        return []
    weighed = [f'"d{feature}"' for feature in model.weighed]
    return [*weighed, *(f'"m{feature}"' for feature in model.asked_whether_missing)]


def _chosen(tree: Tree, place: int, leaves: list[str], indent: str = "") -> str:
    """Write the way down a tree as CASE, nested only where it lies aside of the main way."""
    asides, leaf = tree.main_way(place)
    if not asides:
        return leaves[leaf]
    cases = [
        f"WHEN {_goes(aside.question, aside.right)}\n{indent}  "
        f"THEN {_chosen(tree, aside.place, leaves, indent + '  ')}\n{indent}  "
        for aside in asides
    ]
    return f"CASE {''.join(cases)}ELSE {leaves[leaf]} END"


def _goes(question: Split | Gate, right: bool) -> str:
    """Write that a row goes to one side; missing values go to theirs."""
    if isinstance(question, Gate):
        return f"{_logit(question)} {'>' if right else '<='} 0.0"
    x = f'"x{question.feature}"'
    if question.of_missing_alone:
        return f"{x} IS {'' if right else 'NOT '}NULL"
    sign = (">" if right else "<") + ("=" if right == question.inclusive else "")
    asked = f"{x} {sign} {exact(question.threshold)}"
    return f"({asked} OR {x} IS NULL)" if question.missing_right == right else asked


def _logit(gate: Gate) -> str:
    return _summed(gate, gate.bias)


def _summed(each: Sum, constant: float) -> str:
    terms = [f'{_bracketed(weight)} * "d{feature}"' for feature, weight in each.weights]
    terms += [f'{_bracketed(weight)} * "m{feature}"' for feature, weight in each.missing_weights]
    return total([*terms, _bracketed(constant)])


def _mixture(model: TreeModel, tree: Tree) -> list[tuple[str, str]]:
    """Write logits, leaf probabilities, and the answers averaged by them, step by step."""
    gates = range(len(tree.branches))
    logits = [f'{_logit(_gate(tree, gate))} AS "z{gate}"' for gate in gates]
    sides = []
    for gate in gates:
        sides.append(f'{_sigmoid(f"z{gate}", model.saturation)} AS "r{gate}"')
        sides.append(f'{_sigmoid(f"z{gate}", model.saturation, minus="-")} AS "l{gate}"')
    shares = [f'{product} AS "q{leaf}"' for leaf, product in enumerate(_products(tree))]
    to_softmax = bool(tree.slopes) and model.task == "classification"
    means = []
    for k in range(len(tree.leaves[0])):
        terms = [f'({held}) * "q{i}"' for i, held in enumerate(_held(tree, k))]
        means.append(f'{total(terms)} AS "{"s" if to_softmax else "a"}{k}"')
    passed = ['"row number"', *_weighed(model)]
    steps = [
        ("logits", _select([*passed, *logits], "inputs")),
        ("sides", _select([*passed, *sides], "logits")),
        ("shares", _select([*passed, *shares], "sides")),
        ("means", _select(['"row number"', *means], "shares")),
    ]
    if to_softmax:
        return [*steps, ("answers", _softmax(len(means), "means"))]
    if model.task == "regression" or model.temperature == 1:
        return steps
    powers = [
        f'{exact(model.temperature)} * LN(CASE WHEN "a{k}" > {SMALLEST} THEN "a{k}" '
        f'ELSE {SMALLEST} END) AS "s{k}"'
        for k in range(len(means))
    ]
    scores = ("scores", _select(['"row number"', *powers], "means"))
    return [*steps, scores, ("answers", _softmax(len(means), "scores"))]


def _gate(tree: Tree, place: int) -> Gate:
    question = tree.branches[place].question
    assert isinstance(question, Gate)
    return question


def _products(tree: Tree) -> list[str]:
    """Write each leaf's probability: the product of the sides on its path."""
    ways: dict[int, list[str]] = {tree.root: []}
    for number, branch in enumerate(tree.branches):
        ways[branch.right] = [*ways[number], f'"r{number}"']
        ways[branch.left] = [*ways[number], f'"l{number}"']
    return [" * ".join(ways[-1 - leaf]) or "1.0" for leaf in range(len(tree.leaves))]


def _sum(model: TreeModel) -> list[tuple[str, str]]:
    parts, sums = [], []
    for k, base in enumerate(model.base):
        chosen = [
            _chosen(tree, tree.root, [exact(leaf[k]) for leaf in tree.leaves])
            for tree in model.trees
            if any(leaf[k] for leaf in tree.leaves)
        ]
        names = []
        for start in range(0, len(chosen), TREES_A_PART):
            names.append(f'"p{k} {start}"')
            parts.append(f"{total(chosen[start : start + TREES_A_PART])} AS {names[-1]}")
        sums.append(f'{total([_bracketed(base), *names])} AS "s{k}"')
    steps = [
        ("parts", _select(['"row number"', *parts], "inputs")),
        ("sums", _select(['"row number"', *sums], "parts")),
    ]
    if model.task == "regression":
        return [*steps, ("answers", _select(['"row number"', '"s0" AS "a0"'], "sums"))]
    if len(model.base) > 1:
        return [*steps, ("answers", _softmax(len(model.base), "sums"))]
    sides = [f'{_sigmoid("s0", 40.0, sign)} AS "a{k}"' for k, sign in enumerate(("-", ""))]
    return [*steps, ("answers", _select(['"row number"', *sides], "sums"))]


def _sigmoid(name: str, saturation: float, minus: str = "") -> str:
    """Write a sigmoid whose argument is kept where no database calls EXP an overflow."""
    kept = (
        f'CASE WHEN "{name}" > {exact(saturation)} THEN {exact(saturation)} '
        f'WHEN "{name}" < -{exact(saturation)} THEN -{exact(saturation)} ELSE "{name}" END'
    )
    return f"1.0 / (1.0 + EXP({'' if minus else '-'}({kept})))"


def _softmax(n: int, source: str) -> str:
    """Write the softmax of ``s0``, ``s1``, …, without a function for the largest of them."""
    answers = []
    for k in range(n):
        terms = [
            f'EXP(CASE WHEN "s{j}" - "s{k}" > 600.0 THEN 600.0 '
            f'WHEN "s{j}" - "s{k}" < -600.0 THEN -600.0 ELSE "s{j}" - "s{k}" END)'
            for j in range(n)
            if j != k
        ]
        answers.append(f'1.0 / ({total(["1.0", *terms])}) AS "a{k}"')
    return _select(['"row number"', *answers], source)


def _found(model: TreeModel, last: str, row: str) -> str:
    """Select the answers, and none besides, in such a way that SQLite joins them by an index.

    After some steps it expects hardly any rows, and would look through the table for each of them;
    of the rows of another table, though none of them is taken, it expects many.
    """
    answers = [f"a{k}" for k in range(len(model.class_names))]
    quoted = ", ".join(f'"{answer}"' for answer in answers)
    none = ", ".join("NULL" for _ in answers)
    return (
        f'  SELECT "row number", {quoted} FROM "{last}"\n'
        f'  UNION ALL SELECT {row}, {none} FROM "numbered" WHERE {row} < 0'
    )


def _final(model: TreeModel, row: str, names: list[str]) -> str:
    answers = [f'"found"."a{k}"' for k in range(len(model.class_names))]
    if model.task == "classification":
        answers = [_most_probable(model.class_names, answers), *answers]
    columns = [f"{answer} AS {name}" for answer, name in zip(answers, names, strict=True)]
    listed = ",\n  ".join(['"numbered".*', *columns])
    joined = f'FROM "numbered" JOIN "found" ON "numbered".{row} = "found"."row number"'
    return f'SELECT\n  {listed}\n{joined}\nORDER BY "numbered".{row}'


def _most_probable(class_names: Sequence[str], answers: list[str]) -> str:
    """Write the class of the highest probability, the first one of equals."""
    cases = []
    for k, name in enumerate(class_names[:-1]):
        wins = " AND ".join(f"{answers[k]} >= {other}" for other in answers[k + 1 :])
        cases.append(f"WHEN {wins} THEN {sql_text(name)}")
    return "CASE " + " ".join(cases) + f" ELSE {sql_text(class_names[-1])} END"


def _select(columns: list[str], source: str) -> str:
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


def _bracketed(number: float) -> str:
    return f"({exact(number)})" if number < 0 else exact(number)
