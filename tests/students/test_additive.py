import re
import sys

import numpy as np
import pytest
from scipy.special import softmax

import explain_distill as xd
from explain_distill.data.features import Feature, Schema
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.exceptions import DataError, MissingDependencyError
from explain_distill.report.shapes import additive_shapes
from explain_distill.students.additive_bins import (
    bin_numbers,
    coarse_bins,
    feature_cuts,
    fewer_cuts,
)
from explain_distill.students.additive_boosting import Learned, boosted_terms
from explain_distill.students.additive_rules import SPOKEN_LEVELS, term_words
from explain_distill.students.additive_sum import FEW_CELLS
from explain_distill.students.additive_terms import Term, purified

ADDITIVE = {"task": "regression", "random_state": 0}


def squares(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, size=(n, 3))


def singles(model):
    return {term.features[0]: term for term in model.terms_ if len(term.features) == 1}


def test_the_functions_of_an_additive_teacher_are_found():
    X = squares()
    model = xd.Additive(n_pairs=0, **ADDITIVE).fit(X, np.sin(3 * X[:, 0]) + X[:, 1] ** 2)
    wave = singles(model)[0](X)[:, 0]
    assert wave == pytest.approx(np.sin(3 * X[:, 0]), abs=0.1)
    assert model.score(X, np.sin(3 * X[:, 0]) + X[:, 1] ** 2) > 0.995
    assert singles(model)[2].strength[0] < 0.02


def test_the_pair_is_the_one_that_the_teacher_lets_interact():
    X = squares()
    model = xd.Additive(n_pairs=1, **ADDITIVE).fit(X, X[:, 0] + X[:, 1] * X[:, 2])
    assert [term.features for term in model.terms_ if len(term.features) == 2] == [(1, 2)]
    assert model.score(X, X[:, 0] + X[:, 1] * X[:, 2]) > 0.98


def test_a_pair_says_nothing_of_a_feature_alone():
    X = squares()
    model = xd.Additive(n_pairs=1, n_bins=8, **ADDITIVE)
    model.fit(X, X[:, 0] + (X[:, 1] > 0) * (X[:, 2] > 0.3))
    (pair,) = (term for term in model.terms_ if len(term.features) == 2)
    for axis in (0, 1):
        assert np.abs((pair.table[..., 0] * pair.weights).sum(axis=axis)).max() < 1e-6
    assert np.ptp(singles(model)[1].table) == pytest.approx(0.35, abs=0.1)


def test_purifying_leaves_the_sum_of_the_terms_as_it_was():
    rng = np.random.default_rng(0)
    cuts = [np.arange(9.0), np.arange(4.0)]
    terms = [Term.empty((f,), [c], 2) for f, c in enumerate(cuts)]
    terms.append(Term.empty((0, 1), [cuts[0][::3], cuts[1][1:3]], 2))
    for term in terms:
        term.table[:] = rng.normal(size=term.table.shape)
        term.weights[:] = rng.uniform(size=term.weights.shape)
    X = rng.uniform(-2, 11, size=(500, 2))
    X[::7, 0] = np.nan
    before = sum(term(X) for term in terms)
    assert sum(term(X) for term in purified(terms)) == pytest.approx(before, abs=1e-12)


def test_the_terms_and_the_intercept_add_up_to_the_score(mixed, mixed_students):
    model, readable = mixed_students["additive"], mixed[1].readable()
    told = model.intercepts_ + sum(term(readable) for term in model.terms_)
    assert model.predict_score(readable) == pytest.approx(told, abs=1e-12)


def test_each_function_has_mean_zero_over_the_transfer_rows():
    X = squares()
    model = xd.Additive(n_pairs=1, **ADDITIVE).fit(X, X[:, 0] ** 2 + X[:, 1] * X[:, 2] + 7)
    assert model.intercepts_[0] == pytest.approx(7 + 1 / 3, abs=0.05)
    for term in model.terms_:
        assert term(X).mean(axis=0) == pytest.approx(0, abs=1e-6)


