"""A soft tree as a drawing: its questions from left to right, its leaves with their answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from explain_distill.data.dataset import Task
from explain_distill.report.svg import (
    CLASS_COLOURS,
    FAINT,
    INK,
    LINE,
    PALE,
    REST,
    drawing,
    element,
    percent,
    shorten,
    text,
    text_width,
    titled,
)
from explain_distill.students.rules import Node, Question

MOST_THICK = 18.0
SHOWN = 0.01
"""Branches that a smaller share of the rows takes are folded."""

MARGIN = 8.0
LINE_HEIGHT = 15.0
LEAF_HEIGHT = 36.0
FOLD_HEIGHT = 20.0
LEAST_LEAF, MOST_LEAF = 190.0, 330.0
BAR_WIDTH = 80.0
LEAST_STEP, MOST_STEP = 128.0, 300.0
LEGEND_LINE = 18.0

Kind = Literal["question", "leaf", "end", "fold"]


@dataclass
class _Place:
    """A node of the drawing; its children are the one for no, above, and the one for yes.

    An end is a question all of whose branches are folded: it shows the mean answer below it.
    """

    node: Node
    kind: Kind
    children: list[_Place] = field(default_factory=list)
    reach: float = 0.0
    on_path: bool = False
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class _Frame:
    """What all parts of a drawing share: the measures of its columns, and what it tells of."""

    task: Task
    step: float
    box: float
    leaf: float
    depth: int
    one_row: bool
    weighed: bool
    values: tuple[float, float]

    def told(self, place: _Place) -> str:
        """Say how much of the rows comes to a node; nothing where that is not known."""
        if not self.weighed:
            return ""
        return f", {percent(place.reach)} of {'this row' if self.one_row else 'rows'}"

    def thickness(self, place: _Place) -> float:
        """Give the thickness of the branch to a node."""
        return max(1.0, MOST_THICK * place.reach) if self.weighed else 2.0

    def height(self, place: _Place) -> float:
        """Give the height that a node needs, the gap to the next included."""
        if place.kind == "fold":
            return FOLD_HEIGHT
        if place.kind in ("leaf", "end"):
            return LEAF_HEIGHT
        assert place.node.question is not None
        return _box_height(place.node.question) + 8


def draw_tree(
    nodes: list[Node],
    task: Task,
    *,
    followed: list[Node] | None = None,
    weighed: bool = True,
    width: int = 1200,
) -> str:
    """Draw a soft tree as an SVG image that stands alone.

    The root is at the left; the branch for no goes up, the one for yes goes down, each as thick as
    the share of the rows that takes it. Branches that less than 1% of them takes are folded.

    Parameters
    ----------
    nodes : list of Node
        From `explain_distill.students.rules.tree_nodes`, of training rows.
    task : Task
    followed : list of Node, optional
        The same tree's nodes for one row, whose way is then drawn.
    weighed : bool, default=True
        Whether the nodes' reach comes from rows; else all branches are drawn equally thick.
    width : int, default=1200
        In pixels. A tree of few columns is narrower, one of more than seven is wider.

    Returns
    -------
    str
        An ``<svg>`` element without outside references.
    """
    path = _most_probable_path(followed) if followed else set()
    root = _grow(0, nodes, followed or nodes, path)
    columns = 1 + max(p.node.level for p in _walk(root) if p.kind in ("question", "end", "leaf"))
    leaf = _leaf_width(task)
    step = (width - leaf - 2 * MARGIN) / max(columns - 1, 1)
    step = min(max(step, LEAST_STEP), MOST_STEP)
    answers = [node.output[0] for node in nodes if node.question is None]
    frame = _Frame(
        task=task,
        step=step,
        box=step - min(max(0.18 * step, 26.0), 60.0),
        leaf=leaf,
        depth=max(node.level for node in nodes),
        one_row=followed is not None,
        weighed=weighed,
        values=(min(answers), max(answers)),
    )
    total = MARGIN + (columns - 1) * step + leaf + MARGIN
    legend, top = _legend(frame, root, total)
    bottom = _set_places(root, frame, top + 6)
    places = _walk(root, path_last=True)
    branches = "".join(_branches(place, frame) for place in places)
    names = "".join(_answers_named(place, frame) for place in places)
    boxes = "".join(_drawn(place, frame) for place in _walk(root))
    return drawing(
        legend + branches + boxes + names, total, bottom + MARGIN, _label(root, nodes, frame)
    )


def _leaf_width(task: Task) -> float:
    """Give the width of the leaves' column, by the longest class name."""
    longest = max((text_width(name, 12.5) for name in task.class_names), default=0.0)
    return min(max(BAR_WIDTH + 8 + longest + 42, LEAST_LEAF), MOST_LEAF)


