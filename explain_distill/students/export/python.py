"""Trees as one Python function that imports nothing."""

from __future__ import annotations

from collections.abc import Iterator

from explain_distill.data.features import FALSE_WORDS, TRUE_WORDS, Feature, number_of_level
from explain_distill.students.export.quoting import exact, total
from explain_distill.students.export.tree_model import Gate, Split, Tree, TreeModel
from explain_distill.students.tree_parts import SMALLEST

E = "2.718281828459045"


def python_function(model: TreeModel) -> str:
    """Write a module with one function, ``predict(row)``.

    It takes a dict of raw columns by name, as the table held them: a number; a category as its
    level; a boolean as True, 1 or its word; None or NaN where the value is unknown. It gives a dict
    of class probabilities, or the value. Sums are those of the student, up to rounding.
    """
    lines = [*_heading(model), *_inputs(model)]
    if model.combination == "leaf":
        lines += list(_way(model, model.trees[0], model.trees[0].root))
    elif model.combination == "mixture":
        lines += _mixture(model, model.trees[0])
    else:
        lines += _sum(model)
    indented = [f"    {line}" for line in lines]
    return "\n".join([*_module(model), "def predict(row):", *indented, ""])


def _module(model: TreeModel) -> list[str]:
    return [
        f'"""A {model.student} as a function of raw columns, written by explain-distill."""',
        "",
        'NAN = float("nan")',
        f"E = {E}",
        "",
        "",
    ]


def _heading(model: TreeModel) -> list[str]:
    gives = (
        "the value."
        if model.task == "regression"
        else "the probability of each class, in a dict by name."
    )
    return [
        f'"""Predict one row, a dict of columns by name: {gives}',
        "",
        "A number as it is; a category as the text of its level; a boolean as True, 1 or its word;",
        "None or NaN where it is unknown.",
        '"""',
    ]


# -- inputs ----------------------------------------------------------------------------------------


def _inputs(model: TreeModel) -> list[str]:
    """Read the raw columns that are asked for: ``x`` a value, ``m`` whether it is missing."""
    asked = sorted({*model.asked, *model.asked_whether_missing})
    lines: list[str] = []
    for column in sorted({model.features[i].column for i in asked}):
        here = [i for i in asked if model.features[i].column == column]
        lines += _column(model, model.columns[column], here)
    if not model.gated:
        return lines
    for feature in asked:
        lines += _deviation(model, feature)
    return lines


def _column(model: TreeModel, column: Feature, features: list[int]) -> list[str]:
    name = ascii(column.name)
    if column.kind == "number":
        x = f"x{features[0]}"
        return [f"{x} = row[{name}]", f"if {x} is None:", f"    {x} = NAN"]
    if column.kind == "boolean":
        yes, no = (
            _words(words, sign) for words, sign in ((TRUE_WORDS, True), (FALSE_WORDS, False))
        )
        return [
            f"c = row[{name}]",
            "if c.__class__ is str:",
            "    c = c.strip().lower()",
            f"x{features[0]} = 1.0 if c in {yes} else 0.0 if c in {no} else NAN",
        ]
    lines = [f"c = row[{name}]", "if c.__class__ is str:", "    c = c.strip()"]
    for feature in features:
        level = str(model.features[feature].level)
        number = number_of_level(level)
        also = "" if number is None else f" or c == {number!r}"
        lines.append(f"x{feature} = 1.0 if c == {level!a}{also} else 0.0")
    return lines


def _words(words: frozenset[str], sign: bool) -> str:
    return "{" + ", ".join([repr(sign), *map(repr, sorted(words))]) + "}"


def _deviation(model: TreeModel, feature: int) -> list[str]:
    """Count a feature from its centre; a missing value stands at its fill."""
    x, centre = f"x{feature}", model.centre[feature]
    if model.features[feature].level is not None:
        missing = [f"m{feature} = 0.0"] if feature in model.asked_whether_missing else []
        return [f"{x} -= {exact(centre)}", *missing]
    filled = exact(model.fill[feature] - centre)
    if feature not in model.asked_whether_missing:
        return [f"{x} = {x} - {exact(centre)} if {x} == {x} else {filled}"]
    return [
        f"if {x} == {x}:",
        f"    {x} -= {exact(centre)}",
        f"    m{feature} = 0.0",
        "else:",
        f"    {x} = {filled}",
        f"    m{feature} = 1.0",
    ]


# -- questions and answers -------------------------------------------------------------------------


