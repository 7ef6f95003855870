"""The case studies of molecules say what was measured."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "case_studies"
STUDIES = ("solubility", "blood_brain_barrier", "bace_inhibition", "mutagenicity")


@pytest.mark.parametrize("name", STUDIES)
def test_the_tables_of_a_readme_are_what_was_measured(name):
    command = [sys.executable, str(FOLDER / name / "run.py"), "--show"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    told = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    blocks = shown.strip().split("\n\n")
    assert any(block.startswith("|") for block in blocks)
    for block in blocks:
        assert block in told
