from itertools import permutations

import numpy as np
import pytest

from explain_distill.attribution.tree_shapley import decision_tree_shapley


def by_all_orders(score, rows, background):
    """Shapley values by their definition, in all orders of the columns."""
    n_columns = rows.shape[1]
    orders = list(permutations(range(n_columns)))
    shares = np.zeros((*rows.shape, score(rows).shape[1]))
    for i, row in enumerate(rows):
        for order in orders:
            mixed = background.copy()
            before = score(mixed)
            for column in order:
                mixed[:, column] = row[column]
                after = score(mixed)
                shares[i, column] += (after - before).mean(axis=0) / len(orders)
                before = after
    return shares


def test_shares_are_those_of_the_definition(mixed, mixed_students):
    train, test = mixed
    tree, features = mixed_students["decision-tree"], test.readable_features
    rows, background = test.X[:12], train.X[:9]
    found = decision_tree_shapley(tree, rows, background, features)
    wanted = by_all_orders(lambda X: tree.predict_score(features.transform(X)), rows, background)
    assert found.values == pytest.approx(wanted, abs=1e-12)


def test_a_tree_of_one_leaf_attributes_nothing(mixed):
    import explain_distill as xd

    train, test = mixed
    tree = xd.DecisionTree().fit(train.readable(), np.full((len(train), 2), 0.5))
    found = decision_tree_shapley(tree, test.X, train.X, test.readable_features)
    assert not found.values.any()
    assert found.base == pytest.approx(tree.predict_score(test.readable()))
