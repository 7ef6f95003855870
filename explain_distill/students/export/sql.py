"""Trees as one SQL query."""

from __future__ import annotations

from collections.abc import Sequence

from explain_distill.students.export.quoting import exact, free_names, sql_name, sql_text, total
from explain_distill.students.export.sql_inputs import (
    BLANKS,
    bracketed,
    inputs,
    select,
    texts,
    values,
)
from explain_distill.students.export.tree_model import Gate, Split, Sum, Tree, TreeModel
from explain_distill.students.tree_parts import SMALLEST

TABLE = "rows"
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
        ("texts", texts(model, row)),
        ("values", values(model)),
        ("inputs", inputs(model)),
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
    steps = [("leaves", select([*passed, f'{leaf} AS "leaf"'], "inputs"))]
    if not to_softmax:
        return [*steps, ("answers", select(['"row number"', *answers], "leaves"))]
    scores = ("scores", select(['"row number"', *answers], "leaves"))
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
    terms = [f'{bracketed(weight)} * "d{feature}"' for feature, weight in each.weights]
    terms += [f'{bracketed(weight)} * "m{feature}"' for feature, weight in each.missing_weights]
    return total([*terms, bracketed(constant)])


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
        ("logits", select([*passed, *logits], "inputs")),
        ("sides", select([*passed, *sides], "logits")),
        ("shares", select([*passed, *shares], "sides")),
        ("means", select(['"row number"', *means], "shares")),
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
    scores = ("scores", select(['"row number"', *powers], "means"))
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
        sums.append(f'{total([bracketed(base), *names])} AS "s{k}"')
    steps = [
        ("parts", select(['"row number"', *parts], "inputs")),
        ("sums", select(['"row number"', *sums], "parts")),
    ]
    if model.task == "regression":
        return [*steps, ("answers", select(['"row number"', '"s0" AS "a0"'], "sums"))]
    if len(model.base) > 1:
        return [*steps, ("answers", _softmax(len(model.base), "sums"))]
    sides = [f'{_sigmoid("s0", 40.0, sign)} AS "a{k}"' for k, sign in enumerate(("-", ""))]
    return [*steps, ("answers", select(['"row number"', *sides], "sums"))]


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
    return select(['"row number"', *answers], source)


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
