"""scikit-learn's own checks of estimators, on every student."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import explain_distill as xd

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "rows are drawn in batches, or binned by weighted quantiles: a weight of two is as good as "
        "a row twice, but not the same to the last digit"
    ),
}

SMALL = [
    xd.SoftTree(depth=2, n_steps=120, batch_size=64),
    xd.MLP(hidden=(16,), n_steps=400, batch_size=64),
    xd.BoostedTrees(n_trees=30, learning_rate=0.1),
    xd.DecisionTree(),
    xd.DecisionTree(leaves="linear"),
    xd.Additive(n_pairs=1, n_bins=32),
]
BOTH_TASKS = [
    type(student)(**student.get_params() | {"task": task})
    for student in SMALL
    for task in ("classification", "regression")
]


@parametrize_with_checks(
    BOTH_TASKS,
    expected_failed_checks=lambda e: (
        {} if isinstance(e, xd.DecisionTree | xd.Additive) else EXPECTED
    ),
)
@pytest.mark.filterwarnings("ignore")
def test_a_student_is_an_estimator_as_scikit_learn_wants_it(estimator, check):
    check(estimator)
