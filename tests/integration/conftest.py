import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def explain_distill():
    """Run the command line as a person does, in a process of its own."""

    def run(*arguments, cwd=None, **environment):
        return subprocess.run(
            [sys.executable, "-m", "explain_distill.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=os.environ | environment,
        )

    return run


@pytest.fixture(scope="session")
def study(explain_distill, tmp_path_factory):
    """A study made by the command line, and what it printed."""
    folder = tmp_path_factory.mktemp("cli") / "wine"
    done = explain_distill("run", "wine", "--quick", "--students", "soft-tree,mlp", "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder, done
