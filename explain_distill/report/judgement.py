"""What came out: students side by side, their fidelity, and whether their reasons agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explain_distill.audit.reasons import PEERS
from explain_distill.audit.sensitivity import MOVES, RADIUS
from explain_distill.metrics.attribution import importance, top_k
from explain_distill.report.blocks import (
    Bars,
    Block,
    Cell,
    Dots,
    Facts,
    Figure,
    Listing,
    Paragraph,
    Point,
    RowGroup,
    Section,
    Table,
)
from explain_distill.report.molecule_drawing import first_molecules, shown_molecules
from explain_distill.report.wording import (
    GROUPS,
    called,
    count,
    hundreds,
    interval_words,
    spoken,
    started,
)

if TYPE_CHECKING:
    from explain_distill.audit.comparison import Comparison
    from explain_distill.study.study import Study

FAITHFULNESS_WORDS = (
    "Deletion and insertion: the columns of a row are taken out, or put in, one after the other "
    "from the largest attribution on, background values standing in; the figure is the area under "
    "the score's curve, in units of its whole fall. It leaves 0 and 1 where some columns speak "
    "against the answer. Infidelity: by how much attributions of random sets of columns miss what "
    "taking these out does to the score, as a share of that; 0 is exact, and the noise of the "
    "draws can bring it below. "
)
SENSITIVITY_WORDS = (
    f"Change of reasons by a small move: each number of a row is moved at random, {MOVES} times, "
    f"by at most {RADIUS:.0%} of its column's standard deviation; the figure is the largest change "
    "of the model's own attributions, as a share of their size. 0 would be reasons that stay."
)
MOLECULES_NOTE = (
    "A share is what a kind of fragment adds, on the mean over all orders in which a molecule's "
    "fragments can be put in: from methane, which stands for nothing, up to the whole molecule; "
    "what falls apart where a fragment is taken off is joined again. A kind's share is spread "
    "evenly over its atoms, so that a large fragment is paler than a small one of the same share. "
    "Where the score of methane, the base, is far from what is known of methane, what is put in "
    "first is credited with the way from there. Agreement of reasons is told of the kinds that a "
    "molecule has, in molecules of two and more."
)
LEADING = 10  # columns whose importance is shown
FEW_COLUMNS = 5


# -- side by side ----------------------------------------------------------------------------------


def students_section(study: Study) -> Section:
    """Put every figure of every model in one table."""
    return Section(
        "students",
        "The students side by side",
        (
            Paragraph(
                "Every figure that was measured, with its 95% interval below it and the number of "
                "rows that it rests on in the last column. All models are judged on the same rows, "
                "so overlapping intervals alone do not say whether two models differ."
                + _others(study)
            ),
            figures_table(study),
            Paragraph(
                "In the teacher's column, agreement of reasons is that of the teacher with itself "
                "on independent draws. Times are of the machine that made the study."
            ),
            *_faithfulness_words(study),
        ),
    )


def _faithfulness_words(study: Study) -> list[Block]:
    """Say what it is for reasons to change by a small move, where that was measured."""
    if study.comparison.get("teacher", "faithfulness.sensitivity") is None:
        return []
    of_trees = " A tree's reasons jump where a row crosses a question."
    return [Paragraph(f"{FAITHFULNESS_WORDS}{SENSITIVITY_WORDS}{of_trees}")]


def _others(study: Study) -> str:
    """Say where the sizes are that are not told of here."""
    if study.front is None:
        return ""
    return " Of each kind of student, the size that was chosen is shown; results.json has all."


def figures_table(study: Study) -> Table:
    """Give all figures: a row a figure, a column a model."""
    models = study.leading.models
    metrics = list(dict.fromkeys(metric.metric for metric in study.leading.metrics))
    groups = []
    for key, title in GROUPS.items():
        rows = [figures_row(study, metric) for metric in metrics if metric.startswith(f"{key}.")]
        if rows:
            groups.append(RowGroup(title, tuple(rows)))
    return Table(
        "↑ higher is better, ↓ lower is better", ("Figure", *models, "Rows"), tuple(groups)
    )


def figures_row(study: Study, metric: str) -> tuple[Cell, ...]:
    """Give one figure of all models, and the rows that it rests on."""
    of = called(metric, study.about.task, study.about.price)
    cells: list[Cell] = []
    found = [study.comparison.get(model, metric) for model in study.leading.models]
    for each in found:
        cells.append(Figure.of(each.estimate, of.form) if each else "")
    name = of.labelled
    chance = next((each.chance for each in found if each and each.chance is not None), None)
    if chance is not None:
        name += f" (chance: {chance:.2f})"
    n = next((each.n for each in found if each and each.n), None)
    return (name, *cells, f"{n:,}" if n else "")


# -- fidelity --------------------------------------------------------------------------------------


def fidelity_section(study: Study) -> Section:
    """Say how often, or how closely, each student answers as its teacher."""
    classify = study.about.task.kind == "classification"
    metric = "fidelity.agreement" if classify else "fidelity.r2"
    blocks: list[Block] = [
        Paragraph("Does a student give the teacher's answers, whether these are right or wrong?"),
        Listing(tuple(agreement_words(study, name) for name in study.leading.students)),
        *_dots(study, metric),
    ]
    if classify:
        blocks.append(
            Paragraph(
                "The same answer means the same most probable class. R² of the score is stricter: "
                "it asks how closely a student follows the teacher's confidence in each class."
            )
        )
        blocks += _dots(study, "fidelity.score_r2")
    return Section("fidelity", "Fidelity: the same answers?", tuple(blocks))


def agreement_words(study: Study, name: str) -> str:
    """Say in plain words how far a student answers as the teacher."""
    agreement = study.comparison.get(name, "fidelity.agreement")
    if agreement is not None and agreement.n:
        same = round(agreement.value * agreement.n)
        return (
            f"Of 100 test rows {spoken(name)} and the teacher answer the same on "
            f"{hundreds(agreement.value)} "
            f"({interval_words(Figure.of(agreement.estimate), of_hundred=True)}), as measured on "
            f"{same:,} of {agreement.n:,}."
        )
    r2, mae = (study.comparison.get(name, f"fidelity.{key}") for key in ("r2", "mae"))
    if mae is None:
        return f"The fidelity of {spoken(name)} was not measured."
    if r2 is None:
        return (
            f"The teacher's values do not vary on {count(mae.n or study.about.n_test, 'test row')};"
            f" those of {spoken(name)} lie {Figure.of(mae.estimate).words} from them on average."
        )
    explained, distance = Figure.of(r2.estimate, "share"), Figure.of(mae.estimate)
    unit = f" {study.about.task.unit}" if study.about.task.unit else ""
    return (
        f"On {count(mae.n or study.about.n_test, 'test row')}, the values of {spoken(name)} lie "
        f"{distance.words}{unit} from the teacher's on average ({interval_words(distance)}); R² "
        f"against the teacher is {explained.words} ({interval_words(explained)})."
    )


def _dots(
    study: Study, metric: str, floor: float | None = None, ceiling: float | None = None
) -> list[Block]:
    """Plot one figure of all students, where there are any."""
    of = called(metric, study.about.task)
    points = [
        Point(name, Figure.of(found.estimate, of.form))
        for name in study.leading.students
        if (found := study.comparison.get(name, metric)) is not None
    ]
    if not points:
        return []
    caption = f"{of.name}, with 95% intervals ({of.better})"
    return [Dots(caption, of.name, tuple(points), floor, ceiling)]


# -- reasons ---------------------------------------------------------------------------------------


def reasons_section(study: Study) -> Section:
    """Say whether the students answer for the teacher's reasons."""
    reasons = study.comparison.reasons
    n = reasons.n_columns
    chance = reasons.chance()["rank_correlation"]
    ceiling = reasons.ceiling
    blocks: list[Block] = [
        Paragraph(
            "A student can give the right answers for other reasons than its teacher's. Each "
            "model's score was attributed to the columns by the same method, on the same rows and "
            "the same draws; then the columns were ranked by their share, row by row, and the "
            "ranks compared."
        ),
        Listing(tuple(reasons_words(study, name) for name in study.leading.students)),
        *_dots(study, "attribution.rank_correlation", chance, ceiling),
        Paragraph(
            f"The floor ({chance:.2f}) is what a random order of the columns gets. The ceiling "
            f"({ceiling:.3f}) is what the teacher gets against itself on independent draws: the "
            "noise of the method. A student is measured on the teacher's own draws, so it can "
            "lie above the ceiling; it then differs from the teacher by less than two sets of "
            "draws differ for the teacher alone."
        ),
    ]
    if told := ceiling_words(study.comparison):
        blocks.append(Paragraph(" ".join(told)))
    if n < FEW_COLUMNS:
        blocks.append(
            Paragraph(
                f"With {count(n, 'column')} there are few orders to tell apart, so agreement of "
                "ranks says little here; compare the importances below."
            )
        )
    if study.about.schema.molecules is not None and study.comparison.data is not None:
        models = ["teacher", study.recommended]
        blocks += [
            shown_molecules(study, models, first_molecules(study), study.about.task.n_scores - 1),
            Paragraph(MOLECULES_NOTE),
        ]
    blocks += [_on_what(study), *importance_blocks(study)]
    return Section("reasons", "Reasons: the same answers for the same reasons?", tuple(blocks))


