"""A study in its folder: opened it is what it was, and what is altered is refused."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

import explain_distill as xd
from explain_distill.audit.front import Front
from explain_distill.exceptions import DataError, StudyFormatError

STUDENTS = ("soft-tree", "decision-tree", "boosted-trees", "mlp")


@pytest.fixture(scope="module")
def saved(wine_study, tmp_path_factory):
    return wine_study.save(tmp_path_factory.mktemp("kept") / "wine")


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copy")


@pytest.fixture(scope="module")
def opened(saved):
    return xd.Study.open(saved)


@pytest.mark.parametrize("name", STUDENTS)
def test_students_predict_bit_for_bit_what_they_predicted(name, opened, wine_study, wine):
    readable = wine[1].readable()
    before = wine_study.students[name].predict_score(readable)
    assert np.array_equal(before, opened.students[name].predict_score(readable))
    assert wine_study.students[name].rules() == opened.students[name].rules()


def test_the_teacher_predicts_bit_for_bit_what_it_predicted(opened, wine_teacher, wine):
    before = wine_teacher.predict_score(wine[1].X)
    assert np.array_equal(before, opened.comparison.teacher.predict_score(wine[1].X))


def test_how_each_student_came_to_be_is_kept(opened, wine_study, wine, wine_teacher):
    for name in STUDENTS:
        assert opened.students[name].distillation_ == wine_study.students[name].distillation_
    some = {"decision-tree": opened.students["decision-tree"]}
    again = xd.redistill(wine_teacher, some, wine[0], minutes=0.01)
    assert all(each.NAME == "decision-tree" for each in again["decision-tree"])


def test_figures_rows_and_reasons_are_kept(opened, wine_study, wine):
    assert opened.summary().equals(wine_study.summary())
    assert np.array_equal(opened.comparison.data.X, wine[1].X)
    assert np.array_equal(opened.comparison.data.y, wine[1].y)
    before, after = wine_study.comparison.reasons, opened.comparison.reasons
    assert before.describe() == after.describe()
    for name in wine_study.comparison.models:
        assert np.array_equal(before.reference[name].values, after.reference[name].values)
        assert np.array_equal(before.own[name].base, after.own[name].base)
        assert before.own[name].method == after.own[name].method
        assert np.array_equal(wine_study.comparison.scores[name], opened.comparison.scores[name])


def test_a_table_with_levels_and_missing_cells_comes_back(
    mixed, mixed_teacher, mixed_students, tmp_path
):
    study = xd.compare(mixed_teacher, {"mlp": mixed_students["mlp"]}, mixed[1])
    opened = xd.Study.open(study.save(tmp_path / "mixed"))
    assert np.array_equal(opened.comparison.data.X, mixed[1].X, equal_nan=True)
    assert opened.about.schema == mixed[1].schema


def test_a_regression_comes_back(tmp_path):
    train, test = xd.load_dataset("diabetes").split(seed=0)
    teacher = xd.NeuralTeacher(members=2, width=16, max_epochs=10).fit(train)
    tree = xd.distill(teacher, xd.SoftTree(depth=2, n_steps=50), train)
    study = xd.compare(teacher, {"tree": tree}, test)
    opened = xd.Study.open(study.save(tmp_path / "diabetes"))
    readable = test.readable()
    assert np.array_equal(tree.predict(readable), opened.students["tree"].predict(readable))
    assert opened.comparison.data.y.dtype == np.float64


def test_results_are_rows_of_the_contract(saved, wine_study):
    results = json.loads((saved / "results.json").read_text())
    assert results["format"] == 1
    keys = ["model", "role", "metric", "value", "low", "high", "n", "level"]
    for row in results["metrics"]:
        assert list(row)[:8] == keys
        assert row["role"] == ("teacher" if row["model"] == "teacher" else "student")
        assert isinstance(row["value"], float)
    assert len(results["metrics"]) == len(wine_study.comparison.metrics)


def test_the_folder_holds_no_format_that_can_run_code(saved):
    suffixes = {path.suffix for path in saved.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".parquet", ".safetensors"}


def test_private_rows_are_left_out(wine_study, tmp_path):
    folder = wine_study.save(tmp_path / "private", with_data=False)
    assert not (folder / "data").exists()
    opened = xd.Study.open(folder)
    assert opened.comparison.data is None
    assert opened.summary().equals(wine_study.summary())


def test_a_foreign_teacher_is_not_kept_and_said_so(wine, tmp_path):
    from sklearn.ensemble import RandomForestClassifier

    train, test = wine
    forest = RandomForestClassifier(10, random_state=0).fit(train.X, train.y)
    tree = xd.distill(forest, xd.MLP(hidden=(8,), n_steps=50), train)
    study = xd.compare(forest, {"mlp": tree}, test)
    opened = xd.Study.open(study.save(tmp_path / "forest"))
    assert opened.comparison.teacher is None
    assert not opened.about.teacher_kept
    assert np.array_equal(opened.comparison.scores["teacher"], study.comparison.scores["teacher"])


MISSING = (
    "study.json",
    "results.json",
    "scores.parquet",
    "teacher/config.json",
    "teacher/model.safetensors",
    "students/mlp/model.safetensors",
    "students/boosted-trees/model.safetensors",
    "students/soft-tree/config.json",
    "attributions/mlp.parquet",
)


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_file_is_named(name, copy):
    (copy / name).unlink()
    with pytest.raises(StudyFormatError, match=r"however, '.*'") as error:
        xd.Study.open(copy)
    assert str(error.value).count("\n") == 0
    folder = str((copy / name).parent)
    assert str(copy / name) in str(error.value) or folder in str(error.value)


@pytest.mark.parametrize("name", ["study.json", "results.json", "students/mlp/config.json"])
def test_a_wrong_format_number_is_refused(name, copy):
    path = copy / name
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 9}))
    with pytest.raises(StudyFormatError, match=r"must have format [12]; however, it has 9"):
        xd.Study.open(copy)


@pytest.mark.parametrize("name", MISSING)
def test_a_truncated_file_is_refused(name, copy):
    path = copy / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StudyFormatError):
        xd.Study.open(copy)


@pytest.mark.parametrize(
    ("file", "array"),
    [
        ("students/soft-tree/model.safetensors", "gate_weights_"),
        ("students/soft-tree/model.safetensors", "leaf_outputs_"),
        ("students/soft-tree/model.safetensors", "preparation.scale"),
        ("students/mlp/model.safetensors", "weight.0"),
        ("students/mlp/model.safetensors", "bias.1"),
        ("students/mlp/model.safetensors", "output_centre_"),
        ("teacher/model.safetensors", "weights.0"),
        ("teacher/model.safetensors", "preparation.fill"),
    ],
)
def test_a_tampered_array_shape_is_refused(file, array, copy):
    arrays = load_file(copy / file)
    arrays[array] = np.ascontiguousarray(arrays[array][:-1])
    save_file(arrays, copy / file)
    with pytest.raises(StudyFormatError, match="cannot be read"):
        xd.Study.open(copy)


def test_an_index_out_of_an_array_is_refused(copy):
    file = copy / "students" / "mlp" / "model.safetensors"
    arrays = load_file(file)
    arrays["preparation.indicated"] = np.array([99], dtype=np.int64)
    save_file(arrays, file)
    with pytest.raises(StudyFormatError):
        xd.Study.open(copy)


def test_a_student_of_other_features_is_refused(copy, mixed_students, tmp_path):
    folder = copy / "students" / "mlp"
    config = json.loads((folder / "config.json").read_text())
    mixed_students["mlp"].write(folder)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(StudyFormatError):
        xd.Study.open(copy)


def test_a_students_name_that_leads_out_of_the_folder_is_refused(copy):
    path = copy / "results.json"
    path.write_text(path.read_text().replace('"mlp"', '"../../mlp"'))
    with pytest.raises(StudyFormatError, match="name must"):
        xd.Study.open(copy)


def tampered(path, change):
    """Change a JSON file."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    "change",
    [
        {"transfer": 3},
        {"techniques": [["gradients"]]},
        {"n_rows": 0},
        {"seed": 0.5},
        {"temperature": 0},
        {"hard_weight": "much"},
        {"fit_seconds": None},
    ],
)
def test_a_tampered_account_of_a_distillation_is_refused(change, copy):
    tampered(copy / "study.json", lambda told: told["students"]["mlp"].update(change))
    with pytest.raises(StudyFormatError, match=r"study\.json"):
        xd.Study.open(copy)