def _goes(question: Split | Gate, right: bool) -> str:
    """Write that a row goes to one side, as a condition that NaN answers as the student does."""
    if isinstance(question, Gate):
        return f"{'' if right else 'not '}{_logit(question)} > 0.0"
    x, threshold = f"x{question.feature}", exact(question.threshold)
    if question.of_missing_alone:
        return f"{x} {'!=' if right else '=='} {x}"
    # Every comparison with NaN is false, so the side that missing values take denies the other's.
    above, denied = not question.missing_right, question.missing_right == right
    sign = (">" if above else "<") + ("=" if above == question.inclusive else "")
    return f"{'not ' if denied else ''}{x} {sign} {threshold}"


def _logit(gate: Gate) -> str:
    terms = [f"{exact(weight)} * x{feature}" for feature, weight in gate.weights]
    terms += [f"{exact(weight)} * m{feature}" for feature, weight in gate.missing_weights]
    return total([*terms, exact(gate.bias)])


def _answer(model: TreeModel, numbers: list[str]) -> str:
    if model.task == "regression":
        return numbers[0]
    pairs = zip(model.class_names, numbers, strict=True)
    return "{" + ", ".join(f"{name!a}: {number}" for name, number in pairs) + "}"


def _way(model: TreeModel, tree: Tree, place: int, indent: str = "") -> Iterator[str]:
    """Write the way down a tree as conditions, nested only where they lie aside of the main way."""
    asides, leaf = tree.main_way(place)
    for aside in asides:
        yield f"{indent}if {_goes(aside.question, aside.right)}:"
        yield from _way(model, tree, aside.place, indent + "  ")
    yield f"{indent}return {_answer(model, [exact(v) for v in tree.leaves[leaf]])}"


def _mixture(model: TreeModel, tree: Tree) -> list[str]:
    """Write the probability of each leaf, and the answers averaged by them."""
    saturation = exact(model.saturation)
    lines = []
    shares = {tree.root: ""}
    for number, branch in enumerate(tree.branches):
        assert isinstance(branch.question, Gate)
        before = f"{shares[number]} * " if shares[number] else ""
        left, right = _share(branch.left), _share(branch.right)
        lines += [
            f"z = {_logit(branch.question)}",
            f"e = E ** -(z if -{saturation} < z < {saturation} else "
            f"{saturation} if z > 0.0 else -{saturation})",
            f"{right} = {before}1.0 / (1.0 + e)",
            f"{left} = e * {right}",
        ]
        shares |= {branch.left: left, branch.right: right}
    outputs = range(len(tree.leaves[0]))
    means = [
        total([f"{exact(leaf[k])} * q{i}" for i, leaf in enumerate(tree.leaves)]) for k in outputs
    ]
    if model.task == "regression" or model.temperature == 1:
        return [*lines, f"return {_answer(model, means)}"]
    lines += [f"s{k} = max({mean}, {SMALLEST})" for k, mean in enumerate(means)]
    lines.append(f"top = max({', '.join(f's{k}' for k in outputs)})")
    lines += [f"s{k} = (s{k} / top) ** {exact(model.temperature)}" for k in outputs]
    return [*lines, *_shares_of_total(model, len(outputs))]


def _share(place: int) -> str:
    return f"p{place}" if place >= 0 else f"q{-1 - place}"


def _sum(model: TreeModel) -> list[str]:
    lines = [f"s{k} = {exact(base)}" for k, base in enumerate(model.base)]
    for tree in model.trees:
        for k in range(len(model.base)):
            if any(leaf[k] for leaf in tree.leaves):
                lines.append(f"s{k} += {_chosen(tree, tree.root, k)}")
    if model.task == "regression":
        return [*lines, "return s0"]
    if len(model.base) == 1:
        lines += [
            "e = E ** -(s0 if -40.0 < s0 < 40.0 else 40.0 if s0 > 0.0 else -40.0)",
            "p = 1.0 / (1.0 + e)",
        ]
        return [*lines, f"return {_answer(model, ['e * p', 'p'])}"]
    outputs = range(len(model.base))
    lines.append(f"top = max({', '.join(f's{k}' for k in outputs)})")
    lines += [f"s{k} = E ** (s{k} - top)" for k in outputs]
    return [*lines, *_shares_of_total(model, len(outputs))]


def _chosen(tree: Tree, place: int, output: int) -> str:
    """Write what one leaf of a tree adds, as nested conditional expressions."""
    if place < 0:
        return exact(tree.leaves[-1 - place][output])
    branch = tree.branches[place]
    right, left = (_chosen(tree, side, output) for side in (branch.right, branch.left))
    return f"({right} if {_goes(branch.question, right=True)} else {left})"


def _shares_of_total(model: TreeModel, n_outputs: int) -> list[str]:
    names = [f"s{k}" for k in range(n_outputs)]
    return [f"t = {total(names)}", f"return {_answer(model, [f'{name} / t' for name in names])}"]
