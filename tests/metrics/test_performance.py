import numpy as np
import pytest
from sklearn import metrics as reference

from explain_distill.metrics.intervals import proportion
from explain_distill.metrics.performance import (
    balanced_accuracy,
    classification_difference,
    classification_performance,
    expected_calibration_error,
    regression_difference,
    regression_performance,
)


@pytest.fixture
def three_classes():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), size=120).round(2) + 0.01
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return rng.integers(3, size=120), probabilities


def test_figures_of_classes_are_those_of_scikit_learn(three_classes):
    y, probabilities = three_classes
    found = classification_performance(y, probabilities)
    predicted = probabilities.argmax(axis=1)
    expected = {
        "accuracy": reference.accuracy_score(y, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(y, predicted),
        "log_loss": reference.log_loss(y, probabilities),
        "brier": reference.brier_score_loss(y, probabilities),
        "roc_auc": reference.roc_auc_score(y, probabilities, multi_class="ovr"),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value), name
        assert found[name].low < found[name].value < found[name].high, name


def test_two_classes_have_the_area_of_the_second():
    rng = np.random.default_rng(1)
    y, p = rng.integers(2, size=80), rng.random(80).round(1)
    found = classification_performance(y, np.c_[1 - p, p])
    assert found["roc_auc"].value == pytest.approx(reference.roc_auc_score(y, p))


def test_an_area_under_the_curve_is_absent_where_a_class_has_no_row(three_classes):
    _, probabilities = three_classes
    assert "roc_auc" not in classification_performance(np.zeros(120, dtype=int), probabilities)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    right = np.array([1.0, 1.0, 0.0, 0.0])
    assert expected_calibration_error(right, np.full(4, 0.9)) == pytest.approx(0.4)
    assert expected_calibration_error(np.ones(4), np.ones(4)) == 0.0


def test_figures_of_values_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y = rng.normal(size=90)
    values = y + rng.normal(size=90)
    found = regression_performance(y, values)
    assert found["r2"].value == pytest.approx(reference.r2_score(y, values))
    assert found["mae"].value == pytest.approx(reference.mean_absolute_error(y, values))
    assert found["rmse"].value == pytest.approx(reference.root_mean_squared_error(y, values))


def test_a_truth_that_does_not_vary_has_no_explained_variance():
    found = regression_performance(np.full(20, 3e9), np.arange(20.0))
    assert set(found) == {"mae", "rmse"}


def test_a_student_is_compared_with_its_teacher_row_by_row():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=400)
    teacher = np.where(np.eye(2)[y] == 1, 0.8, 0.2)
    worse = np.where(rng.random(400) < 0.1, 1 - y, y)
    student = np.where(np.eye(2)[worse] == 1, 0.8, 0.2)
    told = classification_difference(y, student, teacher)
    assert told["accuracy_difference"].value == -np.mean(worse != y)
    assert told["accuracy_difference"].high < 0
    assert told["log_loss_difference"].low > 0
    same = classification_difference(y, teacher, teacher)
    assert same["accuracy_difference"].value == same["log_loss_difference"].value == 0.0
    values = rng.normal(size=400)
    errors = regression_difference(values, values + 0.5, values - 0.2)
    assert errors["mae_difference"].value == pytest.approx(0.3)


def test_a_small_class_without_an_error_widens_the_balanced_accuracy():
    y = np.r_[np.ones(6, dtype=int), np.zeros(136, dtype=int)]
    predicted = y.copy()
    predicted[-4:] = 1
    found = balanced_accuracy(y, predicted)
    recall = proportion(np.ones(6, dtype=bool))
    assert found.value == pytest.approx((1 + 132 / 136) / 2)
    assert found.value - (1 - recall.low) / 2 - 0.03 < found.low < found.value - 0.2
    grouped = balanced_accuracy(y, predicted, np.arange(142) // 2)
    assert grouped.low < found.low


def test_the_balanced_accuracy_of_rare_classes_is_seldom_told_too_high():
    rng = np.random.default_rng(0)
    high = 0
    for _ in range(200):
        y = (rng.random(142) < 0.05).astype(int)
        right = rng.random(142) < np.where(y == 1, 0.8, 0.97)
        high += balanced_accuracy(y, np.where(right, y, 1 - y)).low > 0.885
    assert high <= 10
