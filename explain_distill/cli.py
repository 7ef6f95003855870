"""The command line: ``explain-distill …``.

Heavy packages are imported inside the commands, so that ``--help`` answers at once. A user's
mistake exits with status 2 and one or two lines; an interrupt exits with 130.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explain_distill.exceptions import DataError, ExplainDistillError, UnknownNameError

if TYPE_CHECKING:
    from explain_distill.data.dataset import Dataset
    from explain_distill.study.study import Study

app = typer.Typer(
    name="explain-distill",
    help="Distil a black box into students that a person can read, and measure how far each "
    "speaks for it.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130
DEFAULT_PORT = 8501
FORMATS = ("html", "md", "json")
SPLITS = ("random", "scaffold")

DataArgument = Annotated[
    str, typer.Argument(metavar="DATA", help="A name of the catalogue, or a CSV or Parquet file.")
]
StudyArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")]
OutOption = Annotated[Path, typer.Option(help="The folder to write the study into.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an earlier study.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the split, the teacher and all draws.")]


@app.command()
def demo(
    out: OutOption = Path("demo"),
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    force: ForceOption = False,
) -> None:
    """Do the main job on a table that ships with scikit-learn."""
    run(data="breast-cancer", out=out, seed=seed, quiet=quiet, force=force)


@app.command()
def run(
    data: DataArgument,
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="The column to predict, for a file.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="A column, such as the patient, whose rows must stay together."
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="A column of numbers or dates: the latest rows are tested on."
        ),
    ] = None,
    smiles: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="The column of molecules, where it is not found; none: there is none.",
        ),
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="How test rows are chosen: random, or of molecules by scaffold."),
    ] = "random",
    environments: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Of molecules: let students also count the N environments of atoms (Morgan, ECFP) "
            "that part the molecules best.",
        ),
    ] = 0,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="graph|fingerprint",
            help="Of molecules: a network over graphs, or one over fingerprints, which trains in "
            "seconds.",
        ),
    ] = None,
    students: Annotated[
        str,
        typer.Option(
            help="Which students, parted by commas: soft-tree, decision-tree, boosted-trees, mlp, "
            "additive."
        ),
    ] = "soft-tree,boosted-trees,mlp",
    transfer: Annotated[
        str,
        typer.Option(
            help="Where students learn: coalitions, conditional-coalitions, munge, training-rows, "
            "or several in equal shares, joined by +. Of molecules: coalitions, training-rows."
        ),
    ] = "coalitions",
    temperature: Annotated[
        float, typer.Option(help="At which the teacher's probabilities are softened.")
    ] = 1.0,
    sizes: Annotated[
        str,
        typer.Option(
            metavar="N,N…",
            help="Make each student at each of these sizes, two or more from 2 to 4096 (of a soft "
            "tree powers of two), and read the smallest that does as well as every larger one.",
        ),
    ] = "",
    max_features: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="The most features that a question of the soft tree weighs."
        ),
    ] = None,
    budget: Annotated[
        str,
        typer.Option(
            metavar="RULES",
            help="Limits, such as row_milliseconds<=0.2,bytes<=100000,leaves<=16: read the student "
            "within them that is closest to the teacher.",
        ),
    ] = "",
    stability: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            help="Distil the students again on resampled rows for so long, though three times at "
            "least and 24 at most, and say how much they change.",
        ),
    ] = None,
    price_per_cpu_hour: Annotated[
        float | None,
        typer.Option(
            metavar="MONEY",
            help="What an hour of one CPU costs: say what a million predictions cost. --budget can "
            "then limit money_per_million.",
        ),
    ] = None,
    alpha: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="The deferral rule: the largest share of the rows that a student keeps in which "
            "it may disagree with the teacher.",
        ),
    ] = 0.05,
    delta: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="The deferral rule: how likely it may be that --alpha does not hold.",
        ),
    ] = 0.05,
    seed: SeedOption = 0,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="A quarter of the students' training and a twentieth of the draws for reasons and "
            "bounds, which are wider then: for a first look.",
        ),
    ] = False,
    retrain_teacher: Annotated[
        bool,
        typer.Option(
            "--retrain-teacher",
            help="Train the teacher again with another seed, and say how far its reasons agree "
            "with the first's: a ceiling for students. It takes as long as the teacher, and half "
            "as long as its reasons.",
        ),
    ] = False,
    quiet: QuietOption = False,
    no_data: Annotated[
        bool, typer.Option("--no-data", help="Leave the rows out of the folder.")
    ] = False,
    force: ForceOption = False,
    out: OutOption = Path("study"),
) -> None:
    """Train a teacher on a table, distil it into students, and judge them."""
    from explain_distill._console import notes_on_stderr, progress_for, side_by_side
    from explain_distill.report.front import front_words
    from explain_distill.report.judgement import ceiling_words
    from explain_distill.report.trust import trust_words
    from explain_distill.report.wording import price_words
    from explain_distill.study.output import check_output
    from explain_distill.study.run import run as run_study

    check_output(out, force)
    with notes_on_stderr():
        study = run_study(
            _split_by(split, _load(data, target, group, smiles, time)),
            students=_names(students),
            transfer=transfer,
            temperature=temperature,
            sizes=_sizes(sizes),
            max_features=max_features,
            budget=budget,
            stability=stability,
            seed=seed,
            quick=quick,
            retrain_teacher=retrain_teacher,
            teacher=teacher,
            environments=environments,
            price=price_per_cpu_hour,
            alpha=alpha,
            delta=delta,
            command=shlex.join(["explain-distill", *sys.argv[1:]]),
            progress=progress_for(quiet),
        )
    study.save(out, force=force, with_data=not no_data, formats=("html",))
    if not quiet:
        print(side_by_side(study.comparison))
        if study.about.price is not None:
            print(
                f"Money per million: of predictions in batches, {price_words(study.about.price)}."
            )
        if study.comparison.caution is not None:
            print(f"Caution: {study.comparison.caution}")
        if study.front is not None:
            print("\n".join(front_words(study.front, study.budget)))
        if study.budget is not None:
            print("\n".join(study.budget.words()))
        print("\n".join(trust_words(study)))
        print(f"Reasons: {study.comparison.reasons.describe()}.")
        print("".join(f"{sentence}\n" for sentence in ceiling_words(study.comparison)), end="")
        print(f"Report: {out / 'report.html'}")
        print(f"App: explain-distill app {shlex.quote(str(out))}")
    if study.budget is not None and study.budget.student is None:
        raise DataError(
            f"A budget must leave a student; however, none of {', '.join(study.students)} is "
            f"within {', '.join(study.budget.limits)}. The study is kept in {out}; allow more, or "
            "ask for smaller students with --sizes."
        )


@app.command()
def report(
    study: StudyArgument,
    formats: Annotated[
        str, typer.Option("--format", help="Which forms, parted by commas: html, md, json.")
    ] = "html",
) -> None:
    """Write a study's report into its folder."""
    chosen = _names(formats)
    for suffix in chosen:
        if suffix not in FORMATS:
            raise UnknownNameError.of("The format", suffix, FORMATS)
    opened = _open(study)
    for suffix in chosen:
        print(opened.report(study / f"report.{suffix}"))


