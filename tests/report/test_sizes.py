import json
import re
from dataclasses import replace

import pytest

from explain_distill.audit.budget import Budget
from explain_distill.audit.front import Front, Gap, Ladder, Step
from explain_distill.metrics.intervals import Estimate
from explain_distill.report.blocks import Figure, Panel, Sizes
from explain_distill.report.front import front_section, front_words
from explain_distill.report.render import render_html, render_json, render_markdown
from explain_distill.report.sections import build_report
from explain_distill.report.sizes_plot import sizes_plot
from explain_distill.report.wording import spoken


def gap(measure="agreement", most=None, excess=None, least=None):
    return Gap(measure, Estimate(0.05, 0.03, 0.08, 400, 0.95), excess, most, least)


def front(*verdicts, n_rows=400, n_groups=None, tested=(), **gaps):
    steps = tuple(
        Step(f"soft-tree-{2**place}", 2**place, verdict, (gaps.get(f"at_{2**place}", gap()),))
        for place, verdict in enumerate(verdicts, start=1)
    )
    return Front(n_rows, n_groups, 0.02, 0.95, (Ladder("soft-tree", "leaves", steps, tested),))


def test_the_choice_is_told_with_its_bound_on_validation_and_on_test_rows():
    told = front(
        "less faithful", "as faithful", "largest",
        tested=(gap(most=0.017),), at_2=gap(most=0.2, excess=0.15, least=0.1),
        at_4=gap(most=0.0111),
    )  # fmt: skip
    (words,) = front_words(told)
    assert words.startswith("Soft tree: 4 leaves are to be read. They do as well as every larger")
    assert "on at most 1.2 more of 100 rows (95% confidence; 2 of 100, and 2% were" in words
    assert "On the test rows, which had no say in this: another answer" in words
    assert "at most 1.7 more of 100 rows." in words
    assert words.endswith("2 do worse: another answer than the teacher's on 15.0 more of 100 rows "
                          "(at least 10.0).")  # fmt: skip


def test_what_is_not_shown_is_not_told_as_a_difference():
    (words,) = front_words(front("not shown", "largest", at_2=gap(most=0.0201, least=-0.01)))
    assert "4 leaves, the most that were tried, are to be read" in words
    assert "Of 2 it is not shown, which is not to say that they do worse" in words
    assert "up to 2.01 more of 100 rows is not ruled out" in words


def test_too_few_rows_are_told_as_such():
    (words,) = front_words(front("not shown", "largest", n_rows=44, at_2=gap(most=0.07)))
    assert "44 validation rows are too few to show it of any size, which takes 149" in words
    (words,) = front_words(front("not shown", "largest", n_groups=20, at_2=gap(most=0.07)))
    assert "20 groups are too few" in words


def test_sizes_that_do_worse_are_told_beside_one_of_which_it_is_not_shown():
    worse = gap(most=0.2, excess=0.15, least=0.1)
    verdicts = ("less faithful", "not shown", "largest")
    (words,) = front_words(front(*verdicts, n_rows=44, at_2=worse, at_4=gap(most=0.07)))
    assert "that is not to say that others do worse. 2 do worse: another answer than" in words
    verdicts = ("less faithful", *verdicts)
    (words,) = front_words(front(*verdicts, at_2=worse, at_4=worse, at_8=gap(most=0.07)))
    assert "Of 8 it is not shown" in words
    assert words.endswith("2 and 4 do worse, 4 by another answer than the teacher's on 15.0 more "
                          "of 100 rows (at least 10.0).")  # fmt: skip


def test_few_rows_are_no_reason_where_they_could_have_shown_it():
    (words,) = front_words(front("not shown", "largest", n_rows=149, at_2=gap("score_r2", 0.03)))
    assert "too few" not in words
    assert "up to 3.00% more of the score's variance unexplained is not ruled out" in words


def test_a_bound_is_rounded_upwards():
    (words,) = front_words(front("as faithful", "largest", at_2=gap("score_r2", most=0.01901)))
    assert "at most 2.0% more of the score's variance unexplained" in words


def test_a_student_of_a_size_is_spoken_of_with_its_unit():
    assert spoken("soft-tree-8") == "the soft tree with 8 leaves"
    assert spoken("mlp-16") == "the small neural network with 16 units a hidden layer"
    assert spoken("visit-2") == "the student “visit-2”"


def panel(**changed):
    figures = tuple(Figure(v, v / 2, 2 * v, 400, 0.95, "share") for v in (0.2, 0.1, 0.05))
    told = Panel("soft tree", "leaves", (2, 4, 8), figures, figures[::-1], 4)
    return replace(told, **changed)


def test_the_plot_marks_every_size_twice_and_puts_powers_of_two_evenly():
    drawn = sizes_plot(Sizes("Caption", "Loss", (panel(),)))
    assert len(re.findall("<title>", drawn)) == 6
    ticks = {
        int(n): float(x) for x, n in re.findall(r'<text x="([\d.]+)"[^>]*middle[^>]*>(\d+)<', drawn)
    }
    assert ticks[4] - ticks[2] == pytest.approx(ticks[8] - ticks[4], abs=0.2)
    assert "4 leaves, validation: 0.100 (0.050 to 0.200)" in drawn
    assert "chosen 4" in drawn


def test_a_figure_that_is_not_defined_is_left_out():
    test = (Figure(float("nan")), *panel().test[1:])
    assert len(re.findall("<title>", sizes_plot(Sizes("C", "Loss", (panel(test=test),))))) == 5


def test_a_report_tells_of_the_chosen_sizes_and_lists_all(sized_study):
    report = build_report(sized_study)
    keys = [section.key for section in report.sections]
    assert keys.index("sizes") < keys.index("students")
    chosen = [ladder.chosen.student for ladder in sized_study.front.ladders]
    assert list(sized_study.leading.students) == chosen
    columns = report.section("students").blocks[1].columns
    assert columns == ("Figure", "teacher", *chosen, "Rows")
    assert sized_study.recommended == chosen[0]
    page, text = render_html(report), render_markdown(report)
    for name in sized_study.students:
        assert name in page
        assert name in text
    assert "its size was chosen on validation rows, and by no figure of test rows" in text
    sizes = next(s for s in json.loads(render_json(report))["sections"] if s["key"] == "sizes")
    kinds = [block["kind"] for block in sizes["blocks"]]
    assert kinds.count("sizes") == 2
    assert kinds[-2:] == ["table", "table"]


def test_a_study_keeps_its_front(sized_study, tmp_path):
    opened = type(sized_study).open(sized_study.save(tmp_path / "study"))
    assert opened.front == sized_study.front
    assert front_section(opened, opened.front) == front_section(sized_study, sized_study.front)
    size = opened.comparison.get("soft-tree-4", "complexity.size")
    seen = opened.comparison.get("soft-tree-4", "validation.agreement")
    assert size.value == 4
    assert seen.n == sized_study.front.n_rows


def test_where_a_budget_chooses_another_size_it_is_said():
    told = front("not shown", "largest", at_2=gap(most=0.03))
    (words,) = front_words(told, Budget(("leaves<=2",), "soft-tree-2", {}, {"soft-tree-2": 0.1}))
    assert words.endswith(
        "The budget, however, chooses 2 leaves: it is this student that is told of here."
    )
    (words,) = front_words(told, Budget(("leaves<=4",), "soft-tree-4", {}, {"soft-tree-4": 0.1}))
    assert "budget" not in words
