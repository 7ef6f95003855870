import json
import subprocess
import sys

import numpy as np
import pytest
from export_cases import (
    DATA,
    DEEP,
    TREES,
    answers,
    asks_whether_missing,
    edge_rows,
    hard_and_lopsided,
    mixed_rows,
    records,
)

from explain_distill.students.export.forms import exported
from explain_distill.students.splits import EVERYTHING

ASK = """
import json, sys
given = json.load(sys.stdin)
space = {}
exec(compile(given["code"], "tree", "exec"), space)
answers = [space["predict"](row) for row in given["rows"]]
print(json.dumps([list(a.values()) if isinstance(a, dict) else [a] for a in answers]))
"""


def asked_bare(code, rows):
    """Run the function in an interpreter without site-packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK],
        input=json.dumps({"code": code, "rows": rows}),
        capture_output=True,
        text=True,
        check=True,
    )
    return np.array(json.loads(done.stdout))


@pytest.mark.parametrize("table", DATA)
@pytest.mark.parametrize("name", TREES)
def test_the_function_answers_as_the_student_in_a_bare_interpreter(name, table, students, tables):
    student, data = students(name, table), tables[table]
    X = edge_rows(data)
    told = asked_bare(exported(student, "python").decode(), records(data, X))
    assert told == pytest.approx(answers(student, data, X), rel=1e-9, abs=1e-9)


def test_it_names_the_classes(students, tables):
    data = tables["three-classes"]
    space = {}
    exec(exported(students("hard", "three-classes"), "python"), space)
    answer = space["predict"](records(data, data.X[:1])[0])
    assert tuple(answer) == data.task.class_names
    assert sum(answer.values()) == pytest.approx(1.0)


def test_it_imports_nothing_and_is_ascii(students):
    code = exported(students("mixture", "two-classes"), "python").decode()
    assert "import" not in code
    assert code.isascii()


def test_a_column_that_is_absent_is_an_error(students):
    space = {}
    exec(exported(students("hard", "two-classes"), "python"), space)
    with pytest.raises(KeyError):
        space["predict"]({})


def test_a_question_of_what_is_missing_is_asked_plainly(tables):
    data = tables["two-classes"]
    tree, X = asks_whether_missing(data), edge_rows(data)
    code = exported(tree, "python").decode()
    assert "if x0 != x0:" in code or "if x0 == x0:" in code
    assert repr(EVERYTHING) not in code
    assert asked_bare(code, records(data, X)) == pytest.approx(answers(tree, data, X), abs=1e-9)


@pytest.mark.parametrize("shape", DEEP)
def test_a_deep_tree_can_be_asked_in_a_bare_interpreter(shape):
    data = mixed_rows(3, n=500)
    tree, X = DEEP[shape](data), edge_rows(data, 500)
    told = asked_bare(exported(tree, "python").decode(), records(data, X))
    assert told == pytest.approx(answers(tree, data, X), rel=1e-9, abs=1e-9)


def test_either_side_of_a_gate_can_be_nested(students, tables):
    data = tables["three-classes"]
    tree, X = hard_and_lopsided(students), edge_rows(data)
    code = exported(tree, "python").decode()
    assert "if not " in code
    assert asked_bare(code, records(data, X)) == pytest.approx(answers(tree, data, X), abs=1e-9)
