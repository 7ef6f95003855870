"""Where the parts of a tree's drawing lie, and which of them are folded."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from explain_distill.data.dataset import Task
from explain_distill.data.features import number_of_level
from explain_distill.report.svg import shorten, text_width, wrapped
from explain_distill.report.wording import percent
from explain_distill.students.nodes import Node
from explain_distill.students.rules import Comparison, Question, Term

MOST_THICK = 18.0
SHOWN = 0.01
"""Branches that a smaller share of the rows takes are folded."""

MARGIN = 8.0
MOST_LINES = 3
"""Of one feature's name in a question's box, beside its level."""

MISSING = " is missing"
LINE_HEIGHT = 15.0
LEAF_HEIGHT = 36.0
FOLD_HEIGHT = 20.0
LEAST_LEAF, MOST_LEAF = 190.0, 330.0
BAR_WIDTH = 80.0
LEAST_STEP, MOST_STEP = 128.0, 300.0

Kind = Literal["question", "leaf", "end", "fold"]


def class_text(task: Task, code: int) -> str:
    """Name a class, one that is called by a number together with what it is of."""
    name = task.class_names[code]
    return name if number_of_level(name) is None else f"{task.target} = {name}"


@dataclass
class Place:
    """A node of the drawing; its children are the one for no, above, and the one for yes.

    An end is a question all of whose branches are folded: it shows the mean answer below it.
    """

    node: Node
    kind: Kind
    children: list[Place] = field(default_factory=list)
    reach: float = 0.0
    on_path: bool = False
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Frame:
    """What all parts of a drawing share: the measures of its columns, and what it tells of."""

    task: Task
    step: float
    box: float
    leaf: float
    hard: bool
    one_row: bool
    weighed: bool
    values: tuple[float, float]

    @classmethod
    def of(
        cls,
        nodes: list[Node],
        task: Task,
        columns: int,
        width: int,
        one_row: bool,
        weighed: bool,
    ) -> Frame:
        """Measure the columns, the last of which holds leaves alone."""
        names = [class_text(task, code) for code in range(len(task.class_names))]
        longest = max((text_width(name, 12.5) for name in names), default=0.0)
        leaf = min(max(BAR_WIDTH + 8 + longest + 42, LEAST_LEAF), MOST_LEAF)
        step = (width - leaf - 2 * MARGIN) / max(columns - 1, 1)
        step = min(max(step, LEAST_STEP), MOST_STEP)
        box = step - min(max(0.18 * step, 26.0), 60.0)
        answers = [node.output[0] for node in nodes if node.question is None]
        hard = any(isinstance(node.question, Comparison) for node in nodes)
        return cls(task, step, box, leaf, hard, one_row, weighed, (min(answers), max(answers)))

    @property
    def room(self) -> float:
        """Give the width of a line in a question's box, beside the question's number."""
        return self.box - 17 - text_width("00", 11)

    def width(self, columns: int) -> float:
        """Give the width of the drawing."""
        return 2 * MARGIN + (columns - 1) * self.step + self.leaf

    def told(self, place: Place) -> str:
        """Say how much of the rows comes to a node; nothing where that is not known."""
        if not self.weighed or (self.hard and self.one_row):
            return ""
        return f", {percent(place.reach)} of {'this row' if self.one_row else 'rows'}"

    def thickness(self, place: Place) -> float:
        """Give the thickness of the branch to a node."""
        return max(1.0, MOST_THICK * place.reach) if self.weighed else 2.0

    def height(self, place: Place) -> float:
        """Give the height that a node needs, the gap to the next included."""
        if place.kind == "fold":
            return FOLD_HEIGHT
        if place.kind in ("leaf", "end"):
            return LEAF_HEIGHT
        assert place.node.question is not None
        return box_height(place.node.question, self) + 8

    def how_to_read(self, folded: bool) -> list[str]:
        """Say how to read the drawing."""
        first = (
            "A box names its question's two heaviest terms, and what share of its weight others "
            "have. The better all fit, the more of a row goes down (yes), the rest goes up (no)."
        )
        if self.hard:
            first = "A box holds a question: yes leads down, no leads up."
        rows = "this row" if self.one_row else "the rows"
        second = f"A branch is as thick as the share of {rows} that takes it."
        if not self.weighed:
            second = "No rows are known, so all branches are equally thick."
        if self.one_row:
            second = (
                "The way of this row is dark."
                if self.hard
                else f"{second} The most probable way is dark."
            )
        if folded and self.weighed:
            second += f" “…” folds a branch that less than {SHOWN:.0%} takes."
        return [first, second]


def most_probable_path(followed: list[Node]) -> set[int]:
    """Give the numbers of the nodes from the root to the leaf that holds most of the row."""
    leaves = (node for node in followed if node.question is None)
    number = max(leaves, key=lambda node: node.reach).number
    parents = {child: node.number for node in followed for child in node.children}
    path = {number}
    while number in parents:
        number = parents[number]
        path.add(number)
    return path


def grow(number: int, nodes: list[Node], told: list[Node], path: set[int]) -> Place:
    """Build the drawing's nodes from one downwards; `told` says how many rows come there."""
    node = told[number]
    place = Place(node, "leaf", reach=node.reach, on_path=number in path)
    if number and max(node.reach, nodes[number].reach) < SHOWN:
        place.kind = "fold"
    elif node.question is not None:
        children = [grow(child, nodes, told, path) for child in node.children]
        if all(child.kind == "fold" for child in children):
            place.kind = "end"
        else:
            place.kind, place.children = "question", children
    return place


