"""Every page on every kind of study, without a browser."""

import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import explain_distill as xd
from explain_distill.app import figures, state
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema
from explain_distill.exceptions import StudyFormatError

LONG = "serum concentration of a marker whose name is *very* long, at admission, fasting, number"


def rows_of(name, n_columns, n_classes, n_rows=160, seed=0):
    """Build rows of numbers, with a value or one of some classes to predict."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    columns = tuple(Feature(f"{LONG} {place}", unit="mg/dL") for place in range(n_columns))
    if not n_classes:
        y, task = X[:, 0] * 1000, Task("regression", "cost", unit="EUR")
    else:
        y = np.arange(n_rows) % n_classes
        task = Task("classification", "letter", tuple(f"class_{i}" for i in range(n_classes)))
    return Dataset(name, X, y, Schema(columns), task)


def kept(folder, data, **options):
    """Judge a tree and a perceptron that barely learned, and keep that."""
    train, test = data.split(seed=0)
    teacher = xd.NeuralTeacher(members=1, width=8, max_epochs=3).fit(train)
    students = {
        "soft-tree": xd.distill(teacher, xd.SoftTree(depth=2, n_steps=20), train),
        "a small network": xd.distill(teacher, xd.MLP(hidden=(8,), n_steps=20), train),
    }
    xd.compare(teacher, students, test.take(np.arange(12))).save(folder, **options)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("kinds")
    kept(root / "wide", rows_of("wide", 60, 2))
    kept(root / "letters", rows_of("letters", 3, 26, n_rows=208))
    kept(root / "regression", rows_of("regression", 3, 0), with_data=False)
    shutil.copytree(root / "letters", root / "altered")
    (root / "altered" / "results.json").write_text("{}", encoding="utf-8")
    return root


def visited(folder, view, student="soft-tree", **session):
    """Run one page of the app, with choices made before."""

    def script(folder, view):
        from importlib import import_module
        from pathlib import Path

        from explain_distill.app import state

        study = state.open_study(Path(folder))
        import_module(f"explain_distill.app.views.{view}").show(state.choose(study))

    app = AppTest.from_function(script, kwargs={"folder": str(folder), "view": view})
    app.session_state["student"] = student
    for key, value in session.items():
        app.session_state[key] = value
    app.run(timeout=60)
    assert not app.exception
    return app


@pytest.mark.parametrize("student", ["soft-tree", "a small network"])
@pytest.mark.parametrize("view", ["overview", "trust", "reasons", "student"])
@pytest.mark.parametrize("name", ["wide", "letters", "regression"])
def test_every_page_shows_every_kind_of_study(folders, name, view, student):
    assert visited(folders / name, view, student).title


@pytest.mark.parametrize("name", ["wide", "letters", "regression"])
def test_own_methods_are_shown_of_every_kind_of_study(folders, name):
    app = visited(folders / name, "reasons", attributions="own method")
    assert "The methods differ" in app.info[0].value


@pytest.mark.parametrize("view", ["overview", "trust", "reasons", "student"])
def test_students_in_several_sizes_are_shown_by_the_one_that_was_chosen(
    view, sized_study, tmp_path
):
    folder = sized_study.save(tmp_path / "sized")
    app = visited(folder, view, sized_study.recommended)
    assert app.selectbox(key="student").options == list(sized_study.students)
    other = next(name for name in sized_study.students if name not in sized_study.leading.students)
    assert visited(folder, view, other).title
    if view == "overview":
        told = " ".join(element.value for element in app.markdown)
        assert "are to be read" in told
        assert len(app.get("vega_lite_chart")) > 2 * len(sized_study.front.ladders)


@pytest.mark.parametrize("name", ["wide", "letters"])
def test_the_gap_of_one_row_is_bounded_where_it_is_asked_for(folders, name):
    told = visited(folders / name, "reasons", gap=True)
    table = next(t.value for t in told.table if "Apart by at most" in t.value.columns)
    assert len(table) == (16 if name == "wide" else 3)  # and all others in one line
    assert "fresh walks" in " ".join(each.value for each in told.caption)


def test_the_gap_of_a_row_that_was_not_kept_is_not_given(folders):
    told = visited(folders / "regression", "reasons", gap=True)
    assert "does not hold both" in told.info[0].value


def test_many_features_can_be_asked_for(folders):
    app = visited(folders / "wide", "reasons")
    assert app.button_group(key="features").value == 15
    assert (
        visited(folders / "wide", "reasons", features=60).button_group(key="features").value == 60
    )


def test_few_features_are_all_shown_without_asking(folders):
    assert "features" not in visited(folders / "letters", "reasons").session_state


def test_regression_has_no_class_to_choose(folders):
    assert [box.label for box in visited(folders / "regression", "reasons").selectbox] == [
        "Student",
        "Test row",
    ]


def test_a_regressors_two_r2_are_drawn_once(folders):
    comparison = state.open_study(folders / "regression").comparison
    assert "fidelity.score_r2" in figures.measured(comparison, "fidelity")
    assert figures.charted(comparison, "fidelity") == ["fidelity.r2", "fidelity.mae"]


def test_rows_that_were_not_kept_are_said_to_be_missing(folders):
    for view in ("reasons", "student"):
        app = visited(folders / "regression", view)
        told = [element.value for element in (*app.markdown, *app.caption)]
        assert any("values were not kept" in text for text in told)


def test_a_study_is_opened_again_once_its_files_change(folders, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(folders / "letters", folder)
    first = state.open_study(folder)
    assert state.open_study(folder) is first
    shutil.rmtree(folder)
    shutil.copytree(folders / "wide", folder)
    (folder / "study.json").touch()
    assert state.open_study(folder).about.name == "wide"


def test_an_altered_study_raises_its_error(folders):
    with pytest.raises(StudyFormatError, match="must have format 1"):
        state.open_study(folders / "altered")


def test_folders_are_named_by_their_last_part_or_their_path(tmp_path):
    one, two, other = tmp_path / "a" / "study", tmp_path / "b" / "study", tmp_path / "wine"
    named = state.named_folders([str(one), str(two), str(other), str(one)])
    assert named == {str(one): one, str(two): two, "wine": other}
