"""The command line, run as a person runs it."""

import html
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import explain_distill as xd
from explain_distill.cli import main


def lines(text):
    return [line for line in text.splitlines() if line.strip()]


def test_a_run_prints_the_table_and_where_the_report_is(study):
    folder, done = study
    assert "rank correlation of reasons" in done.stdout
    for model in ("teacher", "soft-tree", "mlp"):
        assert any(line.startswith(model) for line in lines(done.stdout))
    assert f"Report: {folder / 'report.html'}" in done.stdout
    assert (folder / "report.html").is_file()


def test_a_run_outside_a_terminal_tells_its_progress_in_plain_lines(study):
    _, done = study
    stages = [line.split(":")[0] for line in lines(done.stderr)]
    assert stages == ["teacher", "soft-tree", "mlp", "comparison"]
    assert "score R²" in done.stderr
    assert "\x1b" not in done.stderr


def test_the_study_holds_the_command_that_redoes_it(study):
    folder, _ = study
    kept = json.loads((folder / "study.json").read_text())["configuration"]
    assert kept["seed"] == 0
    assert kept["quick"] is True
    assert kept["command"].endswith(f"run wine --quick --students soft-tree,mlp --out {folder}")


def test_the_report_comes_in_three_forms(study, explain_distill):
    folder, _ = study
    done = explain_distill("report", folder, "--format", "html,md,json")
    assert done.returncode == 0
    assert lines(done.stdout) == [str(folder / f"report.{s}") for s in ("html", "md", "json")]
    assert json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_predictions_are_those_of_the_student_whatever_the_order_of_columns(
    suffix, study, explain_distill, tmp_path
):
    folder, _ = study
    opened = xd.Study.open(folder)
    test = opened.comparison.data
    frame = test.frame().iloc[:, ::-1].assign(extra="kept")
    rows, out = tmp_path / f"rows.{suffix}", tmp_path / f"out.{suffix}"
    (frame.to_csv if suffix == "csv" else frame.to_parquet)(rows, index=False)
    done = explain_distill("predict", folder, "--student", "mlp", "--data", rows, "--out", out)
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
    expected = opened.students["mlp"].predict_proba(test.readable())
    found = written.filter(like="mlp probability of ").to_numpy()
    assert found == pytest.approx(expected)
    best = np.array(test.task.class_names)[expected.argmax(axis=1)]
    assert written["mlp prediction"].astype(str).tolist() == best.tolist()
    assert set(frame.columns) <= set(written.columns)


def test_the_teacher_predicts_too(study, explain_distill, tmp_path):
    folder, _ = study
    rows = tmp_path / "rows.csv"
    xd.Study.open(folder).comparison.data.frame().to_csv(rows, index=False)
    out = tmp_path / "out.csv"
    done = explain_distill("predict", folder, "--student", "teacher", "--data", rows, "--out", out)
    assert done.returncode == 0
    assert "teacher prediction" in pd.read_csv(out)


def test_the_catalogue_is_listed_with_what_each_needs(explain_distill):
    done = explain_distill("datasets")
    assert done.returncode == 0
    assert any("breast-cancer" in row and "ships with" in row for row in lines(done.stdout))
    assert any("pima-diabetes" in row and "the file" in row for row in lines(done.stdout))