def test_our_tables_score_as_interprets_own_machine_does():
    from interpret.glassbox import ExplainableBoostingRegressor

    X, made = squares(800), []
    X[::9, 0] = np.nan
    y = np.nan_to_num(X[:, 0]) + X[:, 1]
    learned = Learned(X, [y], np.ones(len(X)), 1, classify=False, seed=0)
    fit = ExplainableBoostingRegressor.fit
    try:
        ExplainableBoostingRegressor.fit = lambda self, *a, **k: (
            made.append(self) or fit(self, *a, **k)
        )
        intercepts, terms = boosted_terms(learned, 64, 0, None)
    finally:
        ExplainableBoostingRegressor.fit = fit
    ours = intercepts[0] + sum(term(X)[:, 0] for term in terms)
    assert ours == pytest.approx(made[0].predict(X), abs=1e-12)


def test_classes_share_their_bins_and_have_a_function_each():
    X = squares()
    soft = softmax(np.stack([2 * X[:, 0], X[:, 1] ** 2, X[:, 1] * X[:, 2]], axis=1), axis=1)
    model = xd.Additive(n_pairs=1, random_state=0).fit(X, soft)
    assert {term.table.shape[-1] for term in model.terms_} == {3}
    assert np.abs(model.predict_proba(X) - soft).mean() < 0.02
    for term in model.terms_:
        assert np.abs(term.table.sum(axis=-1)).max() < 1e-9


def test_soft_and_hard_labels_are_learned_by_the_same_cross_entropy():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(2000, 1))
    p = 1 / (1 + np.exp(-4 * X[:, 0]))
    labels = np.stack([1 - p, p], axis=1)
    labels[::2] = np.eye(2)[(rng.random(1000) < p[::2]).astype(int)]
    model = xd.Additive(random_state=0).fit(X, labels)
    assert np.abs(model.predict_proba(X)[:, 1] - p).mean() < 0.06


def test_softening_is_undone():
    X = squares(2000)
    score = np.stack([-3 * X[:, 0], 3 * X[:, 0]], axis=1)
    model = xd.Additive(n_pairs=0, temperature=4.0, random_state=0)
    model.fit(X, softmax(score / 4, axis=1))
    assert model.predict_score(X) == pytest.approx(score, abs=0.2)


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_a_class_that_no_hard_label_holds_is_improbable_everywhere(absent):
    X = squares(300)
    present = [c for c in range(3) if c != absent]
    hard = np.eye(3)[np.where(X[:, 0] > 0, *present)]
    model = xd.Additive(random_state=0).fit(X, hard)
    assert model.predict_proba(X)[:, absent].max() < 0.01
    assert model.score(X, hard.argmax(axis=1)) > 0.97


def test_one_class_alone_needs_no_function():
    model = xd.Additive().fit(squares(50), np.eye(3)[np.ones(50, dtype=int)])
    assert model.terms_ == ()
    assert model.predict(squares(50)).tolist() == [1] * 50


def test_a_missing_value_has_a_step_of_its_own_where_some_were_missing():
    X = squares(3000)
    X[::5, 0] = np.nan
    y = np.where(np.isnan(X[:, 0]), 2.0, 0.0) + X[:, 1]
    model = xd.Additive(n_pairs=0, **ADDITIVE).fit(X, y)
    steps = singles(model)[0].table[:, 0]
    assert steps[0] - steps[1:].mean() == pytest.approx(2.0, abs=0.05)
    assert singles(model)[1].table[0, 0] == 0


def test_a_row_scores_the_same_bits_alone_and_in_a_large_batch(wine, wine_students):
    model = wine_students["additive"]
    readable = np.tile(wine[1].readable(), (200, 1))
    readable[::17, 3] = np.nan
    assert len(readable) * model.sum_.padded.size > FEW_CELLS
    score = model.predict_score(readable)
    assert np.array_equal(model.predict_score(readable[:50]), score[:50])
    assert np.array_equal(model.predict_score(readable[7:8]), score[7:8])


def test_the_same_seed_gives_the_same_model():
    X = squares(1000)
    first, again, other = (
        xd.Additive(n_pairs=1, task="regression", random_state=seed).fit(X, X[:, 0] * X[:, 1])
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first.predict(X), again.predict(X))
    assert not np.array_equal(first.predict(X), other.predict(X))


