import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import explain_distill as xd
from explain_distill.exceptions import DataError


def test_a_model_fitted_on_raw_columns_gets_raw_columns(mixed):
    train, test = mixed
    model = HistGradientBoostingClassifier(max_iter=10).fit(train.X, train.y)
    teacher = xd.WrappedTeacher(model, train)
    assert teacher.predict_proba(test.X) == pytest.approx(model.predict_proba(test.X), abs=1e-6)


def test_a_model_fitted_on_readable_features_gets_those(mixed):
    train, test = mixed
    model = HistGradientBoostingClassifier(max_iter=10).fit(train.readable(), train.y)
    expected = model.predict_proba(test.readable())
    assert xd.WrappedTeacher(model, train).predict_proba(test.X) == pytest.approx(
        expected, abs=1e-6
    )


def test_a_model_fitted_on_a_table_gets_a_table(mixed):
    train, test = mixed

    class ByAge:
        feature_names_in_ = np.array(train.schema.names)
        classes_ = np.array([0, 1])

        def predict_proba(self, table):
            assert isinstance(table, pd.DataFrame)
            p = np.where(table["site"] == "west", 0.9, 0.2)
            return np.c_[1 - p, p]

    found = xd.WrappedTeacher(ByAge(), train).predict_proba(test.X)[:, 1]
    assert set(found.round(6)) == {0.2, 0.9}


def test_classes_named_in_words_are_brought_into_order(mixed):
    train, test = mixed
    words = np.array(train.task.class_names)[train.y]
    model = LogisticRegression().fit(np.nan_to_num(train.X), words)
    assert list(model.classes_) == ["ill", "well"]

    class Filled:
        classes_ = model.classes_

        def predict_proba(self, X):
            return model.predict_proba(np.nan_to_num(X))

    teacher = xd.WrappedTeacher(Filled(), train)
    expected = model.predict_proba(np.nan_to_num(test.X))[:, ::-1]
    assert teacher.predict_proba(test.X) == pytest.approx(expected, abs=1e-6)


def test_a_model_that_says_zero_has_a_finite_score(mixed):
    train, test = mixed

    class Sure:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return np.tile([1.0, 0.0], (len(X), 1))

    assert np.isfinite(xd.WrappedTeacher(Sure(), train).predict_score(test.X)).all()


def test_a_regressor_is_a_teacher_by_its_predict():
    train, test = xd.load_dataset("diabetes").split(seed=0)
    model = RandomForestRegressor(10, random_state=0).fit(train.X, train.y)
    score = xd.WrappedTeacher(model, train).predict_score(test.X)
    assert score[:, 0] == pytest.approx(model.predict(test.X))


def test_a_model_without_probabilities_is_refused(mixed):
    with pytest.raises(DataError, match="must have 'predict_proba'; however, object has none"):
        xd.WrappedTeacher(object(), mixed[0])


def test_a_model_of_other_classes_is_refused(mixed):
    model = LogisticRegression().fit(np.nan_to_num(mixed[0].X), mixed[0].y + 5)
    with pytest.raises(DataError, match="classes must be those of the data"):
        xd.WrappedTeacher(model, mixed[0])


def test_a_model_of_other_features_is_refused(mixed):
    train, test = mixed
    model = LogisticRegression().fit(np.zeros((2, 9)), [0, 1])
    with pytest.raises(DataError, match="expects 9 features and the data have 3 columns"):
        xd.WrappedTeacher(model, train).predict_score(test.X)


def test_a_model_gets_the_cells_that_its_own_table_held(tmp_path):
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.normal(60, 10, 200),
            "smoker": rng.integers(2, size=200),
            "insured": rng.choice(["No", "Yes"], 200),
            "clinic": rng.choice(["north", "south", "west"], 200),
        }
    )
    table["died"] = np.where(table["smoker"] + (table["insured"] == "No") > 1, "yes", "no")
    file = tmp_path / "patients.csv"
    table.to_csv(file, index=False)
    train, test = xd.read_table(file, "died").split(seed=0)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["smoker", "insured", "clinic"]),
        remainder="passthrough",
    )
    own = table.drop(columns="died")
    model = make_pipeline(encode, LogisticRegression(max_iter=2000)).fit(own, table["died"])
    teacher = xd.WrappedTeacher(model, train)
    assert np.mean(teacher.predict(test.X) == test.y) > 0.95


def test_a_model_of_some_columns_in_another_order_gets_those():
    train, test = xd.load_dataset("wine").split(seed=0)
    some = train.frame()[["magnesium", "alcohol"]]
    model = LogisticRegression(max_iter=5000).fit(some, train.y.astype(float))
    teacher = xd.WrappedTeacher(model, train)
    expected = model.predict_proba(test.frame()[["magnesium", "alcohol"]])
    assert teacher.predict_proba(test.X) == pytest.approx(expected, abs=1e-6)


def test_a_teacher_of_another_table_is_refused(wine, mixed_teacher):
    with pytest.raises(DataError, match="must be of the same table as the data, 'wine'"):
        xd.distill(mixed_teacher, xd.MLP(n_steps=5), wine[0])


def read_otherwise(path, n=200):
    """Write a table of truth values and a category with missing cells, and read it by pandas."""
    rng = np.random.default_rng(0)
    smoker, site = rng.random(n) < 0.5, rng.integers(3, size=n)
    pd.DataFrame(
        {
            "smoker": smoker,
            "site": np.array(["north", "south", None], dtype=object)[site],
            "age": rng.normal(size=n),
            "ill": np.where(smoker ^ (site == 2), "yes", "no"),
        }
    ).to_csv(path, index=False)
    return pd.read_csv(path)


def test_a_model_fitted_on_pandas_own_table_gets_the_same_cells(tmp_path):
    theirs = read_otherwise(tmp_path / "t.csv")
    data = xd.read_table(tmp_path / "t.csv", "ill")
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["smoker", "site"]), remainder="passthrough"
    )
    forest = RandomForestClassifier(20, random_state=0)
    model = make_pipeline(columns, forest).fit(theirs.drop(columns="ill"), theirs["ill"])
    told = xd.WrappedTeacher(model, data).predict_proba(data.X)
    assert told == pytest.approx(model.predict_proba(theirs.drop(columns="ill")), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: 2 * p - 1, r"each row summing to 1; however, .* gives \["),
        (lambda p: 100 * p, "Divide percentages by 100"),
        (lambda p: p[:, :1], r"one column a class, \(.*, 2\); however, Told gives \(.*, 1\)"),
        (lambda p: p[:3], "one column a class"),
        (lambda p: p[:, 0], "one column a class"),
    ],
)
def test_what_is_no_distribution_over_the_classes_is_refused(change, said, mixed):
    train, test = mixed

    class Told:
        n_features_in_ = len(train.schema)

        def predict_proba(self, X):
            p = 1 / (1 + np.exp(-np.nan_to_num(X[:, 0]) / 50))
            return change(np.c_[1 - p, p])

    with pytest.raises(DataError, match=said):
        xd.WrappedTeacher(Told(), train).predict_proba(test.X)


def test_a_model_that_fails_on_the_rows_is_told_with_its_reason(mixed):
    train, test = mixed

    class Fails:
        n_features_in_ = len(train.schema)

        def predict_proba(self, X):
            raise ValueError("could not convert string to float: 'west'\nand more")

    with pytest.raises(DataError, match=r"Fails fails on them: could not convert .*'west'\. Fit"):
        xd.WrappedTeacher(Fails(), train).predict_proba(test.X)
