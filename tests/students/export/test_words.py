import re

import numpy as np
import pytest
from export_cases import NASTY, TREES, asks_whether_missing

import explain_distill as xd
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.students.export.forms import exported
from explain_distill.students.export.words import _raw


@pytest.mark.parametrize("name", TREES)
def test_each_question_and_each_leaf_is_one_line(name, students):
    student = students(name, "three-classes")
    lines = exported(student, "rules").decode().splitlines()
    leaves = [line for line in lines if line.lstrip().startswith("Leaf ")]
    questions = [line for line in lines if line.lstrip().startswith("Question ")]
    trees = 120 if name == "boosted-trees" else 1
    assert len(leaves) == student.complexity()["leaves"] == len(questions) + trees


def test_the_words_name_all_features_in_raw_units(students, tables):
    words = exported(students("mixture", "twelve-classes"), "rules").decode()
    first = next(line for line in words.splitlines() if line.startswith("Question 1: "))
    assert all(f"× v{i}" in first for i in range(5))


def test_a_single_split_is_said_with_its_unit(students):
    words = exported(students("boosted-trees", "two-classes"), "rules").decode()
    assert "adds " in words
    assert "the log-odds of it's'); DROP TABLE rows; --" in words
    assert "Base: the log-odds" in words


def test_no_name_begins_a_line_of_its_own(students):
    for form in ("rules", "dot"):
        lines = exported(students("boosted-trees", "three-classes"), form).decode().splitlines()
        assert not any(line.startswith("break") for line in lines)


def test_an_unknown_format_is_refused_with_the_nearest(students):
    with pytest.raises(UnknownNameError, match=r"The format must be one of .* Did you mean 'json'"):
        exported(students("hard", "two-classes"), "jason")


def test_a_student_that_is_no_tree_is_refused_as_rules(students):
    with pytest.raises(DataError, match="must be made of trees to be written so; however, "):
        exported(students("mlp", "two-classes"), "sql")


def test_a_soft_tree_of_its_path_alone_is_refused_as_rules(students):
    with pytest.raises(DataError, match="must answer by its mixture, or question by question"):
        exported(students("linear-path", "two-classes"), "json")


def test_a_linear_leaf_says_the_log_odds_in_raw_units():
    X = np.random.default_rng(0).normal(50.0, 10.0, size=(2000, 2))
    log_odds = np.where(X[:, 0] > 50, 3 + 0.2 * (X[:, 1] - 50), -3.0)
    p = 1 / (1 + np.exp(-log_odds))
    tree = xd.DecisionTree(max_leaves=2, leaves="linear", max_leaf_features=1).fit(
        X, np.c_[1 - p, p]
    )
    words = exported(tree, "rules").decode()
    assert "Question 1: x0 > 5" in words
    constant, weight = re.search(r"Leaf 2: s, .* 1 = (\S+) \+ (\S+) × x1\.", words).groups()
    assert float(constant.replace("−", "-")) == pytest.approx(3 - 0.2 * 50, abs=0.1)
    assert float(weight) == pytest.approx(0.2, abs=0.01)
    assert "1 / (1 + exp(-s)) is the probability of 1" in words


def test_a_student_that_was_told_no_names_calls_its_columns_x(tables):
    data = tables["regression"]
    student = xd.BoostedTrees(n_trees=3, task="regression").fit(data.X, data.y)
    assert "row['x0']" in exported(student, "python").decode()
    assert len(NASTY) == len(data.schema)


def test_a_question_of_what_is_missing_is_said_plainly(tables):
    words = exported(asks_whether_missing(tables["two-classes"]), "rules").decode()
    assert 'Question 1: a"b is missing?' in words


def test_thresholds_far_from_zero_are_told_so_that_rows_go_the_same_ways():
    rng = np.random.default_rng(0)
    X = np.stack([1.7e12 + rng.integers(0, 1_000_000, 600), rng.normal(size=600)], axis=1)
    y = (X[:, 0] - 1.7e12 > 3e5) & (X[:, 0] - 1.7e12 < 6e5)
    tree = xd.DecisionTree(max_leaves=4).fit(X, y)
    told = re.findall(r"x0 > (\d+)", exported(tree, "rules").decode())
    assert sorted(map(float, told)) == sorted(tree.threshold_)
    soft = xd.SoftTree(depth=1, max_features=1, n_steps=600, random_state=0).fit(
        X, X[:, 0] > 1.7e12 + 3e5
    )
    words = exported(soft, "rules").decode().replace("−", "-").replace("- ", "-")
    weight, threshold = map(float, re.search(r"(\S+) × x0 > (\S+)\?", words).groups())
    logits = soft.gates(X)[:, 0]
    assert weight * X[:, 0] - threshold == pytest.approx(logits, abs=0.02)
    (question,) = [line for line in soft.rules() if line.startswith("Question")]
    assert float(re.search(r"x0 [<>] (\d+)", question)[1]) == pytest.approx(1.7e12 + 3e5, abs=2e4)


@pytest.mark.parametrize(
    ("value", "apart", "told"),
    [
        (114.45, np.inf, "114.45"),
        (1420.0, np.inf, "1420"),
        (0.30129216611385345, np.inf, "0.301292"),
        (1700000300512.5, np.inf, "1700000300512.5"),
        (1234567.1234567891, 0.001, "1234567.123457"),
        (-0.5, np.inf, "−0.5"),
        (0.0, np.inf, "0"),
    ],
)
def test_a_value_is_told_by_the_digits_that_it_needs(value, apart, told):
    assert _raw(value, apart) == told
