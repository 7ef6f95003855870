"""Imports point to a lower floor, or to an earlier room of the same one."""

import ast
from pathlib import Path

import pytest

import explain_distill

ROOT = Path(explain_distill.__file__).parent
FLOORS = (
    (
        "exceptions",
        "_types",
        "_random",
        "_arrays",
        "_compiled",
        "_ranges",
        "_optional",
        "_rounding",
    ),
    ("data", "metrics"),
    ("_gradients", "_preparation", "_threads", "_training", "teachers", "students"),
    ("distillation", "attribution"),
    ("audit",),
    ("study", "report"),
    ("_console", "cli", "app"),
)
SIBLINGS = ({"distillation", "attribution"}, {"data", "metrics"}, {"teachers", "students"})
SHORTCUTS = {("study", "report")}
"""`Study.report` writes a report of itself: a call upstairs that its users expect."""

HEIGHT = {room: height for height, floor in enumerate(FLOORS) for room in floor}
PLACE = {room: place for floor in FLOORS for place, room in enumerate(floor)}


def room_of(path):
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "explain_distill" and len(parts) > 1:
                yield parts[1]


FILES = sorted(
    path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem != "__init__"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    here = room_of(path)
    for there in set(imported_rooms(path)) - {here}:
        if (here, there) in SHORTCUTS:
            continue
        assert HEIGHT[there] <= HEIGHT[here], f"{here} must not import {there}"
        if HEIGHT[there] == HEIGHT[here]:
            assert {here, there} not in SIBLINGS, f"{here} and {there} do not know each other"
            assert PLACE[there] < PLACE[here], f"{there} stands behind {here}"


def test_every_room_has_its_floor():
    assert {room_of(path) for path in FILES} <= set(HEIGHT)