def reasons_words(study: Study, name: str) -> str:
    """Say in plain words how far a student's reasons are the teacher's."""
    reasons = study.comparison.reasons
    told = {
        key: study.comparison.get(name, f"attribution.{key}")
        for key in ("rank_correlation", "top_k_overlap")
    }
    rank, overlap = told["rank_correlation"], told["top_k_overlap"]
    if rank is None or overlap is None:
        return f"The reasons of {spoken(name)} were not measured."
    if not reasons.reference["teacher"].values.any():
        return f"The teacher gives no column weight: {spoken(name)} has no reasons to share."
    k = top_k(reasons.n_columns)
    of_rank = Figure.of(rank.estimate, "share")
    shared = hundreds(overlap.value)
    common = f"{shared}% of the {k} leading columns of a row are the same for both"
    if reasons.present is not None:
        common = (
            f"{shared}% of the leading half of a molecule's kinds of fragments, {k} at the most, "
            "are the same for both"
        )
    if k == 1:
        common = f"the leading column is the same for both in {shared}% of rows"
    return (
        f"{started(spoken(name))} and the teacher: the rank correlation of their reasons is "
        f"{of_rank.words} ({interval_words(of_rank)}; {count(rank.n or 0, 'row')}), and {common} "
        f"(chance: {hundreds(overlap.chance or k / reasons.n_columns)}%)."
    )


