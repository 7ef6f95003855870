import json
from dataclasses import replace

import pytest

import explain_distill as xd
from explain_distill._console import side_by_side
from explain_distill.app import figures
from explain_distill.audit.budget import Budget, check_priced, read_limits, within_budget
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.report.blocks import Table
from explain_distill.report.sections import build_report
from explain_distill.study.verify import verify

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
    assert found.words()[0].startswith("No student is within the budget (bytes<=1), and so")
    assert len(found.words()) == 1 + len(wine_study.students)
    assert not any("e+" in sentence for sentence in found.words())


@pytest.mark.parametrize(
    "text", ["leaves<16", "leaves<=", "leaves<=1e", "<=3", "leaves<=x", " , ", "leaves<=-1"]
)
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


@pytest.fixture(scope="module")
def priced(wine, wine_teacher, wine_students):
    two = {name: wine_students[name] for name in ("decision-tree", "mlp")}
    return xd.compare(wine_teacher, two, wine[1], n_draws=1, quick=True, price=0.05)


def test_money_may_be_limited_where_there_is_a_price(priced):
    limits = read_limits("money_per_million<=1e9")
    check_priced(limits, 0.05)
    assert within_budget(priced.comparison, limits, LEFT).student == "mlp"
    nothing = within_budget(priced.comparison, read_limits("money_per_million<=1e-12"), LEFT)
    assert nothing.student is None
    assert nothing.ruled_out["mlp"].startswith("money_per_million ")


def test_a_limit_of_money_without_a_price_is_refused_before_anything_is_trained():
    with pytest.raises(DataError, match=r"must come with a price; .* --price-per-cpu-hour 0\.05"):
        xd.run(xd.load_dataset("wine"), budget="leaves<=8,money_per_million<=0.02")
    check_priced(read_limits("leaves<=8"), None)


def test_a_price_that_is_none_is_refused_before_anything_is_trained():
    with pytest.raises(DataError, match="price must be above 0; however, got -1"):
        xd.run(xd.load_dataset("wine"), price=-1)


def test_money_is_a_figure_of_teacher_and_students_and_follows_from_those_beside_it(priced):
    for model in priced.comparison.models:
        rows, processors, money = (
            priced.comparison.get(model, f"cost.{key}").value
            for key in ("rows_per_second", "processors", "money_per_million")
        )
        assert money == pytest.approx(0.05 / 3600 * 1e6 / rows * processors)


def test_without_a_price_there_is_no_money(wine_study):
    assert wine_study.about.price is None
    assert not any(
        "money" in m.metric or "processors" in m.metric for m in wine_study.comparison.metrics
    )


def test_money_is_shown_with_its_price_and_left_out_of_what_is_computed_again(priced, tmp_path):
    folder = priced.save(tmp_path / "study")
    opened = xd.Study.open(folder)
    assert opened.about.price == 0.05
    (table,) = (b for b in build_report(opened).section("students").blocks if isinstance(b, Table))
    named = [row[0] for group in table.groups for row in group.rows]
    title = "Money per million predictions, in batches, at 0.05 an hour of one CPU"
    assert f"{title} ↓" in named
    assert title in figures.figure_table(opened).index
    assert "money per million" in side_by_side(opened.comparison)
    results = json.loads((folder / "results.json").read_text())
    for row in results["metrics"]:
        if row["metric"] in ("cost.money_per_million", "cost.processors"):
            row["value"] *= 2
    (folder / "results.json").write_text(json.dumps(results))
    assert verify(folder).differences == ("results.json: not as it was written",)


def test_a_price_that_is_no_number_is_not_shown(priced):
    about = replace(priced.about, configuration={"price": "<b>free</b>"})
    assert about.price is None


def test_a_budget_is_refused_before_anything_is_trained():
    with pytest.raises(UnknownNameError, match="A budget's figure must be one of"):
        xd.run(xd.load_dataset("wine"), budget="money<=3")
