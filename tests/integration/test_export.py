"""Students exported by the command line, and run without the package."""

import json
import subprocess
import sys

import numpy as np
import pytest

import explain_distill as xd


@pytest.fixture
def export(study, explain_distill, tmp_path):
    def run(student, form, out):
        return explain_distill(
            "export", study[0], "--student", student, "--format", form, "--out", tmp_path / out
        )

    return run


def test_the_python_of_a_study_answers_as_its_student(study, export, tmp_path):
    done = export("soft-tree", "python", "tree.py")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'tree.py'}\n")
    _, test = xd.load_dataset("wine").split(seed=0)
    row = dict(zip(test.schema.names, test.X[0].tolist(), strict=True))
    code = f"import tree; print(list(tree.predict({row!r}).values()))"
    asked = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = xd.Study.open(study[0]).students["soft-tree"].predict_proba(test.readable()[:1])
    assert np.array(json.loads(asked.stdout)) == pytest.approx(expected[0], abs=1e-9)


@pytest.mark.parametrize("form", ["rules", "json", "sql", "dot"])
def test_every_form_of_a_tree_is_written(form, export, tmp_path):
    assert export("soft-tree", form, "out").returncode == 0
    assert "soft-tree" in (tmp_path / "out").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("student", "form", "told"),
    [
        ("mlp", "sql", "must be made of trees"),
        ("soft-tre", "sql", "Did you mean 'soft-tree'?"),
        ("teacher", "sql", "A student must be named to be exported; however, got 'teacher'"),
        ("soft-tree", "pyton", "Did you mean 'python'?"),
    ],
)
def test_a_mistake_is_told_in_a_line_and_leaves_no_file(student, form, told, export, tmp_path):
    done = export(student, form, "out")
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays(export, tmp_path):
    (tmp_path / "out").write_text("mine")
    done = export("soft-tree", "python", "out")
    assert done.returncode == 2
    assert "The output must be a new file" in done.stderr
    assert (tmp_path / "out").read_text() == "mine"