def test_a_table_of_patients_goes_from_file_to_report(explain_distill, tmp_path):
    rng = np.random.default_rng(0)
    n = 120
    age = rng.normal(60, 10, n).round(1)
    table = pd.DataFrame(
        {
            "patient_id": [f"P{i:04d}" for i in range(n)],
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "sex": rng.choice(["female", "male"], n),
            "clinic": np.repeat(np.arange(30), 4),
            "died": np.where(age + rng.normal(0, 4, n) > 62, "yes", "no"),
        }
    )
    file = tmp_path / "patients.csv"
    table.to_csv(file, index=False)
    out = tmp_path / "study"
    options = ["--target", "died", "--group", "clinic", "--quick", "--students", "soft-tree"]
    done = explain_distill("run", file, *options, "--no-data", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "Note: Column 'patient_id' is set aside" in done.stderr
    assert not (out / "data").exists()
    assert "P0001" not in (out / "report.html").read_text()
    rows = tmp_path / "new.csv"
    pd.DataFrame({"sex": ["female", "other"], "age": [50, 80]}).to_csv(rows, index=False)
    to = ["--data", rows, "--out", tmp_path / "new-out.csv"]
    done = explain_distill("predict", out, "--student", "soft-tree", *to)
    assert done.returncode == 0
    assert "Note: Column 'sex' holds 'other' in 1 of 2 rows; training never saw" in done.stderr


def test_quiet_prints_nothing_and_a_risk_that_is_chosen_is_that_of_the_rule(
    explain_distill, tmp_path
):
    out = tmp_path / "study"
    options = ["--quick", "--students", "mlp", "--alpha", "0.2", "--delta", "0.1"]
    done = explain_distill("run", "wine", *options, "--quiet", "--out", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rule = xd.Study.open(out).comparison.trust["mlp"].deferrals[0]
    assert (rule.alpha, rule.delta) == (0.2, 0.1)


def test_a_teacher_is_trained_again_and_its_agreement_is_told(explain_distill, tmp_path):
    out = tmp_path / "study"
    options = ["--quick", "--students", "mlp", "--retrain-teacher"]
    done = explain_distill("run", "wine", *options, "--out", out)
    assert done.returncode == 0, done.stderr
    stages = [line.split(":")[0] for line in lines(done.stderr)]
    assert stages == ["teacher", "mlp", "teacher again", "comparison"]
    opened = xd.Study.open(out)
    assert opened.about.configuration["retrain_teacher"] is True
    assert opened.comparison.retrained.seed == 1
    value = opened.comparison.get("teacher", "attribution.retrained_rank_correlation").value
    said = (
        f"A teacher trained again gives this teacher's reasons at a rank correlation of {value:.3f}"
    )
    assert said in done.stdout
    assert said in html.unescape((out / "report.html").read_text())


def test_sizes_are_made_judged_kept_and_the_smallest_that_does_as_well_is_read(
    explain_distill, tmp_path
):
    out = tmp_path / "study"
    options = ["--quick", "--students", "soft-tree,boosted-trees", "--sizes", "2,4,8"]
    done = explain_distill("run", "breast-cancer", *options, "--out", out)
    assert done.returncode == 0, done.stderr
    opened = xd.Study.open(out)
    names = [f"{kind}-{size}" for kind in ("soft-tree", "boosted-trees") for size in (2, 4, 8)]
    assert list(opened.students) == names
    assert opened.students["soft-tree-8"].depth == 3
    assert opened.students["boosted-trees-4"].n_trees == 4
    kept = json.loads((out / "study.json").read_text())["front"]
    assert json.loads(json.dumps(opened.front.to_json())) == kept
    assert [step["student"] for ladder in kept["ladders"] for step in ladder["steps"]] == names
    assert kept["n_rows"] == 142
    chosen = [ladder.chosen.student for ladder in opened.front.ladders]
    assert opened.recommended == chosen[0]
    sentences = [line for line in lines(done.stdout) if "are to be read" in line]
    assert len(sentences) == 2
    page = (out / "report.html").read_text()
    assert "How small may a student be?" in page
    assert all(name in page for name in names)


def test_questions_weigh_no_more_features_than_they_may(explain_distill, tmp_path):
    out = tmp_path / "study"
    options = ["--quick", "--students", "soft-tree", "--max-features", "2", "--out", out]
    done = explain_distill("run", "wine", *options)
    assert done.returncode == 0, done.stderr
    tree = xd.Study.open(out).students["soft-tree"]
    assert (tree.gate_weights_ != 0).sum(axis=0).max() == 2
    assert explain_distill("report", out).returncode == 0


MISTAKES = {
    "unknown data set": (["run", "wne"], "Did you mean 'wine'"),
    "missing file": (["run", "nothing.csv"], "there is no 'nothing.csv'"),
    "no target": (["run", "{csv}"], "Name it with --target"),
    "target misspelt": (["run", "{csv}", "--target", "sie"], "Did you mean 'size'"),
    "three rows": (["run", "{csv}", "--target", "size"], "must have at least"),
    "unknown student": (["run", "wine", "--students", "mpl"], "Did you mean 'mlp'"),
    "no student": (["run", "wine", "--students", ","], "A student must be one of"),
    "unknown transfer": (["run", "wine", "--transfer", "coalition"], "Did you mean 'coalitions'"),
    "cold": (["run", "wine", "--temperature", "0"], "temperature must be from 0.1"),
    "too many features": (
        ["run", "wine", "--max-features", "99"],
        "from 1 to 13; however, got 99. There are 13 readable features",
    ),
    "features of no soft tree": (
        ["run", "wine", "--students", "mlp", "--max-features", "3"],
        "Add soft-tree, or leave max_features out",
    ),
    "sizes no numbers": (["run", "wine", "--sizes", "2,x"], "--sizes must be whole numbers"),
    "one size": (["run", "wine", "--sizes", "4,4"], "at least two whole numbers from 2 to"),
    "no size": (["run", "wine", "--sizes", "0,2"], "at least two whole numbers from 2 to"),
    "no tree's size": (["run", "wine", "--sizes", "2,6"], "a power of two from 2 to 4096"),
    "free": (["run", "wine", "--price-per-cpu-hour", "0"], "price must be above 0"),
    "money without a price": (
        ["run", "wine", "--budget", "money_per_million<=1"],
        "must come with a price; however, none was given",
    ),
    "negative seed": (["run", "wine", "--seed", "-1"], "however, got '-1'. See: explain-distill"),
    "seed in words": (["run", "wine", "--seed=few"], "however, got 'few'. See: explain-distill"),
    "target of a known table": (["run", "wine", "--target", "x"], "are for files"),
    "unknown option": (["run", "wine", "--bugdet", "1"], "No such option"),
    "unknown command": (["rnu"], "Did you mean 'run'"),
    "folder of other files": (["run", "wine", "--out", "."], "holds other files"),
    "no study": (["report", "."], "must be a folder with a study.json"),
    "no study to look at": (["app", "."], "must be a folder with a study.json"),
    "unknown format": (["report", ".", "--format", "pdf"], "must be one of html, json, md"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_two_lines_and_exits_with_2(mistake, tmp_path, monkeypatch, capsys):
    (tmp_path / "three.csv").write_text("size,weight\nsmall,1\nlarge,2\nsmall,3\n")
    arguments, message = MISTAKES[mistake]
    given = [argument.format(csv="three.csv") for argument in arguments]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["explain-distill", *given])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert_told(tmp_path, stopped.value.code, *capsys.readouterr(), message)


def test_a_mistake_is_told_likewise_in_a_process_of_its_own(explain_distill, tmp_path):
    (tmp_path / "three.csv").write_text("size,weight\nsmall,1\nlarge,2\nsmall,3\n")
    done = explain_distill("run", "three.csv", "--target", "sie", cwd=tmp_path)
    assert_told(tmp_path, done.returncode, done.stdout, done.stderr, "Did you mean 'size'")


def assert_told(folder, status, out, err, message):
    assert status == 2
    assert message in err
    assert 1 <= len(lines(err)) <= 2
    assert out == ""
    assert [path.name for path in folder.iterdir()] == ["three.csv"]


def test_a_budget_that_no_student_meets_keeps_the_study_and_exits_with_2(
    tmp_path, monkeypatch, capsys
):
    arguments = ["run", "wine", "--quick", "--students", "decision-tree", "--budget", "bytes<=1"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["explain-distill", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert "none of decision-tree is within bytes<=1. The study is kept in study;" in err
    assert "Ruled out: decision-tree (bytes " in out
    assert xd.Study.open("study").budget.student is None


def test_a_file_that_holds_predictions_already_is_refused(study, explain_distill, tmp_path):
    rows, once, twice = (tmp_path / name for name in ("rows.csv", "once.csv", "twice.csv"))
    xd.Study.open(study[0]).comparison.data.frame().to_csv(rows, index=False)
    mlp = ("--student", "mlp")
    explain_distill("predict", study[0], *mlp, "--data", rows, "--out", once)
    done = explain_distill("predict", study[0], *mlp, "--data", once, "--out", twice)
    assert done.returncode == 2
    assert "it holds 'mlp prediction'" in done.stderr
    assert not twice.exists()


def test_an_unknown_student_of_a_study_is_told(study, explain_distill, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("alcohol\n12\n")
    to = ["--data", rows, "--out", tmp_path / "out.csv"]
    done = explain_distill("predict", study[0], "--student", "soft-tre", *to)
    assert done.returncode == 2
    assert "Did you mean 'soft-tree'?" in done.stderr


def test_a_missing_column_is_told(study, explain_distill, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("alcohol\n12\n")
    out = tmp_path / "out.csv"
    done = explain_distill("predict", study[0], "--student", "mlp", "--data", rows, "--out", out)
    assert done.returncode == 2
    assert "must hold the columns that training had" in done.stderr
    assert not out.exists()


def test_a_file_that_is_there_is_not_overwritten(study, explain_distill, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    done = explain_distill("predict", study[0], "--student", "mlp", "--data", out, "--out", out)
    assert done.returncode == 2
    assert out.read_text() == "mine"


def test_a_study_that_is_there_needs_force_and_is_untouched(study, explain_distill):
    folder, _ = study
    before = (folder / "results.json").read_bytes()
    done = explain_distill("run", "wine", "--out", folder)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert (folder / "results.json").read_bytes() == before


def test_ctrl_c_in_the_middle_of_a_run_leaves_what_was_there(study, tmp_path):
    folder, _ = study
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}
    command = [sys.executable, "-m", "explain_distill.cli", "run", "wine", "--force"]
    process = subprocess.Popen(
        [*command, "--out", str(folder)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        # Where the tests run in a shell's background, interrupts are ignored and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    first = process.stderr.readline()  # the teacher is trained; a student is under way
    assert first.startswith("teacher")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what was there before is unchanged" in rest
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()} == before
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_the_same_seed_gives_the_same_figures(study, explain_distill, tmp_path):
    again = tmp_path / "again"
    done = explain_distill("run", "wine", "--quick", "--students", "soft-tree,mlp", "--out", again)
    assert done.returncode == 0

    def figures(folder):
        rows = json.loads((folder / "results.json").read_text())["metrics"]
        return [row for row in rows if not row["metric"].startswith("cost.")]

    assert figures(again) == figures(study[0])
