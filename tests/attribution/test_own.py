import numpy as np
import pytest

import explain_distill as xd
from explain_distill.attribution.own import own_attributions, score_rows
from explain_distill.attribution.shapley import Draws, sampled_shapley

MODELS = ("teacher", "soft-tree", "decision-tree", "boosted-trees", "mlp", "additive")


def own(model, train, test):
    rows, background = test.X[:12], train.X[:15]
    draws = Draws.draw(len(rows), rows.shape[1], 8, len(background), np.random.default_rng(0))
    features = test.readable_features
    return own_attributions(model, rows, background, features, draws), rows, background


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("table", ["wine", "mixed"])
def test_every_models_own_attributions_add_up_to_its_score(table, name, request):
    train, test = request.getfixturevalue(table)
    models = request.getfixturevalue(f"{table}_students") | {
        "teacher": request.getfixturevalue(f"{table}_teacher")
    }
    found, rows, background = own(models[name], train, test)
    features = test.readable_features
    assert found.values.shape == (12, len(test.schema), test.task.n_scores)
    assert found.residual(score_rows(models[name], rows, features)) < 1e-4
    expected_base = score_rows(models[name], background, features).mean(axis=0)
    assert found.base[0] == pytest.approx(expected_base, abs=1e-4)


def test_tree_shap_is_what_sampling_comes_to(mixed, mixed_students):
    train, test = mixed
    student = mixed_students["boosted-trees"]
    exact, rows, background = own(student, train, test)
    draws = Draws.draw(len(rows), 3, 2000, len(background), np.random.default_rng(0))
    sampled = sampled_shapley(
        lambda X: score_rows(student, X, test.readable_features), rows, background, draws
    )
    # TreeSHAP plays with levels as players of their own, which shifts shares between columns only
    # where levels interact; numbers and booleans alone would agree exactly.
    assert np.abs(exact.values - sampled.values).max() < 0.25 * np.abs(sampled.values).max()


def test_a_model_without_gradients_or_trees_gets_sampled_shapley_values(mixed):
    from sklearn.linear_model import LogisticRegression

    train, test = mixed
    fitted = LogisticRegression().fit(np.nan_to_num(train.X, nan=60.0), train.y)

    class Filled:
        classes_ = fitted.classes_

        def predict_proba(self, X):
            return fitted.predict_proba(np.nan_to_num(X, nan=60.0))

    found, _, _ = own(xd.WrappedTeacher(Filled(), train), train, test)
    assert found.method.startswith("sampled Shapley")


def test_a_tree_with_linear_leaves_gets_sampled_shapley_values(wine, wine_teacher):
    train, test = wine
    tree = xd.distill(wine_teacher, xd.DecisionTree(max_leaves=4, leaves="linear"), train, seed=0)
    found, rows, _ = own(tree, train, test)
    assert found.method.startswith("sampled Shapley")
    assert found.residual(score_rows(tree, rows, test.readable_features)) < 1e-4


def test_attributions_are_carried_as_a_shap_explanation(wine, wine_study):
    _, test = wine
    reasons = wine_study.comparison.reasons
    told = reasons.own["mlp"].explanation(test.X[reasons.rows], test.schema.names, score=1)
    assert told.values.shape == told.data.shape
    assert told.feature_names == test.schema.names