def test_few_values_are_cut_half_way_and_many_at_quantiles():
    assert feature_cuts(np.array([3.0, 1.0, 1.0, np.nan, 2.0]), 8).tolist() == [1.5, 2.5]
    assert feature_cuts(np.arange(100.0), 4).tolist() == [24.5, 49.5, 74.5]
    assert feature_cuts(np.full(5, 2.0), 8).tolist() == []
    assert feature_cuts(np.array([2.0, np.nan]), 8).tolist() == [2.0]
    low = np.float64(1.0)
    high = np.nextafter(low, 2)
    assert feature_cuts(np.array([low, high]), 8).tolist() == [high]


def test_fewer_cuts_are_some_of_the_cuts_and_hold_whole_bins():
    cuts = np.arange(255.0)
    fewer = fewer_cuts(cuts, 32)
    assert len(fewer) == 31
    assert set(fewer) <= set(cuts)
    bins = coarse_bins(cuts, fewer)
    values = np.array([np.nan, -5, 0, 3.5, 254, 400])
    whole = np.where(np.isnan(values), 0, np.searchsorted(cuts, values, side="right") + 1)
    coarse = np.where(np.isnan(values), 0, np.searchsorted(fewer, values, side="right") + 1)
    assert bins[whole].tolist() == coarse.tolist()


def test_rules_say_how_the_score_moves_in_raw_units(mixed_students):
    first, *lines = mixed_students["additive"].rules()
    assert first.startswith("The log-odds of ill is the sum of ")
    assert any(line.startswith("age [years] adds to the log-odds of ill: ") for line in lines)
    assert any(line.startswith("smoker adds") and "where it holds" in line for line in lines)


def test_fidelity_is_told_machine_by_machine():
    X, told = squares(1000), []
    xd.Additive(**ADDITIVE).fit(X, X[:, 0] + X[:, 1] * X[:, 2], on_step=lambda *s: told.append(s))
    assert [step[:2] for step in told] == [(1, 2), (2, 2)]
    assert told[0][3] < told[1][3] <= 1


@pytest.mark.parametrize(("name", "value"), [("n_pairs", -1), ("n_bins", 1), ("n_bins", 2.5)])
def test_options_out_of_range_are_refused(name, value):
    with pytest.raises(DataError, match=f"{name} must be a whole number from"):
        xd.Additive(**{name: value}).fit(squares(50), squares(50)[:, 0] > 0)


