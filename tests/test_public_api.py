import os
import subprocess
import sys

import pytest

import explain_distill as xd

NAMES = [
    "ActiveQueries",
    "AttributionMatching",
    "Additive",
    "BoostedTrees",
    "CachedTeacher",
    "Coalitions",
    "Comparison",
    "ConditionalCoalitions",
    "Dataset",
    "DecisionTree",
    "EnsembleTeacher",
    "ExplainDistillError",
    "FingerprintTeacher",
    "GradientMatching",
    "Hints",
    "ImageTeacher",
    "MLP",
    "Mixture",
    "MolecularTeacher",
    "Munge",
    "NeuralTeacher",
    "Shifts",
    "SoftTree",
    "SpreadWeights",
    "Student",
    "Study",
    "Teacher",
    "TrainingRows",
    "TransferSet",
    "WrappedTeacher",
    "by_scaffold",
    "compare",
    "distill",
    "draw_gates",
    "environments_of",
    "export",
    "load_dataset",
    "load_images",
    "read_table",
    "redistill",
    "run",
]


def test_the_public_names_are_these():
    assert sorted(xd.__all__) == sorted(NAMES)
    assert set(NAMES) <= set(dir(xd))


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(xd, name).__doc__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Tree'"):
        _ = xd.Tree


def test_the_help_of_the_command_line_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['explain-distill', '--help']\n"
        "from explain_distill.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'shap', 'streamlit', 'xgboost', 'sklearn', 'pandas', 'numpy'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "HEAVY []" in printed.stdout


@pytest.mark.parametrize(("before", "after"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_sleep_while_they_wait_unless_told_otherwise(before, after):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if before is not None:
        environment["OMP_WAIT_POLICY"] = before
    code = "import os, explain_distill; print(os.environ['OMP_WAIT_POLICY'])"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert printed.stdout.strip() == after
