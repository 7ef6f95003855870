import numpy as np

from explain_distill.data.features import Feature, Schema
from explain_distill.data.readable_features import ReadableFeatures

READABLE = ReadableFeatures(
    Schema(
        (
            Feature("age", unit="years"),
            Feature("pain", "category", levels=("none", "mild", "severe")),
            Feature("smoker", "boolean"),
        )
    )
)


def test_numbers_stay_as_they_are_and_a_category_becomes_its_levels():
    assert READABLE.names == ["age", "pain=none", "pain=mild", "pain=severe", "smoker"]
    rows = READABLE.transform(np.array([[54.5, 2, 1], [np.nan, np.nan, np.nan]]))
    np.testing.assert_array_equal(
        rows, [[54.5, 0, 0, 1, 1], [np.nan, 0, 0, 0, np.nan]], strict=True
    )


def test_each_readable_feature_knows_its_column_unit_and_range():
    assert READABLE.columns.tolist() == [0, 1, 1, 1, 2]
    assert [feature.unit for feature in READABLE.features] == ["years", None, None, None, None]
    assert [feature.binary for feature in READABLE.features] == [False, True, True, True, True]
