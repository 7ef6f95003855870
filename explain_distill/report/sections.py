"""The report as data: what was asked, of which rows and which teacher, what came out, its limits.

Plain words come first, figures beside them. Nothing is measured here but counts and means of what
the study holds, and no value of a single row is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explain_distill.data.features import Feature, Schema
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.report.blocks import (
    Block,
    Cell,
    Facts,
    Figure,
    Listing,
    Paragraph,
    Report,
    RowGroup,
    Section,
    Table,
)
from explain_distill.report.environments import environment_blocks
from explain_distill.report.front import front_section
from explain_distill.report.judgement import (
    agreement_words,
    fidelity_section,
    reasons_section,
    reasons_words,
    students_section,
)
from explain_distill.report.limits import limits_section, provenance_section
from explain_distill.report.molecules import molecules_section
from explain_distill.report.reading import recommended_section
from explain_distill.report.trust import trust_section
from explain_distill.report.wording import (
    called,
    count,
    how_many,
    hundreds,
    interval_words,
    joined,
    spoken,
    started,
    told_apart,
)

if TYPE_CHECKING:
    from explain_distill.study.study import Study

MOST_COLUMNS = 60  # that are listed; study.json has all
MOST_LEVELS = 8

MOLECULES = "coalitions of fragments"

TRANSFER_WORDS = {
    "coalitions": "coalitions: mixed rows, whose columns come partly from one training row and "
    "partly from another",
    MOLECULES: "coalitions of fragments: molecules that are made of some kinds of fragments of a "
    "training molecule, the others being taken off or replaced by those of another one",
    "conditional-coalitions": "coalitions whose second row resembles the first in what is kept of "
    "it",
    "munge": "rows near the training rows, each mixed with its nearest neighbour (MUNGE)",
    "training-rows": "the training rows",
}


def build_report(study: Study) -> Report:
    """Put everything that is told of a study in order.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Report
    """
    sizes = () if study.front is None else (front_section(study, study.front),)
    chemistry = molecules_section(study)
    return Report(
        title=f"{study.about.name}: how far the students speak for their teacher",
        created=study.about.created,
        sections=(
            asked_section(study),
            data_section(study),
            teacher_section(study),
            *sizes,
            students_section(study),
            fidelity_section(study),
            reasons_section(study),
            *(() if chemistry is None else (chemistry,)),
            *((trust_section(study),) if study.leading.trust else ()),
            recommended_section(study),
            limits_section(study),
            provenance_section(study),
        ),
    )


# -- what was asked --------------------------------------------------------------------------------


def asked_section(study: Study) -> Section:
    """Say the question in plain words, and the answer in short."""
    about = study.about
    names = [spoken(name) for name in study.leading.students]
    were = "student was" if len(names) == 1 else "students were"
    made = f"{how_many(len(names))} {were} made from it: {joined(names)}. "
    if study.front is not None:
        n_kinds = len(study.front.ladders)
        kinds = "kind of student was" if n_kinds == 1 else "kinds of student were"
        made = f"{how_many(n_kinds)} {kinds} made from it. "
    blocks: list[Block] = [
        Paragraph(
            f"The teacher is {about.teacher or 'a black box'}. It predicts {_target(study)} from "
            f"{_given(about.schema)} of {about.name}. Can a smaller model, one that "
            "a person can read or a small machine can run, speak for it: give the same answers, "
            "for the same reasons?"
        ),
        Paragraph(
            f"{made}{_sizes(study)}"
            f"{_learned(study)}All are judged on {count(about.n_test, 'test row')} that were kept "
            "apart."
        ),
        Paragraph("In short:"),
        Listing(tuple(_in_short(study))),
    ]
    if study.budget is not None:
        blocks += [Paragraph("What the budget allows:"), Listing(tuple(study.budget.words()))]
    if about.configuration.get("quick"):
        blocks.append(
            Paragraph(
                "This was a quick run, for a first look: a quarter of the training, and a "
                "twentieth of the draws for reasons, so that what is said of them is wider."
            )
        )
    command = about.configuration.get("command")
    if command:
        blocks.append(Facts((("Command", command),)))
    return Section("asked", "What was asked", tuple(blocks))


def _sizes(study: Study) -> str:
    """Say that each kind of student has other sizes, too."""
    if study.front is None:
        return ""
    up_to = "" if study.front.alike else "up to "
    sizes = joined([f"{size:,}" for size in study.front.sizes])
    n_sizes = count(len(study.front.sizes), "size")
    return (
        f"Each was made at {up_to}{n_sizes} ({sizes}); this report tells of "
        f"{joined([spoken(name) for name in study.leading.students])}: of each kind the smallest "
        "that is shown to do as well as every larger one, or the largest where none smaller is"
        f"{'' if study.budget is None else ', and what the budget allows'}. "
    )


def _target(study: Study) -> str:
    task = study.about.task
    if task.kind == "regression":
        unit = f", in {task.unit}" if task.unit else ""
        return f"“{task.target}” (a number{unit})"
    classes = joined(told_apart(task.class_names), most=MOST_LEVELS, last="or")
    return f"“{task.target}” ({count(task.n_scores, 'class', 'classes')}: {classes})"


def _learned(study: Study) -> str:
    """Say from what the students learned, where that is known and the same for all."""
    told = [study.about.distillations.get(name) for name in study.students]
    transfers = {d["transfer"] for d in told if d}
    if len(transfers) != 1 or None in told:
        return ""
    names = transfers.pop().split("+")
    if study.about.schema.molecules is not None:
        names = [MOLECULES if name == "coalitions" else name for name in names]
    parts = [TRANSFER_WORDS.get(name, name) for name in names]
    who = "They" if len(told) > 1 else "It"
    return f"{who} learned what the teacher says of {joined(parts)}. "


def _in_short(study: Study) -> list[str]:
    """Answer for the student that is shown in full."""
    name = study.recommended
    caution = study.comparison.caution
    items = [] if caution is None else [f"Caution. {caution}"]
    items += [agreement_words(study, name), reasons_words(study, name)]
    key, called_so = ("accuracy", "accuracy") if _classifies(study) else ("r2", "R²")
    found = [study.comparison.get(model, f"performance.{key}") for model in ("teacher", name)]
    told = [Figure.of(metric.estimate, "share") for metric in found if metric]
    if len(told) == 2:
        items.append(
            f"Against the truth, {called_so} is {told[0].words} for the teacher "
            f"({interval_words(told[0])}) and {told[1].words} for {spoken(name)} "
            f"({interval_words(told[1])})."
        )
    chosen = "It was not chosen by its figures"
    if study.front is not None:
        chosen = "Its size was chosen on other rows"
    items.append(
        f"{started(spoken(name))} is the one told of here, and drawn below, because it is of a "
        f"kind that can be read. {chosen}: the test rows are for judging, not choosing."
    )
    return items


def _classifies(study: Study) -> bool:
    return study.about.task.kind == "classification"


# -- data ------------------------------------------------------------------------------------------


def data_section(study: Study) -> Section:
    """Say which rows and columns there are, and what was found in reading them."""
    about = study.about
    blocks: list[Block] = [
        Paragraph(
            f"{started(count(about.n_rows, 'row'))}: {about.n_train:,} to train on and "
            f"{about.n_test:,} to test on, none of them both. "
            f"{_told_by(about.schema)}."
        )
    ]
    blocks += _truth(study)
    if about.notes:
        blocks += [Paragraph("Noted while reading:"), Listing(about.notes)]
    blocks += [_columns(study), *environment_blocks(study)]
    if study.comparison.data is None:
        blocks.append(Paragraph(_without_rows(about.schema)))
    return Section("data", "Data", tuple(blocks))


def _without_rows(schema: Schema) -> str:
    """Say what is not told where a study keeps no rows."""
    if schema.molecules is not None:
        return (
            "The study keeps no rows, so no molecule is drawn, and matched pairs, activity cliffs "
            "and what moves the property are not told."
        )
    return "The study keeps no rows, so classes and missing cells are not counted here."


def _truth(study: Study) -> list[Block]:
    """Count the classes, or say mean and spread of the target."""
    task = study.about.task
    parts = {"training rows": study.train, "test rows": study.comparison.data}
    known = {name: part for name, part in parts.items() if part is not None}
    if not known:
        return []
    if task.kind == "regression":
        told = (
            f"{np.mean(part.y):.4g} in {name} (standard deviation {np.std(part.y):.3g})"
            for name, part in known.items()
        )
        unit = f" ({task.unit})" if task.unit else ""
        return [Paragraph(f"The mean of “{task.target}”{unit} is {joined(told)}.")]
    counts = [np.bincount(part.y, minlength=task.n_scores) for part in known.values()]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, *(_counted(int(column[code]), int(column.sum())) for column in counts))
        for code, name in enumerate(task.class_names)
    )
    columns = (task.target, *(started(name) for name in known))
    return [Table("Classes", columns, (RowGroup("", rows),))]


def _counted(n: int, total: int) -> Figure:
    return Figure(n, form="count", note=f"{n / total:.0%}" if total else "")


def _given(schema: Schema) -> str:
    """Say what the teacher is given."""
    if schema.molecules is not None:
        return "the molecules"
    return count(len(schema), "column")


def _told_by(schema: Schema) -> str:
    if schema.molecules is None:
        return count(len(schema), "column")
    return (
        f"A molecule is told by {len(ReadableFeatures(schema).features)} readable features, on "
        f"which students work, and by its fragments, of {len(schema)} kinds, by which reasons are "
        "told"
    )


def _columns(study: Study) -> Table:
    if study.about.schema.molecules is not None:
        return _readable(study.about.schema)
    features = study.about.schema.features
    parts = [part.X for part in (study.train, study.comparison.data) if part is not None]
    missing = sum(np.isnan(X).sum(axis=0) for X in parts) if parts else None
    rows = []
    for place, feature in enumerate(features[:MOST_COLUMNS]):
        row: tuple[Cell, ...] = (feature.name, feature.kind, _holds(feature))
        if missing is not None:
            row += (Figure(int(missing[place]), form="count"),)
        rows.append(row)
    caption = "Columns"
    if len(features) > MOST_COLUMNS:
        caption += f": the first {MOST_COLUMNS} of {len(features)}; study.json lists all"
    columns = ["Column", "Kind", "Unit or levels"]
    if missing is not None:
        columns.append("Missing cells")
    return Table(caption, tuple(columns), (RowGroup("", tuple(rows)),))


def _readable(schema: Schema) -> Table:
    """List what students of molecules work on."""
    features = ReadableFeatures(schema).features
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (feature.name, feature.unit or "") for feature in features[:MOST_COLUMNS]
    )
    caption = f"Readable features: the first {len(rows)} of {len(features)}; the rest are counts"
    return Table(caption, ("Feature", "Unit"), (RowGroup("", rows),))


def _holds(feature: Feature) -> str:
    if feature.kind == "category":
        return joined(told_apart(feature.levels), most=MOST_LEVELS)
    return feature.unit or ("no, yes" if feature.kind == "boolean" else "")


# -- teacher ---------------------------------------------------------------------------------------


def teacher_section(study: Study) -> Section:
    """Say what the teacher is and how close it comes to the truth."""
    about = study.about
    blocks: list[Block] = [
        Paragraph(f"The teacher is {about.teacher or 'a black box'}. {_right(study)}")
    ]
    rows = []
    for metric in study.comparison.metrics:
        if metric.model == "teacher" and metric.metric.startswith("performance."):
            of = called(metric.metric, about.task)
            figure = Figure.of(metric.estimate, of.form)
            rows.append((of.labelled, figure, f"{metric.n:,}" if metric.n else ""))
    caption = "Performance of the teacher (↑ higher is better, ↓ lower is better)"
    blocks.append(
        Table(caption, ("Figure", "Value, 95% interval", "Rows"), (RowGroup("", tuple(rows)),))
    )
    if study.comparison.teacher is None:
        blocks.append(
            Paragraph(
                "The study does not keep the teacher itself, but its scores and attributions of "
                "the test rows; figures can be read again, not computed for new rows."
            )
        )
    return Section("teacher", "The teacher", tuple(blocks))


def _right(study: Study) -> str:
    """Say the teacher's performance in plain words."""
    n = study.about.n_test
    accuracy = study.comparison.get("teacher", "performance.accuracy")
    if accuracy is not None:
        told = (
            f"Of 100 test rows it is right on {hundreds(accuracy.value)} "
            f"({interval_words(Figure.of(accuracy.estimate), of_hundred=True)}; {count(n, 'row')})."
        )
        truth, train = study.comparison.data, study.train
        if truth is not None and train is not None:
            usual = int(np.bincount(train.y).argmax())
            share = float(np.mean(truth.y == usual))
            told += (
                f" Answering always “{study.about.task.class_names[usual]}”, the most frequent "
                f"class of the training rows, would be right on {hundreds(share)}."
            )
        return told
    explained = study.comparison.get("teacher", "performance.r2")
    error = study.comparison.get("teacher", "performance.mae")
    if explained is None or error is None:
        return ""
    r2, mae = Figure.of(explained.estimate, "share"), Figure.of(error.estimate)
    unit = f" {study.about.task.unit}" if study.about.task.unit else ""
    return (
        f"On {count(n, 'test row')} its values are off the truth by {mae.words}{unit} on average "
        f"({interval_words(mae)}); R² is {r2.words} ({interval_words(r2)}), where 1 is perfect and "
        "0 is what answering always the mean would get."
    )
