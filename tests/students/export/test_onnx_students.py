import json

import numpy as np
import pytest
from export_cases import DATA, STUDENTS, answers, asks_whether_missing, edge_rows

import explain_distill as xd
from explain_distill.exceptions import MissingDependencyError
from explain_distill.students.export.forms import exported
from explain_distill.students.export.of_students import as_double

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [blackbox] is not installed")


def session(student):
    return onnxruntime.InferenceSession(
        exported(student, "onnx"), providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("table", DATA)
@pytest.mark.parametrize("name", STUDENTS)
def test_onnxruntime_answers_as_the_student(name, table, students, tables):
    student, data = students(name, table), tables[table]
    X = edge_rows(data)
    rows = data.readable_features.transform(X)
    expected = answers(student, data, X)
    if data.task.kind == "regression":
        (value,) = session(student).run(["value"], {"readable": rows})
        assert value == pytest.approx(expected[:, 0], rel=1e-9, abs=1e-9)
        return
    probabilities, label = session(student).run(["probabilities", "label"], {"readable": rows})
    assert probabilities == pytest.approx(expected, rel=1e-9, abs=1e-9)
    names = np.array(data.task.class_names, dtype=object)
    assert label.tolist() == names[expected.argmax(axis=1)].tolist()


def test_one_row_and_many_are_answered_alike(students, tables):
    data = tables["two-classes"]
    rows = data.readable()[:3]
    for name in STUDENTS:
        asked = session(students(name, "two-classes"))
        together = asked.run(["probabilities"], {"readable": rows})[0]
        apart = [asked.run(["probabilities"], {"readable": row[None]})[0][0] for row in rows]
        assert together == pytest.approx(np.array(apart), abs=1e-12)


def test_a_value_at_a_threshold_goes_the_boosters_way(students, tables):
    student, data = students("boosted-trees", "regression"), tables["regression"]
    arrays = student.tree_arrays_
    rows = []
    for node in np.flatnonzero(~arrays.is_leaf)[:100]:
        middle, _ = as_double(arrays.thresholds[node])
        for value in (middle, np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf)):
            row = data.readable()[5]
            row[arrays.features[node]] = value
            rows.append(row)
    rows = np.array(rows)
    (value,) = session(student).run(["value"], {"readable": rows})
    assert value == pytest.approx(student.predict(rows), rel=1e-12)


def test_a_question_of_what_is_missing_is_asked(tables):
    data = tables["two-classes"]
    tree, X = asks_whether_missing(data), edge_rows(data)
    rows = data.readable_features.transform(X)
    (told,) = session(tree).run(["probabilities"], {"readable": rows})
    assert told == pytest.approx(answers(tree, data, X), abs=1e-9)


def test_trees_that_learned_nothing_answer_for_every_row():
    X = np.zeros((20, 2))
    student = xd.BoostedTrees(n_trees=2, task="regression").fit(X, np.full(20, 3.0))
    (value,) = session(student).run(["value"], {"readable": X})
    assert value == pytest.approx(np.full(20, 3.0))


def test_the_metadata_names_features_and_classes(students, tables):
    about = session(students("mlp", "three-classes")).get_modelmeta().custom_metadata_map
    data = tables["three-classes"]
    assert json.loads(about["features"]) == data.readable_features.names
    assert json.loads(about["classes"]) == list(data.task.class_names)
    columns, levels = json.loads(about["columns"]), json.loads(about["levels"])
    assert set(columns) == set(data.schema.names)
    assert [level is not None for level in levels] == [
        feature.level is not None for feature in data.readable_features.features
    ]
    assert "NaN where it is missing" in json.loads(about["how_to_read"])


def test_without_onnx_the_extra_is_named(students, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'explain-distill\[blackbox\]'"):
        exported(students("mlp", "two-classes"), "onnx")
