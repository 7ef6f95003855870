import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from export_cases import (
    DATA,
    DEEP,
    NASTY,
    TREES,
    answers,
    asks_whether_missing,
    edge_rows,
    fitted,
    hard_and_lopsided,
    mixed_rows,
    records,
)

import explain_distill as xd
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema
from explain_distill.exceptions import DataError
from explain_distill.students.export.forms import exported
from explain_distill.students.export.quoting import sql_name
from explain_distill.students.splits import EVERYTHING

TYPES = {"number": "REAL", "category": "TEXT", "boolean": "TEXT"}


def asked_in_sqlite(query, data, rows):
    """Put rows into a table and run the query; give the names and the rows of its answer."""
    columns = ", ".join(f"{sql_name(f.name)} {TYPES[f.kind]}" for f in data.schema.features)
    places = ", ".join("?" * len(data.schema))
    with sqlite3.connect(":memory:") as base:
        base.execute(f'CREATE TABLE "rows" ({columns}, id INTEGER)')
        cells = [(*row.values(), i) for i, row in enumerate(rows)]
        base.executemany(f'INSERT INTO "rows" VALUES ({places}, ?)', cells)
        cursor = base.execute(query)
        names = [description[0] for description in cursor.description]
        answer = cursor.fetchall()
    base.close()
    return names, answer


@pytest.mark.parametrize("table", DATA)
@pytest.mark.parametrize("name", TREES)
def test_the_query_answers_as_the_student_in_sqlite(name, table, students, tables):
    student, data = students(name, table), tables[table]
    X = edge_rows(data)
    names, answer = asked_in_sqlite(exported(student, "sql").decode(), data, records(data, X))
    expected = answers(student, data, X)
    assert [row[names.index("id")] for row in answer] == list(range(len(X)))
    if data.task.kind == "regression":
        told = [[row[-1]] for row in answer]
    else:
        told = [row[-expected.shape[1] :] for row in answer]
        assert names[-expected.shape[1] :] == [f"probability of {c}" for c in student.class_names()]
        best = [row[names.index("prediction")] for row in answer]
        top = np.sort(expected, axis=1)
        clear = top[:, -1] - top[:, -2] > 1e-9
        wanted = np.array(data.task.class_names, dtype=object)[expected.argmax(axis=1)]
        assert (np.array(best, dtype=object) == wanted)[clear].all()
    assert np.array(told, float) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_whole_numbers_that_name_levels_are_known_as_text_and_as_numbers(students):
    data = mixed_rows(2)
    schema = Schema((Feature("site", "category", levels=("1", "2", "1.5")),))
    data = Dataset("sites", data.X[:, [1]] % 3, data.y, schema, data.task)
    student = fitted("hard", data)
    query = exported(student, "sql").decode()
    with sqlite3.connect(":memory:") as base:
        base.execute('CREATE TABLE "rows" (site)')
        base.executemany(
            'INSERT INTO "rows" VALUES (?)', [("1",), (1,), (1.0,), (" 1 ",), ("1.5",), (1.5,)]
        )
        told = [row[-1] for row in base.execute(query).fetchall()]
    base.close()
    expected = student.predict_proba(data.readable_features.transform(np.array([[0.0], [2.0]])))
    assert told == pytest.approx([expected[0, -1]] * 4 + [expected[1, -1]] * 2)


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("name", ["mixture", "hard", "boosted-trees", "decision-tree"])
def test_a_blank_text_is_a_missing_value(name, blank, students, tables):
    student, data = students(name, "two-classes"), tables["two-classes"]
    rows = [dict.fromkeys(data.schema.names, blank)]
    _, answer = asked_in_sqlite(exported(student, "sql").decode(), data, rows)
    told = np.array([row[-2:] for row in answer], float)
    assert told == pytest.approx(answers(student, data, data.X[:1] * np.nan), abs=1e-9)


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("name", ["mixture", "decision-tree"])
def test_columns_that_are_named_as_its_own_ones_stay_apart(name, case):
    own = ("row number", "prediction", "probability of a")
    taken = tuple(map(case, (*own, "row number 2", "inputs", "leaf")))
    mixed = mixed_rows(2)
    schema = Schema(
        tuple(replace(f, name=n) for f, n in zip(mixed.schema.features, taken, strict=True))
    )
    data = replace(mixed, schema=schema, task=Task("classification", "y", ("a", "A")))
    student, X = fitted(name, data), edge_rows(data)
    names, answer = asked_in_sqlite(exported(student, "sql").decode(), data, records(data, X))
    assert len({name.casefold() for name in names}) == len(names)
    assert names[1:7] == list(taken)
    assert names[-2:] == ["probability of a 2", "probability of A 3"]
    told = np.array([row[-2:] for row in answer], float)
    assert told == pytest.approx(answers(student, data, X), rel=1e-9, abs=1e-9)


