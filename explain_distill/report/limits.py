"""What the figures do not say, and how they came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explain_distill.audit.reasons import ENOUGH
from explain_distill.report.blocks import (
    Block,
    Cell,
    Code,
    Facts,
    Figure,
    Listing,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from explain_distill.report.wording import count

if TYPE_CHECKING:
    from explain_distill.study.study import Study

FEW_ROWS = 200


def limits_section(study: Study) -> Section:
    """Say what this study does not show."""
    return Section(
        "limits",
        "Limits",
        (
            Paragraph("What this report does not show, and what to keep in mind in reading it."),
            Listing((*_always(study.about.schema.molecules is not None), *_here(study))),
            Paragraph("References:"),
            Listing(
                (
                    "Slack, Hilgard, Jia, Singh & Lakkaraju (2020), Fooling LIME and SHAP: "
                    "adversarial attacks on post hoc explanation methods.",
                    "Chen, Janizek, Lundberg & Lee (2020), True to the model or true to the data?",
                )
            ),
        ),
    )


def _always(of_molecules: bool) -> list[str]:
    """Say the limits that every study has."""
    mixed = "mixed rows, some of which no person or thing could have"
    if of_molecules:
        mixed = "molecules made of fragments, some of which nobody could make"
    return [
        "True to the model, not to the world: a student that speaks for its teacher repeats the "
        "teacher's errors too. Nothing here says that a column causes anything.",
        f"Coalitions are {mixed}: they leave the "
        "data's manifold. A teacher that behaves differently there on purpose would be followed "
        "there as well, and must be looked for by other means (Slack et al. 2020).",
        "Reasons are interventional Shapley values of the score, one definition among several; "
        "where columns depend on one another, others share the score out differently "
        "(Chen et al. 2020).",
        "Reasons are compared on one common method and the same draws. The attributions that each "
        "model's own method gives are for looking at: their sizes depend on the method, so they "
        "are not compared between models.",
        "Intervals tell of the draw of test rows alone: not of training again, of another split, "
        "or of other places and times. Each figure has an interval of its own; they are not "
        "corrected for there being many.",
        "Test rows come from the same table as the training rows. Other rows were not looked at.",
    ]


def _here(study: Study) -> list[str]:
    """Say the limits that this study has."""
    about, reasons = study.about, study.comparison.reasons
    found = []
    if about.n_test < FEW_ROWS:
        found.append(
            f"There are few test rows ({about.n_test:,}), so intervals are wide, and an agreement "
            "of all rows does not say that none would differ."
        )
    if about.configuration.get("grouped") and about.schema.molecules is not None:
        found.append(
            "Molecules of one scaffold stand on the same side of the split, so the figures are of "
            "scaffolds that no model learned. Intervals resample whole scaffolds of test molecules."
        )
    elif about.configuration.get("grouped"):
        found.append(
            "Rows come in groups, none of which stands on both sides of the split. Intervals "
            "resample whole groups of test rows, so they are wider than as many single rows would "
            "give."
        )
    if about.configuration.get("by_time"):
        found.append(
            "Test rows are the latest ones. The figures tell how models that learned from earlier "
            "rows do on later ones, of this one stretch of time."
        )
    if study.front is not None:
        found.append(
            "Sizes were chosen on training rows from which no student learned, but the teacher "
            "did. Where a teacher knows its training rows by heart, its answers to new ones may be "
            "harder to follow; the figures of test rows say whether they are."
        )
    if about.configuration.get("quick"):
        found.append(
            "This was a quick run, with a quarter of the training: for a first look, not for a "
            "decision. A full run often gives higher fidelity."
        )
    if reasons.ceiling < ENOUGH:
        found.append(
            f"The draws did not suffice for the teacher to agree with itself at {ENOUGH:.2f}: it "
            f"does at {reasons.ceiling:.2f}. The method's noise hides part of the agreement of "
            "reasons."
        )
    if len(reasons.rows) < about.n_test:
        found.append(
            f"Reasons were told of {len(reasons.rows):,} of the {about.n_test:,} test rows."
        )
    if not about.teacher_kept:
        found.append(
            "The teacher is not kept with the study, so its figures cannot be computed again."
        )
    return found


# -- provenance ------------------------------------------------------------------------------------


def _hashed(study: Study) -> str:
    """Say of what the fingerprint is: a study made in Python may know the test rows alone."""
    data = study.comparison.data
    return "data" if data is None or data.sha256 != study.about.sha256 else "test rows"


def provenance_section(study: Study) -> Section:
    """Say all that is needed to do it again."""
    about, asked = study.about, study.about.configuration
    facts = [
        ("Made", about.created.replace("T", " ").replace("+00:00", " UTC")),
        ("Data", f"{about.name}, {count(about.n_rows, 'row')}"),
        (f"SHA-256 of the {_hashed(study)}", about.sha256),
    ]
    for key, name in (("seed", "Seed"), ("cores", "Processor cores")):
        if asked.get(key) is not None:
            facts.append((name, str(asked[key])))
    facts += [(f"Version of {package}", number) for package, number in about.versions.items()]
    blocks: list[Block] = [Facts(tuple(facts)), _students_made(study)]
    blocks += _redone(study)
    return Section("provenance", "Provenance", tuple(blocks))


def _students_made(study: Study) -> Table:
    """Say how each student came to be."""
    rows: list[tuple[Cell, ...]] = []
    for name in study.students:
        made = study.about.distillations.get(name)
        if made is None:
            rows.append((name, "not recorded", "", "", "", ""))
            continue
        rows.append(
            (
                name,
                str(made["transfer"]),
                Figure(made["n_rows"], form="count"),
                f"{made['temperature']:g}",
                f"{made['hard_weight']:g}",
                str(made["seed"]),
            )
        )
    columns = ("Student", "Transfer set", "Rows seen", "Temperature", "Hard weight", "Seed")
    return Table("How each student was made", columns, (RowGroup("", tuple(rows)),))


def _redone(study: Study) -> list[Block]:
    """Say what redoes the study, where that is known."""
    asked = study.about.configuration
    if asked.get("command"):
        told = asked["command"]
    elif "students" in asked:
        keys = (
            *("students", "transfer", "temperature", "sizes", "max_features", "budget"),
            *("stability", "seed", "quick", "retrain_teacher", "price"),
        )
        options = "".join(
            f"    {key}={asked[key]!r},\n"
            for key in keys
            if asked.get(key) is not None and asked[key] not in ([], "")
        )
        told = (
            "import explain_distill as xd\n\n"
            f"# data: the data set “{study.about.name}” with the SHA-256 above\n"
            f"study = xd.run(\n    data,\n{options})"
        )
    else:
        return [Paragraph("Python code made this study; the command that redoes it is not known.")]
    return [
        Paragraph(
            "To do it again (the same versions on a machine of the same kind give the same "
            "figures, times aside; another machine may differ in the last digits, and distils "
            "again as often as it has the time for):"
        ),
        Code(told),
    ]
