"""Students' files after someone changed them: refused, or read as what they now say."""

import warnings

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

import explain_distill as xd
from explain_distill.students.names import STUDENTS

MADE = {
    "soft-tree": lambda: xd.SoftTree(depth=3, n_steps=30),
    "decision-tree": lambda: xd.DecisionTree(max_leaves=6),
    "model-tree": lambda: xd.DecisionTree(max_leaves=3, leaves="linear", max_leaf_features=2),
    "boosted-trees": lambda: xd.BoostedTrees(n_trees=5, depth=3),
    "mlp": lambda: xd.MLP(hidden=(4,), n_steps=30),
}
REFUSED = (ValueError, KeyError, TypeError, IndexError, OverflowError, SafetensorError)
EXTREME = (-(2**62), -17, -2, -1, 0, 1, 3, 16, 1000, 2**31, 2**62)


@pytest.fixture(scope="module")
def rows():
    X = np.random.default_rng(0).normal(size=(120, 3))
    X[::9, 1] = np.nan
    return X, np.digitize(np.nan_to_num(X[:, 0] + X[:, 1]), [-0.5, 0.5])


@pytest.fixture(scope="module")
def kept(rows, tmp_path_factory):
    """Write each student once; give its folder, its configuration and itself."""
    given = {}
    for name, make in MADE.items():
        student, folder = make().fit(*rows), tmp_path_factory.mktemp(name)
        given[name] = folder, student.write(folder), student
    return given


def opened(student, folder, config, rows):
    """Read a student as a study does, and have it score some rows."""
    read = STUDENTS[student.NAME](**student.get_params())
    read.read(folder, config)
    read.classes_ = np.arange(3)
    if read.n_features_in_ != student.n_features_in_:
        raise ValueError("it takes another number of features")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [read.predict_score(part) for part in (rows[:1], rows)]


@pytest.mark.parametrize("name", MADE)
def test_a_kept_student_scores_the_same_bits(name, kept, rows):
    folder, config, student = kept[name]
    one, many = opened(student, folder, config, rows[0])
    assert np.array_equal(one, student.predict_score(rows[0][:1]))
    assert np.array_equal(many, student.predict_score(rows[0]))


@pytest.mark.parametrize("name", MADE)
def test_no_index_leads_out_of_an_array(name, kept, rows, tmp_path):
    folder, config, student = kept[name]
    arrays = load_file(folder / "model.safetensors")
    rng = np.random.default_rng(0)
    whole = [key for key, array in arrays.items() if array.dtype == np.int64 and array.size]
    accepted = 0
    for key in whole:
        for value in EXTREME:
            altered = {k: a.copy() for k, a in arrays.items()}
            altered[key].flat[rng.integers(altered[key].size)] = value
            save_file(altered, tmp_path / "model.safetensors")
            try:
                one, many = opened(student, tmp_path, config, rows[0])
            except REFUSED:
                continue
            accepted += 1
            assert one.shape == (1, 3)
            assert many.shape == (len(rows[0]), 3)
    assert accepted < len(whole) * len(EXTREME) / 2 or not whole


@pytest.mark.parametrize("name", MADE)
def test_an_array_of_another_shape_or_type_is_refused(name, kept, rows, tmp_path):
    folder, config, student = kept[name]
    arrays = load_file(folder / "model.safetensors")
    for key, array in arrays.items():
        longer = np.concatenate([array, array[:1]])
        for other in (longer, array[:-1], array[None], array.astype(np.float16)):
            save_file(arrays | {key: np.ascontiguousarray(other)}, tmp_path / "model.safetensors")
            with pytest.raises(REFUSED):
                opened(student, tmp_path, config, rows[0])


@pytest.mark.parametrize("name", MADE)
def test_a_number_that_is_not_finite_is_refused(name, kept, rows, tmp_path):
    folder, config, student = kept[name]
    arrays = load_file(folder / "model.safetensors")
    for key, array in arrays.items():
        if array.dtype.kind != "f" or key == "preparation.scale":
            continue
        altered = array.copy()
        altered.flat[0] = np.nan
        save_file(arrays | {key: altered}, tmp_path / "model.safetensors")
        with pytest.raises(ValueError, match="not finite"):
            opened(student, tmp_path, config, rows[0])


@pytest.mark.parametrize("name", MADE)
def test_bytes_that_were_changed_anywhere_do_no_harm(name, kept, rows, tmp_path):
    folder, config, student = kept[name]
    content = (folder / "model.safetensors").read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(60):
        altered = bytearray(content)
        altered[rng.integers(len(altered))] = rng.integers(256)
        (tmp_path / "model.safetensors").write_bytes(altered)
        try:
            one, many = opened(student, tmp_path, config, rows[0])
        except REFUSED:
            continue
        assert one.shape == (1, 3)
        assert many.shape == (len(rows[0]), 3)


OF_QUESTIONS, OF_LEAVES = ("thresholds", "features", "missing_right", "gains"), ("values",)


@pytest.mark.parametrize("array", OF_QUESTIONS + OF_LEAVES)
def test_what_a_leaf_and_a_question_do_not_have_is_refused(array, kept, rows, tmp_path):
    """xgboost keeps both in one number, so that it and our own walk would disagree."""
    folder, config, student = kept["boosted-trees"]
    arrays = load_file(folder / "model.safetensors")
    leaf = student.tree_arrays_.is_leaf
    node = np.flatnonzero(leaf if array in OF_QUESTIONS else ~leaf)[0]
    arrays[array][node] = 1
    save_file(arrays, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=f"{array} must be 0 for a"):
        opened(student, tmp_path, config, rows[0])


@pytest.mark.parametrize("scale", [0, 0.0, -1.0, np.nan, np.inf, 10**400, "wide", True])
def test_a_scale_of_boosted_trees_that_is_not_above_0_is_refused(scale, kept, rows):
    folder, config, student = kept["boosted-trees"]
    with pytest.raises(ValueError, match=r"output_scale is .*, not a finite number above 0"):
        opened(student, folder, config | {"output_scale": scale}, rows[0])


@pytest.mark.parametrize(
    ("make", "altered", "message"),
    [
        (MADE["model-tree"], {"leaves": "constant"}, "constant leaves must hold no linear"),
        (MADE["model-tree"], {"max_leaf_features": 1}, "must weigh at most 1 features"),
        (
            lambda: xd.SoftTree(depth=2, n_steps=30, leaves="linear"),
            {"leaves": "auto"},
            "must hold no leaf_weights_",
        ),
    ],
)
def test_leaves_that_are_not_as_the_parameters_say_are_refused(
    make, altered, message, rows, tmp_path
):
    student = make().fit(*rows)
    config = student.write(tmp_path)
    other = type(student)(**student.get_params() | altered)
    with pytest.raises(ValueError, match=message):
        other.read(tmp_path, config)


def test_a_leaf_that_weighs_a_column_twice_is_refused(kept, tmp_path):
    folder, config, student = kept["model-tree"]
    arrays = load_file(folder / "model.safetensors")
    leaf = int(student.n_leaf_features.argmax())
    arrays["linear_leaves.columns"][leaf] = arrays["linear_leaves.columns"][leaf, 0]
    arrays["linear_leaves.weights"][leaf] = 1.0
    save_file(arrays, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="names a column twice in a leaf"):
        xd.DecisionTree(**student.get_params()).read(tmp_path, config)