FRONTS = {
    "other students": lambda ladder: ladder["steps"][0].update(student="soft-tree-64"),
    "an unknown verdict": lambda ladder: ladder["steps"][0].update(verdict="splendid"),
    "no largest size": lambda ladder: ladder["steps"].pop(),
    "a figure in no field": lambda ladder: ladder["steps"][0]["gaps"][0].update(mood=1),
    "a figure in words": lambda ladder: ladder["steps"][0]["gaps"][0].update(most="little"),
    "another measure": lambda ladder: ladder["steps"][0]["gaps"][0].update(measure="charm"),
    "a size in words": lambda ladder: ladder["steps"][0].update(size="small"),
    "a figure that is none": lambda ladder: ladder["steps"][0]["gaps"][0].update(most=np.nan),
}
WHOLE_FRONTS = (
    *({"margin": margin} for margin in (0, 1, -0.1, "small", True)),
    *({"level": level} for level in (0, 1, np.nan)),
    *({"n_rows": n_rows} for n_rows in (0, 2.5, "many", None)),
    *({"n_groups": n_groups} for n_groups in (0, 2.5, "many")),
)


@pytest.fixture(scope="module")
def sized_folder(sized_study, tmp_path_factory):
    return sized_study.save(tmp_path_factory.mktemp("sized") / "study")


