"""What other teachers that answer alike say: members, and one that was trained again."""

from dataclasses import replace

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.audit.effort import FULL
from explain_distill.audit.reasons import COMPARED, reasons_of
from explain_distill.exceptions import DataError
from explain_distill.metrics.attribution import rank_correlation
from explain_distill.study.verify import verify


@pytest.fixture(scope="module")
def retrained(wine):
    return xd.NeuralTeacher(members=2, width=32, max_epochs=60, seed=1).fit(wine[0])


@pytest.fixture(scope="module")
def study(wine, wine_teacher, wine_students, retrained):
    one = {"mlp": wine_students["mlp"]}
    return xd.compare(wine_teacher, one, wine[1], n_draws=1, retrained=retrained)


def test_every_ceiling_is_a_figure_of_the_teacher_with_its_interval_and_chance(study):
    comparison = study.comparison
    for key in COMPARED:
        plain = comparison.get("teacher", f"attribution.{key}")
        for peer in ("member", "retrained"):
            found = comparison.get("teacher", f"attribution.{peer}_{key}")
            assert found.role == "teacher"
            assert found.chance == plain.chance
            assert found.n == plain.n
            assert found.low is None or found.low <= found.value <= found.high
            assert comparison.get("mlp", f"attribution.{peer}_{key}") is None


def test_a_member_is_closer_to_the_whole_than_another_training(study):
    member, again = (
        study.comparison.get("teacher", f"attribution.{peer}_rank_correlation").value
        for peer in ("member", "retrained")
    )
    assert 0.5 < again < member < 1


def test_the_figure_is_the_mean_of_the_members_on_the_teachers_own_draws(study):
    reasons = study.comparison.reasons
    teacher = reasons.reference["teacher"].values
    assert len(reasons.members) == 2
    # Scores are averaged and Shapley values are linear, so on the same draws the members' are, too.
    assert np.mean([m.values for m in reasons.members], axis=0) == pytest.approx(teacher, abs=1e-4)
    each = [rank_correlation(teacher, member.values).mean() for member in reasons.members]
    found = study.comparison.get("teacher", "attribution.member_rank_correlation")
    assert found.value == pytest.approx(np.mean(each))


def test_a_teacher_of_one_network_that_is_not_trained_again_has_no_ceiling(mixed, mixed_students):
    alone = xd.NeuralTeacher(members=1, width=16, max_epochs=5).fit(mixed[0])
    found = xd.compare(alone, {"mlp": mixed_students["mlp"]}, mixed[1], n_draws=1)
    assert found.comparison.reasons.ceilings() == {}
    assert not any("member_" in m.metric for m in found.comparison.metrics)


def test_at_most_three_members_are_attributed(wine, wine_teacher, wine_students):
    many = xd.EnsembleTeacher([wine_teacher] * 5, wine[0])
    found = reasons_of(
        many, {}, wine[1], wine[1].background, 0, effort=replace(FULL, evaluations=20_000)
    )
    assert len(found.members) == FULL.members
    assert found.ceilings()["member_rank_correlation"].value == pytest.approx(1.0)


def test_other_teachers_change_no_other_figure(study, wine, wine_teacher, wine_students):
    one = {"mlp": wine_students["mlp"]}
    without = xd.compare(wine_teacher, one, wine[1], n_draws=1).comparison
    for each in without.metrics:
        if not each.metric.startswith("cost."):
            assert study.comparison.get(each.model, each.metric) == each
    assert without.retrained is None
    assert not any("retrained_" in each.metric for each in without.metrics)


def test_groups_count_as_wholes(study):
    reasons = study.comparison.reasons
    alone, grouped = reasons.ceilings(), reasons.ceilings(np.arange(len(reasons.rows)) // 9)
    for key in alone:
        assert alone[key].value == grouped[key].value
    assert alone["member_rank_correlation"].low != grouped["member_rank_correlation"].low


def test_any_fitted_object_may_be_the_one_that_was_trained_again(wine, wine_students):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def fitted(strength):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength))
        return model.fit(wine[0].X, wine[0].y)

    found = xd.compare(
        fitted(1.0), {"mlp": wine_students["mlp"]}, wine[1], n_draws=1, retrained=fitted(0.1)
    )
    assert found.comparison.get("teacher", "attribution.retrained_rank_correlation").value > 0.5
    assert found.comparison.get("teacher", "attribution.member_rank_correlation") is None


def test_the_teacher_itself_was_not_trained_again(wine, wine_teacher, wine_students):
    with pytest.raises(DataError, match="fitted again; however, got the teacher itself"):
        xd.compare(wine_teacher, wine_students, wine[1], retrained=wine_teacher)


def test_a_teacher_of_another_table_is_refused(wine, wine_teacher, wine_students, mixed_teacher):
    with pytest.raises(DataError, match="of the same table as the data"):
        xd.compare(wine_teacher, wine_students, wine[1], retrained=mixed_teacher)


def test_it_is_kept_and_every_figure_is_computed_again(study, tmp_path):
    folder = study.save(tmp_path / "study")
    opened = xd.Study.open(folder).comparison
    assert opened.metrics == study.comparison.metrics
    assert len(opened.reasons.members) == 2
    assert np.array_equal(
        opened.reasons.retrained.values, study.comparison.reasons.retrained.values
    )
    found = verify(folder)
    assert (found.differences, found.not_computed) == ((), ())


def test_another_retrained_teacher_in_its_place_is_caught(study, wine, tmp_path):
    other = xd.NeuralTeacher(members=2, width=32, max_epochs=3, seed=2).fit(wine[0])
    folder = study.save(tmp_path / "study")
    other.write(folder / "retrained")
    found = verify(folder)
    assert "retrained/model.safetensors: not as it was written" in found.differences
    assert any("attribution.retrained_rank_correlation" in line for line in found.differences)
    assert any("other teachers' attributions" in line for line in found.differences)


def test_without_the_retrained_teacher_its_figures_are_named_as_not_computed(study, tmp_path):
    folder = study.save(tmp_path / "study")
    for file in (folder / "retrained").iterdir():
        file.unlink()
    (folder / "retrained").rmdir()
    found = verify(folder)
    assert {line.split("/")[0] for line in found.differences} == {"retrained"}
    assert len(found.not_computed) == 3
    assert found.not_computed[0].endswith("the teacher that was trained again was not kept")


def test_without_rows_the_ceilings_follow_from_the_attributions_that_are_kept(study, tmp_path):
    found = verify(study.save(tmp_path / "private", with_data=False))
    assert found.differences == ()
    assert not any("_rank_correlation" in line for line in found.not_computed)


def test_report_and_app_say_it_plainly(study):
    from explain_distill.app import words
    from explain_distill.report.judgement import ceiling_words
    from explain_distill.report.sections import build_report

    member, again = ceiling_words(study.comparison)
    assert member.startswith("The teacher is several models; one of them alone gives its reasons")
    value = study.comparison.get("teacher", "attribution.retrained_rank_correlation").value
    assert again.startswith(
        f"A teacher trained again gives this teacher's reasons at a rank correlation of {value:.3f}"
    )
    blocks = build_report(study).section("reasons").blocks
    assert any(f"{member} {again}" == getattr(block, "text", "") for block in blocks)
    assert words.plain(again) in words.floor_and_ceiling(study.comparison)