def test_without_interpret_the_extra_is_named_before_anything_is_trained(monkeypatch, wine):
    monkeypatch.setitem(sys.modules, "interpret", None)
    monkeypatch.delitem(sys.modules, "interpret.glassbox", raising=False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'explain-distill\[additive\]'"):
        xd.run(wine[0], students=["additive"])


@pytest.mark.parametrize("n_bins", [4, 16])
def test_a_value_that_many_rows_share_has_a_bin_of_its_own(n_bins):
    rng = np.random.default_rng(0)
    values = np.where(rng.random(4000) < 0.6, 0.0, rng.uniform(1, 2, size=4000))
    cuts = feature_cuts(values, n_bins)
    bins = bin_numbers(values, cuts)
    assert len(cuts) < n_bins
    assert set(bins[values == 0]) == {1}
    assert 1 not in bins[values > 0]


def test_a_function_of_many_steps_is_told_step_by_step_where_its_values_hold():
    rng = np.random.default_rng(0)
    gain = np.where(rng.random(2000) < 0.9, 0.0, rng.integers(1, 200, 2000) * 20.0)
    rows = np.column_stack([gain, rng.normal(size=2000)])
    model = xd.Additive(task="regression", random_state=0).fit(rows, np.log1p(gain) + rows[:, 1])
    term = next(term for term in model.terms_ if term.features == (0,))
    told = term_words(model, term)
    first, *others = re.findall(r"([+−][\d.e+-]+) (below|from) ([\d.]+)", told)
    assert (first[1], float(first[2])) == ("below", pytest.approx(term.cuts[0][0], rel=1e-3))
    assert len({where for _, _, where in others}) == len(others)
    for value, _, start in others:
        row = np.array([[float(start) + 1e-3, 0.0]])
        told_there = term(row)[0, 0]
        assert float(value.replace("−", "-")) == pytest.approx(told_there, rel=0.01, abs=0.01)


def sexes(n=2000, missing=True):
    """Build rows of a category of two levels, whose second raises a value less than its first."""
    rng = np.random.default_rng(0)
    X = np.stack([rng.integers(2, size=n).astype(float), rng.normal(size=n)], axis=1)
    if missing:
        X[::10, 0] = np.nan
    y = np.select([X[:, 0] == 0, X[:, 0] == 1], [1.0, -0.5], -1.0) + X[:, 1]
    schema = Schema((Feature("sex", "category", levels=("female", "male")), Feature("age")))
    return schema, ReadableFeatures(schema).transform(X), y


@pytest.mark.parametrize("missing", [True, False])
def test_the_levels_of_a_category_are_told_as_one_function(missing):
    schema, rows, y = sexes(missing=missing)
    model = xd.Additive(n_pairs=0, task="regression", random_state=0).fit(rows, y)
    model.set_names(schema, ("",))
    (line,) = [line for line in model.rules() if line.startswith("sex")]
    pairs = re.findall(r"(\S+) where it is (\w+)", line.replace("−", "-"))
    told = {level: float(value) for value, level in pairs}
    assert set(told) == ({"female", "male", "missing"} if missing else {"female", "male"})
    scored = model.predict(np.array([[1.0, 0, 0.0], [0, 1, 0], [0, 0, 0]]))
    assert told["female"] - told["male"] == pytest.approx(scored[0] - scored[1], abs=0.01)
    assert told["female"] - told["male"] == pytest.approx(1.5, abs=0.05)
    if missing:
        assert told["female"] - told["missing"] == pytest.approx(scored[0] - scored[2], abs=0.01)


def test_a_level_without_a_function_is_told_all_the_same():
    schema, rows, y = sexes()
    model = xd.Additive(n_pairs=0, task="regression", random_state=0).fit(rows, y)
    model.set_names(schema, ("",))
    model._take([term for term in model.terms_ if term.features != (1,)])
    (line,) = [line for line in model.rules() if line.startswith("sex")]
    words = re.findall(r"(\S+) where it is (\w+)", line)
    assert [level for _, level in words] == ["female", "male", "missing"]
    assert words[1][0] == words[2][0] != words[0][0]


def test_of_a_category_of_many_levels_the_heaviest_are_told():
    rng = np.random.default_rng(0)
    codes = rng.integers(40, size=4000)
    schema = Schema((Feature("ward", "category", levels=tuple(f"w{i}" for i in range(40))),))
    rows = ReadableFeatures(schema).transform(codes[:, None].astype(float))
    model = xd.Additive(n_pairs=0, task="regression", random_state=0).fit(rows, codes / 10.0)
    model.set_names(schema, ("",))
    (line,) = [line for line in model.rules() if line.startswith("ward adds")]
    assert line.count("where it is w") == SPOKEN_LEVELS
    assert "where it is w39" in line
    assert re.search(r"between \S+ and \S+ at 28 other levels", line)


def test_no_more_pairs_are_asked_for_than_there_are():
    assert xd.Additive().largest_size(3) == 3
    assert xd.Additive().largest_size(1) == 1
    assert xd.SoftTree().largest_size(3) is None


def test_cuts_are_told_with_the_digits_that_part_the_values_between_them():
    rng = np.random.default_rng(0)
    years, stages = rng.integers(2016, 2024, 900), rng.integers(1, 5, 900)
    X = np.stack([years, stages], axis=1).astype(float)
    y = 0.2 * (years - 2020) + np.where(stages > 2, 1.0, -1.0)
    model = xd.Additive(n_pairs=0, task="regression", random_state=0).fit(X, y)
    stage, year = sorted(line for line in model.rules() if line.startswith("x"))[::-1]
    assert re.findall(r"from (\S+) to (\S+);", stage) == [("1.5", "2.5"), ("2.5", "3.5")]
    assert re.search(r"from 2019\.5 to 2020\.5", year)
    drawn = {shape.name: shape for shape in additive_shapes(model).shapes}
    assert (drawn["x1"].edges[0], drawn["x1"].edges[-1]) == (0.5, 4.5)


def test_no_axis_leads_across_0_where_no_value_lies():
    income = np.exp(np.random.default_rng(0).normal(10, 2, 900))[:, None]
    model = xd.Additive(n_pairs=0, task="regression", random_state=0).fit(income, income[:, 0])
    (shape,) = additive_shapes(model).shapes
    assert shape.edges[0] >= 0
