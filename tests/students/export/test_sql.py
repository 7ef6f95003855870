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
from explain_distill.data.readable_features import ReadableFeatures
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


@pytest.mark.parametrize("blank", ["", "  ", "\t\n\u00a0"])
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


def graded(n=400):
    """Build a table whose grades are 1, 1.0, 2 and 3+, of which 1 decides with a number."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "grade": rng.choice(["1", "1.0", "2", "3+"], n),
            "smoker": rng.choice(["yes", "no"], n),
            "num": rng.normal(size=n),
        }
    )
    y = ((frame["grade"] == "1") | (frame["smoker"] == "yes") & (frame["num"] > 0)).astype(int)
    levels = Feature("grade", "category", levels=("1", "1.0", "2", "3+"))
    schema = Schema((levels, Feature("smoker", "boolean", levels=("no", "yes")), Feature("num")))
    task = Task("classification", "y", ("a", "b"))
    return frame, Dataset("graded", schema.encode(frame), y.to_numpy(), schema, task)


def asked_of_frame(query, frame):
    with sqlite3.connect(":memory:") as base:
        frame.to_sql("rows", base, index=False)
        told = pd.read_sql(query, base)
    base.close()
    return told["probability of b"].to_numpy(dtype=np.float64)


@pytest.fixture(scope="module")
def grades():
    frame, data = graded()
    tree = xd.DecisionTree().fit(data.readable(), data.y)
    tree.set_names(data.schema, data.task.class_names)
    return frame, tree, exported(tree, "sql").decode(), tree.predict_proba(data.readable())[:, 1]


def test_levels_that_differ_by_their_spelling_alone_are_told_apart(grades):
    frame, _, query, expected = grades
    assert asked_of_frame(query, frame) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("around", ["\n", "\t", "\r", "\u00a0"])
def test_white_space_around_a_word_is_none_of_it(around, grades):
    frame, _, query, expected = grades
    padded = frame.assign(
        grade=around + frame["grade"],
        smoker=frame["smoker"] + around,
        num=around + frame["num"].map(repr) + around,
    )
    assert asked_of_frame(query, padded) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "n.a.",
            "NA",
            "?",
            "2024-01-02",
            "1,5",
            "inf",
            "nan",
            "-",
            "+",
            ".",
            "..",
            "e",
            "E5",
            "e-5",
        ),
        *(
            "-e5",
            ".e5",
            "1e",
            "1e-",
            "1.2.3",
            "1e5.5",
            "1e5e5",
            "--1",
            "1-2",
            "1+2",
            "+-1",
            "1e--5",
        ),
    ],
)
def test_a_text_in_a_column_of_numbers_is_missing(text, grades):
    frame, tree, query, _ = grades
    rows = tree.schema_.encode(frame.assign(num=np.nan))
    missing = ReadableFeatures(tree.schema_).transform(rows)
    told = asked_of_frame(query, frame.assign(num=text))
    assert told == pytest.approx(tree.predict_proba(missing)[:, 1], abs=1e-9)


@pytest.mark.parametrize("number", [0.0, -1.5, 1e-7, -2.5e20, 12345678.9])
def test_any_spelling_of_a_number_is_read(number, grades):
    frame, tree, query, _ = grades
    rows = tree.schema_.encode(frame.assign(num=number))
    expected = tree.predict_proba(ReadableFeatures(tree.schema_).transform(rows))[:, 1]
    for cell in (number, str(number), f" {number:+e} ", f"{number:E}"):
        assert asked_of_frame(query, frame.assign(num=cell)) == pytest.approx(expected, abs=1e-9)


def test_a_column_that_is_absent_is_an_error(grades):
    frame, _, query, _ = grades
    with pytest.raises(pd.errors.DatabaseError, match="no such column"):
        asked_of_frame(query, frame.drop(columns="num"))


def test_a_tree_that_no_database_holds_is_refused():
    X = np.random.default_rng(0).normal(size=(300, 3))
    tree = xd.SoftTree(depth=10, n_steps=2, random_state=0).fit(X, X[:, 0] > 0)
    with pytest.raises(DataError, match="at most 1600 columns; however, this student takes 2047"):
        exported(tree, "sql")


@pytest.mark.parametrize("form", ["sql", "python", "json", "rules", "dot"])
def test_numbers_that_are_not_finite_in_raw_units_are_refused(form):
    X = np.random.default_rng(0).normal(scale=1e-3, size=(300, 2))
    tree = xd.SoftTree(depth=2, n_steps=2, random_state=0).fit(X, X[:, 0] > 0)
    tree.gate_weights_[0, 0] = 1.7e308
    with pytest.raises(DataError, match="must be finite in raw units"):
        exported(tree, form)


@pytest.mark.parametrize("options", [{}, {"temperature": 2.0}, {"leaves": "linear"}])
def test_sqlite_finds_each_row_by_an_index(options):
    X = np.random.default_rng(0).normal(size=(300, 3))
    tree = xd.SoftTree(depth=3, n_steps=2, random_state=0, **options).fit(X, X[:, 0] > 0)
    with sqlite3.connect(":memory:") as base:
        base.execute('CREATE TABLE "rows" (x0 REAL, x1 REAL, x2 REAL)')
        plan = base.execute(f"EXPLAIN QUERY PLAN {exported(tree, 'sql').decode()}").fetchall()
    base.close()
    assert any("SEARCH numbered USING AUTOMATIC" in step[3] for step in plan)
