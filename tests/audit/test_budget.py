from dataclasses import replace

import pytest

import explain_distill as xd
from explain_distill.audit.budget import Budget, read_limits, within_budget
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.report.sections import build_report

LEFT = {"soft-tree": 0.05, "decision-tree": 0.2, "boosted-trees": 0.1, "mlp": 0.01, "additive": 0.3}


def chosen(wine_study, text):
    return within_budget(wine_study.comparison, read_limits(text), LEFT)


def test_the_closest_within_the_limits_is_chosen(wine_study):
    assert chosen(wine_study, "bytes<=1e9").student == "mlp"
    found = chosen(wine_study, "leaves<=100, depth<=2")
    assert found.student == "soft-tree"
    assert found.ruled_out["mlp"] == "has no leaves, has no depth"
    assert "depth" in found.ruled_out["decision-tree"]
    assert found.words()[0].startswith("Within the budget (leaves<=100, depth<=2), soft-tree is ")


def test_a_limit_may_be_the_least(wine_study):
    assert chosen(wine_study, "rows_per_second>=1").student == "mlp"
    assert chosen(wine_study, "rows_per_second>=1e30").student is None


def test_where_none_fits_each_is_said_to_be_ruled_out_by_what(wine_study):
    found = chosen(wine_study, "bytes<=1")
    assert found.student is None
    assert set(found.ruled_out) == set(wine_study.students)
    assert found.words()[0] == "No student is within the budget (bytes<=1)."
    assert len(found.words()) == 1 + len(wine_study.students)


@pytest.mark.parametrize("text", ["leaves<16", "leaves<=", "leaves<=1e", "<=3", "leaves<=x", " , "])
def test_what_is_no_limit_is_refused(text):
    with pytest.raises(DataError, match="A budget must"):
        read_limits(text)


def test_an_unknown_figure_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'leaves'"):
        read_limits("leafs<=3")


def test_a_budget_is_kept_with_the_study_and_told_of(wine_study, tmp_path):
    study = replace(wine_study, budget=chosen(wine_study, "leaves<=100,depth<=2"))
    assert study.recommended == "soft-tree"
    opened = xd.Study.open(study.save(tmp_path / "study"))
    assert opened.budget == study.budget
    told = [str(block) for block in build_report(opened).section("asked").blocks]
    assert any("What the budget allows" in each for each in told)
    mlp = replace(wine_study, budget=chosen(wine_study, "bytes<=1e9"))
    read = [str(block) for block in build_report(mlp).section("recommended").blocks]
    assert "of those within the budget it is the closest" in read[0]


@pytest.mark.parametrize(
    "altered", [{"student": "nobody"}, {"unexplained": {"mlp": "x"}}, {"limits": [3]}]
)
def test_an_altered_budget_is_refused(altered, wine_study):
    told = chosen(wine_study, "leaves<=100").to_json()
    assert Budget.from_json(told, list(wine_study.students)).to_json() == told
    with pytest.raises((ValueError, TypeError)):
        Budget.from_json(told | altered, list(wine_study.students))


def test_a_run_with_a_budget_chooses_on_validation_rows():
    study = xd.run(
        xd.load_dataset("wine"),
        students=("soft-tree", "decision-tree"),
        budget="leaves<=16,features_per_split<=1",
        quick=True,
    )
    assert study.budget.student == "decision-tree"
    assert list(study.budget.ruled_out) == ["soft-tree"]
    assert study.about.configuration["budget"] == "leaves<=16,features_per_split<=1"
    assert study.students["decision-tree"].distillation_ is not None


def test_a_budget_is_refused_before_anything_is_trained():
    with pytest.raises(UnknownNameError, match="A budget's figure must be one of"):
        xd.run(xd.load_dataset("wine"), budget="money<=3")