@app.command()
def verify(study: StudyArgument, quiet: QuietOption = False) -> None:
    """Compute every figure of a study but time and money again, and name each that differs.

    Exits with 1 where something differs, with 3 where some figures could not be computed again.
    """
    from explain_distill._console import progress_for
    from explain_distill.study.verify import verify as verify_study

    with progress_for(quiet).stage("verification") as advance:
        found = verify_study(study, lambda word: advance(0, 1, word))
    for line in found.differences:
        print(line)
    for line in found.not_computed:
        print(f"not computed: {line}")
    if not quiet:
        rest = f", {len(found.not_computed)} could not be" if found.not_computed else ""
        print(
            f"{found.computed} figures were computed again{rest}; "
            f"{len(found.differences)} differences."
        )
    raise typer.Exit(found.status)


@app.command()
def predict(
    study: StudyArgument,
    student: Annotated[str, typer.Option(metavar="NAME", help="Which student, or teacher.")],
    data: Annotated[Path, typer.Option(metavar="FILE", help="Rows, as CSV or Parquet.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new .csv or .parquet file.")],
) -> None:
    """Predict the rows of a file, and write them with the predictions beside them.

    Rows that hold no molecule are written without a prediction, and the reason in a further column.
    """
    from explain_distill._console import notes_on_stderr
    from explain_distill.study.predictions import check_file, predict_file

    check_file(out)
    opened = _open(study)
    with notes_on_stderr():
        n_rows = predict_file(opened, student, data, out)
    print(f"{n_rows} rows: {out}")


@app.command()
def export(
    study: StudyArgument,
    student: Annotated[str, typer.Option(metavar="NAME", help="Which student.")],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="onnx for any student; rules, json, sql, python or dot for one made of trees (but "
            "a soft tree that answers by its most probable path).",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file.")],
) -> None:
    """Write a student in a form that runs without this package."""
    from explain_distill.study.exports import export_of_study

    print(export_of_study(study, student, form, out))


