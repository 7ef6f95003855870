"""A tree as a drawing: its questions from left to right, its leaves with their answers."""

from __future__ import annotations

from itertools import pairwise

from explain_distill._rounding import minus, within
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
    shorten,
    text,
    text_width,
    titled,
    wrapped,
)
from explain_distill.report.tree_layout import (
    BAR_WIDTH,
    LINE_HEIGHT,
    MARGIN,
    Frame,
    Place,
    box_height,
    class_text,
    ends,
    grow,
    lines,
    most_probable_path,
    set_places,
    walk,
)
from explain_distill.students.nodes import Node

LEGEND_LINE = 18.0


def draw_tree(
    nodes: list[Node],
    task: Task,
    *,
    followed: list[Node] | None = None,
    weighed: bool = True,
    width: int = 1200,
) -> str:
    """Draw a tree as an SVG image that stands alone.

    The root is at the left; the branch for no goes up, the one for yes goes down, each as thick as
    the share of the rows that takes it. Branches that less than 1% of them takes are folded.

    Parameters
    ----------
    nodes : list of Node
        From `explain_distill.students.nodes.tree_nodes`, of training rows.
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
    path = most_probable_path(followed) if followed else set()
    root = grow(0, nodes, followed or nodes, path)
    places = walk(root)
    columns = 1 + max(place.node.level for place in places if place.kind != "fold")
    frame = Frame.of(
        [*nodes, *(followed or [])], task, columns, width, followed is not None, weighed
    )
    total = frame.width(columns)
    legend, top = _legend(
        frame, any(place.kind != "leaf" and not place.children for place in places), total
    )
    bottom = set_places(root, frame, top + 6)
    places.sort(key=lambda place: place.on_path)  # the path is drawn above the rest
    drawn = "".join(
        part(place, frame) for part in (_branches, _node, _answers_named) for place in places
    )
    return drawing(legend + drawn, total, bottom + MARGIN, _label(places, nodes, frame))


# -- questions and branches ------------------------------------------------------------------------


def _question(place: Place, frame: Frame) -> str:
    question = place.node.question
    assert question is not None
    height = box_height(question, frame)
    top = place.y - height / 2
    spoken, rest = lines(question, frame.room)
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


def _branches(place: Place, frame: Frame) -> str:
    """Draw the branches from a node to its children."""
    drawn = ""
    for child, answer in zip(place.children, ("no", "yes"), strict=False):
        (x, y), (x_end, y_end) = ends(place, child, answer, frame)
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


def _answers_named(place: Place, frame: Frame) -> str:
    """Write no and yes on the root's branches, and on those of the path."""
    named = ""
    for child, answer in zip(place.children, ("no", "yes"), strict=False):
        if place.node.number == 0 or child.on_path:
            (x, y), (x_end, y_end) = ends(place, child, answer, frame)
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


def _node(place: Place, frame: Frame) -> str:
    if place.kind == "question":
        return _question(place, frame)
    if place.kind == "fold":
        return _fold(place, frame)
    return _leaf(place, frame)


def _fold(place: Place, frame: Frame) -> str:
    start = place.x - frame.step + frame.box
    x = start + 0.5 * (place.x - start) + 3
    mark = text(x, place.y + 3, "…", 13, fill=FAINT)
    return titled(mark, "Folded" + frame.told(place))


def _leaf(place: Place, frame: Frame) -> str:
    """Draw a leaf's answer as a bar and in words."""
    node = place.node
    name = node.name if place.kind == "leaf" else f"mean of {node.n_leaves} leaves"
    told = name + frame.told(place)
    x, bar = place.x, place.y - 9
    if frame.task.kind == "regression":
        unit = f" {frame.task.unit}" if frame.task.unit else ""
        lowest, highest = frame.values
        answer = full = minus(within(node.output[0], highest - lowest)) + unit
        content = _scale(x, bar, node.output[0], frame.values)
    else:
        best = max(range(len(node.output)), key=lambda code: node.output[code])
        named = class_text(frame.task, best)
        colon = "" if named == frame.task.class_names[best] else ":"
        probability = f"{colon} {node.output[best]:.2f}"
        room = frame.leaf - BAR_WIDTH - 12 - text_width(probability, 12.5)
        answer = shorten(named, room, 12.5) + probability
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
    spoken = ", ".join(f"{class_text(task, code)}: {output[code]:.3f}" for code in order)
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


def _legend(frame: Frame, folded: bool, total: float) -> tuple[str, float]:
    """Say how to read the drawing; give the legend and where it ends."""
    content, y = "", MARGIN + 10
    for sentence in frame.how_to_read(folded):
        for part in wrapped(sentence, total - 2 * MARGIN, 12):
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


def _class_keys(task: Task, total: float) -> list[list[tuple[str, str]]]:
    """Give the lines of the key to the bars' colours."""
    if task.kind == "regression":
        return []
    if task.n_scores <= len(CLASS_COLOURS):
        keys = [
            (colour, shorten(class_text(task, code), 300, 12))
            for code, colour in zip(range(task.n_scores), CLASS_COLOURS, strict=False)
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


def _label(places: list[Place], nodes: list[Node], frame: Frame) -> str:
    """Say what the drawing shows, for those who do not see it."""
    drawn = sum(place.kind == "leaf" for place in places)
    first = nodes[0].question
    kind = "Decision tree" if frame.hard else "Soft tree"
    depth = max(node.level for node in nodes)
    asked = f" Its first question: {first.words()}?" if first else ""
    followed = " The way of one row is marked." if frame.one_row else ""
    return (
        f"{kind} of depth {depth} with {nodes[0].n_leaves} leaves, of which {drawn} are "
        f"drawn.{asked}{followed}"
    )