def test_it_says_which_functions_it_needs(students):
    assert "It needs EXP;" in exported(students("mixture", "two-classes"), "sql").decode()
    assert "It needs no function" in exported(students("hard", "two-classes"), "sql").decode()


def test_a_name_with_a_nul_is_refused():
    with pytest.raises(DataError, match="must hold no NUL character to be written in SQL"):
        sql_name("a\0b")


def test_comments_hold_no_name(students):
    query = exported(students("hard", "two-classes"), "sql").decode()
    comments = [line for line in query.splitlines() if line.startswith("--")]
    assert not any(name in line for name in NASTY for line in comments)


def test_a_question_of_what_is_missing_is_asked_plainly(tables):
    data = tables["two-classes"]
    tree, X = asks_whether_missing(data), edge_rows(data)
    query = exported(tree, "sql").decode()
    assert 'WHEN "x0" IS NULL\n' in query or 'WHEN "x0" IS NOT NULL\n' in query
    assert repr(EVERYTHING) not in query
    told = np.array([row[-2:] for row in asked_in_sqlite(query, data, records(data, X))[1]], float)
    assert told == pytest.approx(answers(tree, data, X), abs=1e-9)


@pytest.mark.parametrize("shape", DEEP)
def test_a_deep_tree_can_be_asked_in_sqlite(shape):
    data = mixed_rows(3, n=500)
    tree, X = DEEP[shape](data), edge_rows(data, 500)
    told = asked_in_sqlite(exported(tree, "sql").decode(), data, records(data, X))[1]
    told = np.array([row[-3:] for row in told], float)
    assert told == pytest.approx(answers(tree, data, X), rel=1e-9, abs=1e-9)


def test_either_side_of_a_gate_can_be_nested(students, tables):
    data = tables["three-classes"]
    tree, X = hard_and_lopsided(students), edge_rows(data)
    query = exported(tree, "sql").decode()
    assert "<= 0.0" in query
    told = np.array([row[-3:] for row in asked_in_sqlite(query, data, records(data, X))[1]], float)
    assert told == pytest.approx(answers(tree, data, X), abs=1e-9)


def test_columns_of_the_table_are_not_taken_for_answers():
    """The steps of the query name their answers a0, a1, …, as a table may its columns."""
    rng = np.random.default_rng(0)
    schema = Schema(tuple(Feature(name) for name in ("a0", "s0", "x0")))
    X = rng.normal(size=(60, 3))
    tree = xd.DecisionTree(max_leaves=4).fit(X, (X[:, 0] > 0).astype(int))
    tree.set_names(schema, ("no", "yes"))
    with sqlite3.connect(":memory:") as base:
        frame = pd.DataFrame(X, columns=schema.names).assign(a1=1.0, prediction="?")
        frame.to_sql("rows", base, index=False)
        answer = pd.read_sql(exported(tree, "sql").decode(), base)
    assert answer["probability of yes"].to_numpy() == pytest.approx(tree.predict_proba(X)[:, 1])
