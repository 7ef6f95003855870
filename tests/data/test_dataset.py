from dataclasses import replace

import numpy as np
import pytest

from explain_distill._random import generator
from explain_distill.data.dataset import Dataset, Task, check_rows_suffice, split_indices
from explain_distill.data.features import Feature, Schema
from explain_distill.exceptions import DataError

TWO_CLASSES = Task("classification", "died", ("no", "yes"))


def data_of(y, task=TWO_CLASSES, groups=None):
    y = np.asarray(y)
    rows = np.arange(len(y), dtype=np.float64)[:, None]
    groups = None if groups is None else np.asarray(groups)
    return Dataset("patients", rows, y, Schema((Feature("row"),)), task, groups=groups)


def test_a_split_parts_the_rows_and_remembers_the_background():
    data = data_of([0, 1] * 50)
    train, test = data.split(seed=3)
    assert sorted([*train.X[:, 0], *test.X[:, 0]]) == list(range(100))
    assert len(test) == 24 or len(test) == 26
    assert train.background is None
    np.testing.assert_array_equal(test.background, train.X)


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    data = data_of([0, 1] * 50)
    np.testing.assert_array_equal(data.split(seed=3)[1].X, data.split(seed=3)[1].X)
    assert not np.array_equal(data.split(seed=3)[1].X, data.split(seed=4)[1].X)


def test_a_split_keeps_the_proportions_of_the_classes():
    train, test = data_of([0] * 300 + [1] * 100).split()
    assert train.y.mean() == test.y.mean() == 0.25


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_class_stands_in_training_validation_and_test(seed):
    train, test = data_of([0] * 996 + [1] * 4).split(seed=seed)
    validation = split_indices(train, 0.15, generator(seed))
    inner = np.delete(train.y, validation)
    assert {0, 1} == set(test.y) == set(train.y[validation]) == set(inner)


def test_the_training_part_of_the_smallest_table_can_be_split_again():
    train, _ = data_of([0, 1] * 10).split()
    assert 0 < len(split_indices(train, 0.15, generator(0))) < len(train)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_and_every_class_stands_on_both_sides(seed):
    groups = np.repeat(np.arange(12), 10)
    y = (groups >= 9).astype(np.int64)  # three groups hold the rarer class
    train, test = data_of(y, groups=groups).split(seed=seed)
    assert not set(train.groups) & set(test.groups)
    assert {0, 1} == set(train.y) == set(test.y)
    assert len(test) == pytest.approx(30, abs=10)
    validation = split_indices(train, 0.15, generator(seed))
    assert not set(train.groups[validation]) & set(np.delete(train.groups, validation))
    assert {0, 1} == set(train.y[validation])


def test_grouped_regression_parts_no_group():
    rng = np.random.default_rng(0)
    task = Task("regression", "cost")
    train, test = data_of(rng.normal(size=60), task, np.repeat(list("abcdef"), 10)).split()
    assert not set(train.groups) & set(test.groups)
    assert len(test) in (10, 20)


def test_a_class_of_one_group_cannot_be_split():
    groups = np.repeat(np.arange(10), 4)
    data = data_of((groups == 9).astype(np.int64), groups=groups)
    with pytest.raises(DataError) as caught:
        data.split()
    assert str(caught.value) == (
        "Class 'yes' of 'died' must come from at least 2 groups to stand on both sides of a split "
        "that parts no group; however, it comes from 1. Give rows of further groups, or split "
        "without groups."
    )


def test_groups_that_no_split_can_part_are_refused():
    task = Task("classification", "stage", ("I", "II", "III"))
    groups, y = np.repeat([0, 1, 1, 2, 2, 0], 5), np.repeat([0, 0, 1, 1, 2, 2], 5)
    with pytest.raises(DataError, match=r"none of 500 ways to part the 3 groups does so"):
        data_of(y, task, groups).split()


def test_three_rows_are_too_few():
    with pytest.raises(DataError) as caught:
        data_of([0, 1, 0]).split()
    assert str(caught.value) == (
        "The data must have at least 20 rows to train and test on; however, 'patients' has 3. "
        "Give more rows."
    )


def test_a_constant_target_is_refused():
    with pytest.raises(DataError, match=r"must vary; however, 'cost' is 3.5 in every row"):
        check_rows_suffice(data_of(np.full(40, 3.5), Task("regression", "cost")))
    with pytest.raises(DataError, match=r"at least two classes; however, 'died' is 'no' in every"):
        check_rows_suffice(data_of([0] * 40, Task("classification", "died", ("no",))))


def test_a_class_of_one_row_is_refused():
    with pytest.raises(DataError) as caught:
        check_rows_suffice(data_of([0] * 39 + [1]))
    assert str(caught.value) == (
        "Each class of the target must have at least 4 rows (for training, validation and test); "
        "however, 'yes' of 'died' has 1. Merge that class with another or remove its rows."
    )


@pytest.mark.parametrize("share", [0, 1, 25])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(DataError, match=f"between 0 and 1; however, got {share}"):
        data_of([0, 1] * 20).split(test_size=share)


def test_the_fingerprint_changes_with_values_truth_and_names():
    data = data_of([0, 1] * 20)
    others = (
        replace(data, X=data.X + 1),
        replace(data, y=1 - data.y),
        replace(data, schema=Schema((Feature("line"),))),
    )
    assert data.sha256 == data_of([0, 1] * 20).sha256
    assert len({data.sha256, *(other.sha256 for other in others)}) == 4


def test_a_task_survives_json():
    assert Task.from_json(TWO_CLASSES.to_json()) == TWO_CLASSES