@app.command(name="app")
def open_app(
    studies: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]…", help="Folders of studies.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of the page.")] = DEFAULT_PORT,
) -> None:
    """Look at studies in a browser. The page is served on 127.0.0.1 only.

    Set STREAMLIT_SERVER_ADDRESS to serve it elsewhere.
    """
    from importlib.resources import files

    from explain_distill.study.folder import check_study

    folders = [folder.resolve() for folder in studies or []]
    for folder in folders:
        check_study(folder)
    address = os.environ.get("STREAMLIT_SERVER_ADDRESS", "127.0.0.1")
    options = {
        "server.address": address,
        "server.port": str(port),
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "server.showEmailPrompt": "false",  # which would wait for an answer at a first start
        "server.fileWatcherType": "none",
        "theme.base": "light",
        "theme.primaryColor": "#0072B2",
    }
    arguments = [f"--{key}={value}" for key, value in options.items()]
    script = str(files("explain_distill.app").joinpath("app.py"))
    command = [sys.executable, "-m", "streamlit", "run", script, *arguments, "--"]
    os.execv(sys.executable, [*command, *map(str, folders)])


@app.command()
def datasets() -> None:
    """List the catalogue, and what each data set needs."""
    import pandas as pd

    from explain_distill.data.catalog import CATALOG

    table = pd.DataFrame(
        [
            {
                "name": entry.name,
                "task": entry.task,
                "rows": entry.n_rows,
                "columns": entry.n_columns,
                "needs": entry.needs,
                "title": entry.title,
            }
            for entry in CATALOG.values()
        ]
    )
    print(table.to_string(index=False, justify="left"))


def _split_by(split: str, data: Dataset) -> Dataset:
    """Group molecules that must stay on one side of the split."""
    from explain_distill.data.molecule_tables import by_scaffold

    if split not in SPLITS:
        raise UnknownNameError.of("The split", split, SPLITS)
    if split == "scaffold" and data.times is not None:
        raise DataError(
            "A split must be by scaffold or by time; however, both were asked for. Leave --split "
            "or --time out."
        )
    return by_scaffold(data) if split == "scaffold" else data


def _load(
    data: str,
    target: str | None,
    group: str | None,
    smiles: str | None = None,
    time: str | None = None,
) -> Dataset:
    """Load a data set by its name, or a file."""
    from explain_distill.data.catalog import CATALOG, load_dataset
    from explain_distill.data.readers import read_table

    looks_like_a_file = Path(data).suffix != "" or os.sep in data or Path(data).exists()
    if data not in CATALOG and looks_like_a_file:
        return read_table(data, target, group=group, time=time, smiles=smiles)
    if data in CATALOG and (target, group, smiles, time) != (None,) * 4:
        raise UnknownNameError(
            f"--target, --group, --time and --smiles are for files; however, {data!r} is a data "
            "set of the catalogue, which knows its own. Leave them out."
        )
    return load_dataset(data)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _sizes(text: str) -> list[int]:
    """Read whole numbers that are parted by commas."""
    try:
        return [int(part) for part in _names(text)]
    except ValueError:
        raise DataError(
            f"--sizes must be whole numbers, parted by commas; however, got {text!r}. "
            "Give --sizes 2,4,8,16,32, say."
        ) from None


def _open(folder: Path) -> Study:
    from explain_distill.study.study import Study

    return Study.open(folder)


def main() -> None:
    """Run the command line, and tell errors in a line or two."""
    try:
        status = app(prog_name="explain-distill", standalone_mode=False)
    except ExplainDistillError as error:
        _stop(str(error), 2)
    except typer.Abort:
        status = INTERRUPTED
    except typer.TyperException as error:
        _stop(_usage_error(error), 2)
    except OSError as error:
        _stop(f"A file could not be read or written: {error}.", 2)
    if status == INTERRUPTED:
        _stop("Interrupted; what was there before is unchanged.", INTERRUPTED)
    raise SystemExit(status if isinstance(status, int) else 0)


def _usage_error(error: typer.TyperException) -> str:
    """Say in a line what is wrong with the words of a command, and where to read on."""
    said = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    if len(sys.argv) == 1:
        return str(said)  # nothing was asked: the help itself
    command = "explain-distill" if context is None else context.command_path
    given = _given(getattr(getattr(error, "param", None), "opts", ()))
    if given is not None and "Input should" in said:
        said = f"{said.rstrip('.')}; however, got {given!r}"
    end = "" if said.endswith((".", "?")) else "."
    return f"{said}{end} See: {command} --help"


def _given(options: Sequence[str]) -> str | None:
    """Find what was given for an option, by any of its names, among the words of the command."""
    for place, word in enumerate(sys.argv):
        name, joined, value = word.partition("=")
        if name in options:
            return value if joined else "".join(sys.argv[place + 1 : place + 2])
    return None


def _stop(message: str, status: int) -> None:
    print(message, file=sys.stderr)
    raise SystemExit(status) from None


if __name__ == "__main__":
    main()
