import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.metrics import r2_score

from explain_distill.metrics.fidelity import (
    classification_fidelity,
    kl_divergence,
    regression_fidelity,
    row_losses,
    variance_parts,
)


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    teacher = rng.normal(size=(80, 3))
    teacher -= teacher.mean(axis=1, keepdims=True)
    student = teacher + rng.normal(0, 0.3, teacher.shape)
    return teacher, student - student.mean(axis=1, keepdims=True)


def test_a_student_that_is_the_teacher_is_perfect(scores):
    teacher, _ = scores
    found = classification_fidelity(teacher, teacher)
    assert (found["agreement"].value, found["score_r2"].value, found["kl"].value) == (1, 1, 0)


def test_score_r2_is_the_explained_share_of_all_scores_together(scores):
    teacher, student = scores
    found = classification_fidelity(teacher, student)["score_r2"]
    expected = r2_score(teacher, student, multioutput="variance_weighted")
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_kl_is_the_divergence_from_the_teachers_probabilities(scores):
    teacher, student = scores
    expected = entropy(softmax(teacher, axis=1), softmax(student, axis=1), axis=1)
    assert kl_divergence(teacher, student) == pytest.approx(expected)


def test_the_score_of_a_regressor_is_its_value():
    teacher = np.arange(10.0)[:, None]
    found = regression_fidelity(teacher, teacher + 1)
    assert found["mae"].value == 1.0
    assert found["r2"] == found["score_r2"]


def test_the_losses_of_rows_are_what_fidelity_leaves():
    teacher, student = np.random.default_rng(0).normal(size=(2, 90, 3))
    found = classification_fidelity(teacher, student)
    losses = row_losses(teacher, student, classify=True)
    assert losses["agreement"].mean() == pytest.approx(1 - found["agreement"].value)
    assert losses["score_r2"].mean() == pytest.approx(1 - found["score_r2"].value)
    still = np.ones((90, 1))
    assert set(row_losses(still, still, classify=False)) == {"score_r2"}
    assert not row_losses(still, still, classify=False)["score_r2"].any()


def test_a_teacher_that_varies_by_rounding_alone_does_not_vary():
    teacher = np.full((40, 1), 0.1)
    teacher[0] = np.nextafter(0.1, 1)
    assert set(regression_fidelity(teacher, teacher + 1e-12)) == {"mae"}
    assert row_losses(teacher, teacher + 1e-12, classify=False)["score_r2"].max() < 1e-20
    assert variance_parts(teacher).tolist() == [1.0] * 40


def test_values_far_from_zero_vary():
    teacher = 1.7e9 + np.random.default_rng(0).normal(size=(40, 1))
    assert "r2" in regression_fidelity(teacher, teacher)


def test_agreement_stands_beside_that_of_the_usual_answer(scores):
    teacher, student = scores
    told = classification_fidelity(teacher, student)
    usual = np.bincount(teacher.argmax(axis=1)).max() / len(teacher)
    assert told["beyond_usual"].value == pytest.approx(told["agreement"].value - usual)
    always = np.zeros_like(teacher)
    always[:, np.bincount(teacher.argmax(axis=1)).argmax()] = 1
    assert classification_fidelity(teacher, always)["beyond_usual"].value == 0
