"""Trees as one Python function that imports nothing."""

from __future__ import annotations

from collections.abc import Iterator

from explain_distill.data.features import FALSE_WORDS, TRUE_WORDS, Feature, number_of_level
from explain_distill.students.export.quoting import exact, total
from explain_distill.students.export.tree_model import Gate, Split, Sum, Tree, TreeModel
from explain_distill.students.tree_parts import SMALLEST

E = "2.718281828459045"


def python_function(model: TreeModel) -> str:
    """Write a module whose function ``predict(row)`` needs nothing but the module.

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
        f'"""A {model.student} as a function of columns by name, written by explain-distill."""',
        "",
        'NAN = float("nan")',
        f"E = {E}",
        "",
        "",
        *_shares(model),
    ]


def _shares(model: TreeModel) -> list[str]:
    """Write the function that turns a linear leaf's scores into its answer, where one is needed."""
    if not model.linear or model.combination != "leaf" or model.task == "regression":
        return []
    shares = [f"powers[{k}] / t" for k in range(len(model.class_names))]
    return [
        "def shares(scores):",
        '    """Turn scores into probabilities, by softmax."""',
        "    top = max(scores)",
        "    powers = [E ** (score - top) for score in scores]",
        "    t = sum(powers)",
        f"    return {_answer(model, shares)}",
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
    """Read the raw columns: ``x`` a value, ``d`` its distance from its centre, ``m`` if missing."""
    lines: list[str] = []
    for column in sorted({model.features[i].column for i in model.used}):
        here = [i for i in model.used if model.features[i].column == column]
        lines += _column(model, model.columns[column], here)
    for feature in sorted({*model.weighed, *model.asked_whether_missing}):
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
    x, d, centre = f"x{feature}", f"d{feature}", model.centre[feature]
    if model.features[feature].level is not None:
        missing = [f"m{feature} = 0.0"] if feature in model.asked_whether_missing else []
        return [f"{d} = {x} - {exact(centre)}", *missing]
    filled = exact(model.fill[feature] - centre)
    if feature not in model.asked_whether_missing:
        return [f"{d} = {x} - {exact(centre)} if {x} == {x} else {filled}"]
    return [
        f"if {x} == {x}:",
        f"    {d} = {x} - {exact(centre)}",
        f"    m{feature} = 0.0",
        "else:",
        f"    {d} = {filled}",
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
    return _summed(gate, gate.bias)


def _summed(each: Sum, constant: float) -> str:
    terms = [f"{exact(weight)} * d{feature}" for feature, weight in each.weights]
    terms += [f"{exact(weight)} * m{feature}" for feature, weight in each.missing_weights]
    return total([*terms, exact(constant)])


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
    if not tree.slopes:
        yield f"{indent}return {_answer(model, [exact(v) for v in tree.leaves[leaf]])}"
        return
    outputs = _outputs(tree, leaf)
    yield (
        f"{indent}return {outputs[0]}"
        if model.task == "regression"
        else (f"{indent}return shares([{', '.join(outputs)}])")
    )


def _outputs(tree: Tree, leaf: int) -> list[str]:
    """Write what a linear leaf gives a row."""
    pairs = zip(tree.slopes[leaf], tree.leaves[leaf], strict=True)
    return [_summed(slope, constant) for slope, constant in pairs]


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
    if tree.slopes:
        held = [_outputs(tree, leaf) for leaf in range(len(tree.leaves))]
        for k in outputs:
            terms = [f"q{leaf} * ({sums[k]})" for leaf, sums in enumerate(held)]
            lines.append(f"s{k} = {total(terms)}")
        return [*lines, *_of_scores(model, len(outputs))]
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
    if len(model.base) > 1 or model.task == "regression":
        return [*lines, *_of_scores(model, len(model.base))]
    lines += [
        "e = E ** -(s0 if -40.0 < s0 < 40.0 else 40.0 if s0 > 0.0 else -40.0)",
        "p = 1.0 / (1.0 + e)",
    ]
    return [*lines, f"return {_answer(model, ['e * p', 'p'])}"]


def _of_scores(model: TreeModel, n_outputs: int) -> list[str]:
    """Write the answer from ``s0``, ``s1``, …: the softmax of scores, or the value."""
    if model.task == "regression":
        return ["return s0"]
    outputs = range(n_outputs)
    return [
        f"top = max({', '.join(f's{k}' for k in outputs)})",
        *(f"s{k} = E ** (s{k} - top)" for k in outputs),
        *_shares_of_total(model, n_outputs),
    ]


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
