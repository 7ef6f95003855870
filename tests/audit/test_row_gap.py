"""The bound of one row's gap, on functions whose Shapley values are known by enumeration."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explain_distill.audit.row_gap import gap_of_row
from explain_distill.exceptions import DataError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from synthetic_pairs import pair


@pytest.mark.parametrize("n_scores", [1, 3])
def test_the_intervals_of_a_row_hold_the_truth_for_all_columns_together(n_scores):
    of = pair("near", n_scores, population=60, background=10)
    score = n_scores - 1
    missed = 0
    for row in range(60):
        told = gap_of_row(
            of.teacher, of.student, of.population, of.background, row, score, seed=row
        )
        truth = of.shapley[row, :, score]
        missed += not ((told.low - 1e-12 <= truth) & (truth <= told.high + 1e-12)).all()
        assert (told.most >= np.abs(told.student - told.teacher) - 1e-12).all()
    assert missed <= 8  # 3 are expected


def test_a_student_that_is_the_teacher_has_no_gap():
    of = pair("near", population=5, background=10)
    told = gap_of_row(of.teacher, of.teacher, of.population, of.background, 3, 0)
    assert not told.most.any()
    assert not told.met.any()  # so that nothing is said to be bounded
    assert told.n_walks == 512


def test_a_score_that_is_no_number_is_named():
    of = pair("near", population=5, background=10)
    broken = replace(of).student
    broken.function = lambda X: np.where(X[:, :1] > 0, np.nan, X[:, :1])
    with pytest.raises(DataError, match="the student gives"):
        gap_of_row(of.teacher, broken, of.population, of.background, 0, 0)