def ceiling_words(comparison: Comparison) -> list[str]:
    """Say how far teachers that were trained apart give the same reasons, where it is known."""
    member, again = (
        comparison.get("teacher", f"attribution.{peer}_rank_correlation") for peer in PEERS
    )
    told = []
    if member is not None:
        figure = Figure.of(member.estimate, "share")
        told.append(
            "The teacher is several models; one of them alone gives its reasons at a rank "
            f"correlation of {figure.words} ({interval_words(figure)}), helped by being part of it."
        )
    if again is not None:
        figure = Figure.of(again.estimate, "share")
        told.append(
            "A teacher trained again gives this teacher's reasons at a rank correlation of "
            f"{figure.words} ({interval_words(figure)}): a student above that gives this teacher's "
            "reasons more closely than another training did."
        )
    return told


def _on_what(study: Study) -> Facts:
    """Say on how many rows and draws the reasons rest."""
    reasons = study.comparison.reasons
    return Facts(
        (
            ("Method", f"{reasons.again.method}; the reference for all models"),
            ("Rows attributed", f"{len(reasons.rows):,} of {study.about.n_test:,} test rows"),
            ("Background", background_words(study)),
            ("Draws", f"{reasons.n_permutations:,} antithetic permutations a row"),
            ("What is attributed", score_words(study)),
        )
    )


def background_words(study: Study) -> str:
    """Say what attributions are told against."""
    if study.about.schema.molecules is not None:
        return "nothing: fragments are taken off, and bonds closed by hydrogen"
    return count(study.comparison.reasons.n_background, "training row")


def score_words(study: Study) -> str:
    """Say what the score is."""
    task = study.about.task
    if task.kind == "regression":
        return f"the predicted value{f', in {task.unit}' if task.unit else ''}"
    if task.n_scores == 2:
        return f"the score of “{task.class_names[1]}”, which is half its log-odds"
    return "the score of each class: its log-probability less the mean over the classes"


def importance_blocks(study: Study) -> list[Block]:
    """Show which columns lead, for the teacher and for the students."""
    names = study.about.schema.names
    told = {
        model: importance(study.comparison.reasons.reference[model].values)
        for model in study.leading.models
    }
    order = np.argsort(-told["teacher"], kind="stable")[:LEADING]
    rows = tuple(
        (
            names[place],
            *(
                Figure(float(told[model][place]), note=_rank_words(told[model], place))
                for model in told
            ),
        )
        for place in order
    )
    shown = count(len(order), "column")
    caption = f"Importance: mean absolute attribution of the {shown} that lead for the teacher"
    recommended = study.recommended
    series = tuple(
        (model, tuple(float(told[model][place]) for place in order))
        for model in ("teacher", recommended)
    )
    return [
        Bars(
            f"The teacher's leading columns, for the teacher and for {spoken(recommended)}",
            "Mean absolute attribution, in units of the score",
            tuple(names[place] for place in order),
            series,
        ),
        Table(caption, ("Column", *told), (RowGroup("", rows),)),
        _others_lead(study, told, len(order)),
    ]


def _rank_words(values: np.ndarray, place: int) -> str:
    """Say which rank a column has; none where it has no weight at all."""
    return f"rank {_ranks(values)[place]}" if values[place] > 0 else "no rank"


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank columns from the most important, 1, downwards."""
    ranks = np.empty(len(values), dtype=int)
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks


def _others_lead(study: Study, told: dict[str, np.ndarray], shown: int) -> Paragraph:
    """Name the columns that lead for a student and are not shown for the teacher."""
    names = study.about.schema.names
    ranks = {model: _ranks(values) for model, values in told.items()}
    if len(names) <= shown:
        return Paragraph("These are all the columns.")
    k = top_k(len(names))
    others = [
        f"“{names[place]}” is among the {k} leading columns of {spoken(model)} (rank "
        f"{ranks[model][place]}), but has rank {ranks['teacher'][place]} for the teacher."
        for model in study.leading.students
        for place in np.flatnonzero((ranks[model] <= k) & (ranks["teacher"] > shown))
        if told["teacher"].any() and told[model][place] > 0
    ]
    return Paragraph(" ".join(others) or "No student has a leading column that is not shown here.")