# -- which nodes, and where ------------------------------------------------------------------------


def _most_probable_path(followed: list[Node]) -> set[int]:
    """Give the numbers of the nodes from the root to the leaf that holds most of the row."""
    leaves = (node for node in followed if node.question is None)
    number = max(leaves, key=lambda node: node.reach).number
    path = {number}
    while number:
        number = (number - 1) // 2
        path.add(number)
    return path


def _grow(number: int, nodes: list[Node], told: list[Node], path: set[int]) -> _Place:
    """Build the drawing's nodes from one downwards; `told` says how many rows come there."""
    node = told[number]
    place = _Place(node, "leaf", reach=node.reach, on_path=number in path)
    if number and max(node.reach, nodes[number].reach) < SHOWN:
        place.kind = "fold"
    elif node.question is not None:
        children = [_grow(child, nodes, told, path) for child in (2 * number + 1, 2 * number + 2)]
        if all(child.kind == "fold" for child in children):
            place.kind = "end"
        else:
            place.kind, place.children = "question", children
    return place


def _walk(place: _Place, path_last: bool = False) -> list[_Place]:
    """List a node and all below it, those on the path last so that they are drawn above."""
    found = [place]
    for child in place.children:
        found += _walk(child)
    return sorted(found, key=lambda p: p.on_path) if path_last else found


def _set_places(place: _Place, frame: _Frame, top: float) -> float:
    """Place a node and all below it from `top` downwards; give where they end."""
    place.x = MARGIN + place.node.level * frame.step
    own = frame.height(place)
    if not place.children:
        place.y = top + own / 2
        return top + own
    missing = max(0.0, own - _extent(place.children, frame))
    at = top + missing / 2
    for child in place.children:
        at = _set_places(child, frame, at)
    open_ones = [child.y for child in place.children if child.kind != "fold"]
    place.y = sum(open_ones) / len(open_ones)
    place.y = min(max(place.y, top + own / 2), at + missing / 2 - own / 2)
    for child, side in zip(place.children, (-1, 1), strict=True):
        if child.kind == "fold":  # a stub stays beside its question
            child.y = place.y + side * own / 2.5
    return at + missing / 2


def _extent(places: list[_Place], frame: _Frame) -> float:
    """Give the height that some nodes need with all below them."""
    return sum(max(frame.height(p), _extent(p.children, frame)) for p in places)


# -- questions and branches ------------------------------------------------------------------------


def _lines(question: Question) -> tuple[list[str], list[str]]:
    """Say a question in a few words, and in two lengths how much of its weight they leave out."""
    if len(question.terms) == 1:
        return [question.words()], []
    spoken = question.short(2)
    rest = len(question.terms) - len(spoken)
    if not rest:
        return spoken, []
    share = sum(term.share for term in question.terms[len(spoken) :])
    return spoken, [
        f"+ {rest} more, {percent(share)} of weight",
        f"+ {rest} more, {percent(share)}",
    ]


def _box_height(question: Question) -> float:
    spoken, rest = _lines(question)
    return 10 + LINE_HEIGHT * (len(spoken) + bool(rest))


def _question(place: _Place, frame: _Frame) -> str:
    question = place.node.question
    assert question is not None
    height = _box_height(question)
    top = place.y - height / 2
    spoken, rest = _lines(question)
    number = str(place.node.number + 1)
    left = 12 + text_width(number, 11)
    content = element(
        "rect",
        x=place.x,
        y=top,
        width=frame.box,
        height=height,
        rx=4,
        fill=PALE if not place.on_path else "#FFFFFF",
        stroke=INK if place.on_path else LINE,
        stroke_width=1.6 if place.on_path else 1,
    )
    content += text(place.x + 7, top + 16, number, 11, fill=FAINT)
    for i, words in enumerate(spoken):
        fitted = shorten(words, frame.box - left - 5, 12)
        content += text(place.x + left, top + 16 + i * LINE_HEIGHT, fitted, 12)
    if rest:
        y = top + 16 + len(spoken) * LINE_HEIGHT
        room = frame.box - left - 5
        fitted = next((r for r in rest if text_width(r, 11) <= room), shorten(rest[-1], room, 11))
        content += text(place.x + left, y, fitted, 11, fill=FAINT)
    asked = f"Question {number}: {question.words(6)}?"
    return titled(content, asked + frame.told(place).replace(", ", " Asked of ", 1))


