"""Every benchmark shows what was measured, and leaves it as it is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(r"`python (benchmarks/\w+\.py)`", (ROOT / "benchmarks/README.md").read_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_measured_is_shown_and_kept(command):
    results = {path: path.read_bytes() for path in (ROOT / "benchmarks/results").iterdir()}
    done = subprocess.run(
        [sys.executable, command, "--show"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(done.stdout) > 200
    assert results == {path: path.read_bytes() for path in results}
