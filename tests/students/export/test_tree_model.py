import numpy as np
import pytest
from export_cases import DEEP, mixed_rows

from explain_distill.students.export.of_students import tree_model


def nesting(tree, place):
    """Give how many sides lie inside each other where only those aside are nested."""
    return max((1 + nesting(tree, aside.place) for aside in tree.main_way(place)[0]), default=0)


@pytest.mark.parametrize("shape", DEEP)
def test_what_lies_aside_is_nested_no_deeper_than_the_logarithm_of_the_leaves(shape):
    tree = tree_model(DEEP[shape](mixed_rows(3))).trees[0]
    assert 1 <= nesting(tree, tree.root) <= np.log2(len(tree.leaves))


@pytest.mark.parametrize("shape", DEEP)
def test_the_main_way_and_what_lies_aside_lead_to_each_leaf_once(shape):
    tree = tree_model(DEEP[shape](mixed_rows(3))).trees[0]
    leaves, ahead = [], [tree.root]
    while ahead:
        asides, leaf = tree.main_way(ahead.pop())
        leaves.append(leaf)
        ahead += [aside.place for aside in asides]
    assert sorted(leaves) == list(range(len(tree.leaves)))