def _branches(place: _Place, frame: _Frame) -> str:
    """Draw the branches from a node to its children."""
    drawn = ""
    for child, answer in zip(place.children, ("no", "yes"), strict=False):
        (x, y), (x_end, y_end) = _ends(place, child, answer, frame)
        middle = (x + x_end) / 2
        line = element(
            "path",
            d=f"M{x:.1f},{y:.1f} C{middle:.1f},{y:.1f} {middle:.1f},{y_end:.1f} "
            f"{x_end:.1f},{y_end:.1f}",
            fill="none",
            stroke=INK if child.on_path else LINE,
            stroke_width=frame.thickness(child),
        )
        drawn += titled(line, answer + frame.told(child))
    return drawn


def _ends(
    place: _Place, child: _Place, answer: str, frame: _Frame
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Give where a branch begins and ends."""
    assert place.node.question is not None
    start = place.x + frame.box
    side = -1 if answer == "no" else 1
    end = child.x if child.kind != "fold" else start + 0.5 * (child.x - start)
    return (start, place.y + side * _box_height(place.node.question) / 5), (end, child.y)


def _answers_named(place: _Place, frame: _Frame) -> str:
    """Write no and yes on the root's branches, and on those of the path."""
    named = ""
    for child, answer in zip(place.children, ("no", "yes"), strict=False):
        if place.node.number == 0 or child.on_path:
            (x, y), (x_end, y_end) = _ends(place, child, answer, frame)
            named += text(
                *((x + x_end) / 2, (y + y_end) / 2 + 4, answer),
                text_anchor="middle",
                font_weight=600,
                paint_order="stroke",
                stroke="#FFFFFF",
                stroke_width=4,
                stroke_linejoin="round",
            )
    return named


# -- leaves ----------------------------------------------------------------------------------------


def _drawn(place: _Place, frame: _Frame) -> str:
    if place.kind == "question":
        return _question(place, frame)
    if place.kind == "fold":
        return _fold(place, frame)
    return _leaf(place, frame)


def _fold(place: _Place, frame: _Frame) -> str:
    start = place.x - frame.step + frame.box
    x = start + 0.5 * (place.x - start) + 3
    mark = text(x, place.y + 3, "…", 13, fill=FAINT)
    return titled(mark, "Folded" + frame.told(place))


def _leaf(place: _Place, frame: _Frame) -> str:
    """Draw a leaf's answer as a bar and in words."""
    node = place.node
    if place.kind == "leaf":
        name = f"leaf {node.number - (2**frame.depth - 2)}"
    else:
        name = f"mean of {2 ** (frame.depth - node.level)} leaves"
    told = name + frame.told(place)
    x, bar = place.x, place.y - 9
    if frame.task.kind == "regression":
        unit = f" {frame.task.unit}" if frame.task.unit else ""
        answer = full = f"{node.output[0]:.4g}{unit}"
        content = _scale(x, bar, node.output[0], frame.values)
    else:
        best = max(range(len(node.output)), key=lambda code: node.output[code])
        probability = f" {node.output[best]:.2f}"
        room = frame.leaf - BAR_WIDTH - 12 - text_width(probability, 12.5)
        answer = shorten(frame.task.class_names[best], room, 12.5) + probability
        full = _distribution(node.output, frame.task)
        content = _bar(x, bar, node.output)
    if place.on_path:
        content += element(
            *("rect",), x=x, y=bar, width=BAR_WIDTH, height=14, fill="none", stroke=INK
        )
    weight = 700 if place.on_path else 500
    right = x + BAR_WIDTH + 8
    content += text(right, place.y + 2, answer, 12.5, font_weight=weight)
    content += text(x, place.y + 16.5, told, 11, fill=FAINT)
    return titled(content, f"{told[0].upper()}{told[1:]}: {full}")


def _distribution(output: tuple[float, ...], task: Task) -> str:
    """Say the probable classes, from the most probable on."""
    order = sorted(range(len(output)), key=lambda code: -output[code])[:6]
    spoken = ", ".join(f"{task.class_names[code]} {output[code]:.3f}" for code in order)
    return spoken + (", …" if len(output) > len(order) else "")


def _bar(x: float, y: float, output: tuple[float, ...]) -> str:
    """Stack the classes' probabilities; of many classes only the most probable is coloured."""
    if len(output) <= len(CLASS_COLOURS):
        parts = list(zip(output, CLASS_COLOURS, strict=False))
    else:
        parts = [(max(output), CLASS_COLOURS[0]), (1 - max(output), REST)]
    edges = [0.0]
    for share, _ in parts:
        edges.append(edges[-1] + share * BAR_WIDTH)
    return "".join(
        element("rect", x=x + left, y=y, width=right - left, height=14, fill=colour)
        for (left, right), (_, colour) in zip(pairwise(edges), parts, strict=True)
        if right - left >= 0.3
    )


def _scale(x: float, y: float, value: float, values: tuple[float, float]) -> str:
    """Mark a value on the line from the lowest to the highest leaf."""
    low, high = values
    share = (value - low) / (high - low) if high > low else 0.5
    at = x + 5 + share * (BAR_WIDTH - 10)
    middle = y + 7
    line = element("line", x1=x, x2=x + BAR_WIDTH, y1=middle, y2=middle, stroke=LINE)
    return line + element("circle", cx=at, cy=middle, r=5, fill=CLASS_COLOURS[0])


# -- words -----------------------------------------------------------------------------------------


def _legend(frame: _Frame, root: _Place, total: float) -> tuple[str, float]:
    """Say how to read the drawing; give the legend and where it ends."""
    content, y = "", MARGIN + 10
    for sentence in _how_to_read(frame, any(p.kind in ("fold", "end") for p in _walk(root))):
        for part in _wrapped(sentence, total - 2 * MARGIN, 12):
            content += text(MARGIN, y, part, 12, fill=FAINT)
            y += LEGEND_LINE
    for keys in _class_keys(frame.task, total):
        x = MARGIN
        for colour, name in keys:
            content += element("rect", x=x, y=y - 10, width=12, height=12, fill=colour)
            content += text(x + 17, y, name, 12)
            x += 17 + text_width(name, 12) + 18
        y += LEGEND_LINE
    return content, y - 6


def _how_to_read(frame: _Frame, folded: bool) -> list[str]:
    first = (
        "A box names its question's heaviest features: the better they fit, the more of a row "
        "goes down (yes), the rest goes up (no)."
    )
    rows = "this row" if frame.one_row else "the rows"
    second = f"A branch is as thick as the share of {rows} that takes it."
    if not frame.weighed:
        second = "No rows are known, so all branches are equally thick."
    if frame.one_row:
        second += " The most probable way is dark."
    if folded and frame.weighed:
        second += f" “…” folds a branch that less than {SHOWN:.0%} takes."
    return [first, second]


def _class_keys(task: Task, total: float) -> list[list[tuple[str, str]]]:
    """Give the lines of the key to the bars' colours."""
    if task.kind == "regression":
        return []
    if task.n_scores <= len(CLASS_COLOURS):
        keys = [
            (colour, shorten(name, 300, 12))
            for colour, name in zip(CLASS_COLOURS, task.class_names, strict=False)
        ]
    else:
        keys = [(CLASS_COLOURS[0], "most probable class"), (REST, "all others")]
    lines: list[list[tuple[str, str]]] = [[]]
    room = total - 2 * MARGIN
    for key in keys:
        wanted = 35 + text_width(key[1], 12)
        if wanted > room and lines[-1]:
            lines.append([])
            room = total - 2 * MARGIN
        lines[-1].append(key)
        room -= wanted
    return lines


def _wrapped(words: str, width: float, size: float) -> list[str]:
    """Break a sentence into lines of a width."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _label(root: _Place, nodes: list[Node], frame: _Frame) -> str:
    """Say what the drawing shows, for those who do not see it."""
    drawn = sum(place.kind == "leaf" for place in _walk(root))
    first = nodes[0].question
    asked = f" Its first question: {first.words()}?" if first else ""
    followed = " The way of one row is marked." if frame.one_row else ""
    return (
        f"Soft tree of depth {frame.depth} with {2**frame.depth} leaves, of which {drawn} are "
        f"drawn.{asked}{followed}"
    )