@pytest.mark.parametrize("what", FRONTS)
def test_a_tampered_front_is_refused(what, sized_folder, tmp_path):
    folder = shutil.copytree(sized_folder, tmp_path / "study")
    tampered(folder / "study.json", lambda v: FRONTS[what](v["front"]["ladders"][0]))
    with pytest.raises(StudyFormatError, match=r"study\.json"):
        xd.Study.open(folder)


@pytest.mark.parametrize("change", WHOLE_FRONTS, ids=str)
def test_a_front_without_a_margin_a_level_or_rows_is_refused(change, sized_study):
    told = sized_study.front.to_json()
    with pytest.raises(ValueError, match=r"^(margin and level are|a front rests on) "):
        Front.from_json(told | change, set(sized_study.students))


def test_scores_of_other_rows_are_refused(copy):
    path = copy / "scores.parquet"
    pq.write_table(pq.read_table(path).slice(0, 5), path)
    with pytest.raises(StudyFormatError, match="of shape"):
        xd.Study.open(copy)


def test_attributions_of_other_rows_are_refused(copy):
    path = copy / "attributions" / "mlp.parquet"
    pq.write_table(pq.read_table(path).slice(0, 9), path)
    with pytest.raises(StudyFormatError):
        xd.Study.open(copy)


TAMPERED = {
    "rows out of range": ("study.json", lambda v: v["reasons"]["rows"].append(10_000)),
    "a figure in words": ("results.json", lambda v: v["metrics"][0].update(value="high")),
    "another task": (
        "students/mlp/config.json",
        lambda v: v["parameters"].update(task="regression"),
    ),
    "a temperature in words": (
        "students/mlp/config.json",
        lambda v: v["parameters"].update(temperature="warm"),
    ),
    "other rounds": (
        "students/boosted-trees/config.json",
        lambda v: v["parameters"].update(n_trees=5),
    ),
    "fewer features": (
        "students/boosted-trees/config.json",
        lambda v: v.update(n_features=2),
    ),
    "a scale in words": (
        "students/boosted-trees/config.json",
        lambda v: v.update(output_scale="wide"),
    ),
    "no temperature": ("teacher/config.json", lambda v: v.update(temperature=None)),
    "more features": (
        "students/boosted-trees/config.json",
        lambda v: v.update(n_features=50),
    ),
    "features without end": (
        "students/boosted-trees/config.json",
        lambda v: v.update(n_features=float("inf")),
    ),
    "a seed in words": ("study.json", lambda v: v["configuration"].update(seed="x")),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_configuration_is_refused(what, copy):
    name, change = TAMPERED[what]
    tampered(copy / name, change)
    with pytest.raises(StudyFormatError):
        xd.Study.open(copy)


def test_weights_that_are_not_finite_are_refused(copy):
    file = copy / "teacher" / "model.safetensors"
    arrays = load_file(file)
    arrays["weights.0"][0, 0, 0] = np.nan
    save_file(arrays, file)
    with pytest.raises(StudyFormatError, match="not finite"):
        xd.Study.open(copy)


def test_parameters_of_numpy_are_kept(wine, wine_teacher, tmp_path):
    tree = xd.distill(wine_teacher, xd.SoftTree(depth=np.int64(2), n_steps=20), wine[0])
    study = xd.compare(wine_teacher, {"tree": tree}, wine[1])
    opened = xd.Study.open(study.save(tmp_path / "study"))
    assert opened.students["tree"].depth == 2


def test_opened_rows_can_be_compared_again(opened):
    test = opened.comparison.data
    again = xd.compare(opened.comparison.teacher, {"mlp": opened.students["mlp"]}, test)
    metric = "fidelity.agreement"
    assert again.comparison.get("mlp", metric) == opened.comparison.get("mlp", metric)


def test_rows_of_another_table_are_refused(copy):
    path = copy / "data" / "test.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["alcohol"]), path)
    with pytest.raises(StudyFormatError, match="columns are not those"):
        xd.Study.open(copy)


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(StudyFormatError, match=r"must be a folder with a study\.json"):
        xd.Study.open(tmp_path)


def test_a_student_of_another_kind_is_refused_before_anything_is_written(
    wine, wine_teacher, tmp_path
):
    class Mine(xd.BoostedTrees):
        pass

    student = xd.distill(wine_teacher, Mine(n_trees=5), wine[0], transfer=xd.Coalitions(500))
    study = xd.compare(wine_teacher, {"mine": student}, wine[1], n_draws=1, quick=True)
    with pytest.raises(DataError, match="of the package's kinds; however, 'mine' is a Mine"):
        study.save(tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_package_installed_by_another_name_tells_its_version(monkeypatch):
    from importlib.metadata import PackageNotFoundError

    import xgboost

    from explain_distill.study import about

    def unknown(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(about, "version", unknown)
    assert about._version("xgboost") == xgboost.__version__