def walk(place: Place) -> list[Place]:
    """List a node and all below it."""
    return [place, *(below for child in place.children for below in walk(child))]


def set_places(place: Place, frame: Frame, top: float) -> float:
    """Place a node and all below it from `top` downwards; give where they end."""
    place.x = MARGIN + place.node.level * frame.step
    own = frame.height(place)
    if not place.children:
        place.y = top + own / 2
        return top + own
    missing = max(0.0, own - _extent(place.children, frame))
    at = top + missing / 2
    for child in place.children:
        at = set_places(child, frame, at)
    open_ones = [child.y for child in place.children if child.kind != "fold"]
    place.y = sum(open_ones) / len(open_ones)
    place.y = min(max(place.y, top + own / 2), at + missing / 2 - own / 2)
    for child, side in zip(place.children, (-1, 1), strict=True):
        if child.kind == "fold":  # a stub stays beside its question
            child.y = place.y + side * own / 2.5
    return at + missing / 2


def _extent(places: list[Place], frame: Frame) -> float:
    """Give the height that some nodes need with all below them."""
    return sum(max(frame.height(p), _extent(p.children, frame)) for p in places)


def lines(question: Question, room: float) -> tuple[list[str], list[str]]:
    """Say a question in lines of a width, and in two lengths how much of its weight they leave out.

    A name is broken between its words; only what is longer than `MOST_LINES` loses its middle.
    """
    if isinstance(question, Comparison):
        return _broken([(part, "") for part in (question.subject, question.predicate)], room), []
    if len(question.terms) == 1:
        return _broken([_parted(question.words(), question.terms[0])], room), []
    if not question.terms:
        return _broken([(question.words(), "")], room), []
    spoken = [
        _parted(f"and {words}" if place else words, term)
        for place, (words, term) in enumerate(zip(question.short(2), question.terms, strict=False))
    ]
    rest = len(question.terms) - len(spoken)
    if not rest:
        return _broken(spoken, room), []
    share = sum(term.share for term in question.terms[len(spoken) :])
    return _broken(spoken, room), [
        f"+ {rest} more, {percent(share)} of weight",
        f"+ {rest} more, {percent(share)}",
    ]


def _parted(words: str, term: Term) -> tuple[str, str]:
    """Part from a feature's name what must not be cut off: its level, or that it is missing."""
    if words.endswith(MISSING):
        return words.removesuffix(MISSING), MISSING
    name, sign, level = words.rpartition("=")
    return (name, sign + level) if name and term.binary else (words, "")


def _broken(parts: list[tuple[str, str]], room: float) -> list[str]:
    """Break names into lines, each with its end, which gets a line of its own where it must."""
    broken: list[str] = []
    for name, end in parts:
        if not name:
            continue
        found = wrapped(name, room, 12)
        kept = found[: MOST_LINES - 1]
        if len(found) > len(kept):
            rest = re.sub("([-_/]) ", r"\1", " ".join(found[len(kept) :]))
            kept.append(shorten(rest, room, 12))
        if text_width(kept[-1] + end, 12) <= room:
            kept[-1] += end
        else:
            kept.append(end.strip())
        broken += [shorten(line, room, 12) for line in kept if line]
    return broken


def box_height(question: Question, frame: Frame) -> float:
    """Give the height of a question's box."""
    spoken, rest = lines(question, frame.room)
    return 10 + LINE_HEIGHT * (len(spoken) + bool(rest))


def ends(
    place: Place, child: Place, answer: str, frame: Frame
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Give where a branch begins and ends."""
    assert place.node.question is not None
    start = place.x + frame.box
    side = -1 if answer == "no" else 1
    end = child.x if child.kind != "fold" else start + 0.5 * (child.x - start)
    return (start, place.y + side * box_height(place.node.question, frame) / 5), (end, child.y)
