"""A study, the app that the command line serves, and a Chromium that looks at it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
SECONDS = 60
NOT_OURS = "Failed to load resource: the server responded with a status of 404"
"""Streamlit's page asks for its server under the page's own address first."""


@pytest.fixture(scope="session")
def studies(tmp_path_factory, wine_study, mixed, mixed_teacher, mixed_students):
    """Folders of two studies and of one that was altered afterwards."""
    import explain_distill as xd

    root = tmp_path_factory.mktemp("studies")
    wine_study.save(root / "wine")
    xd.compare(mixed_teacher, mixed_students, mixed[1]).save(root / "private", with_data=False)
    shutil.copytree(root / "wine", root / "altered")
    (root / "altered" / "scores.parquet").write_bytes(b"no table")
    return root


@pytest.fixture(scope="session")
def results(studies):
    """The figures of the first study as its folder holds them."""
    rows = json.loads((studies / "wine" / "results.json").read_text(encoding="utf-8"))["metrics"]
    return {(row["model"], row["metric"]): row for row in rows}


@pytest.fixture(scope="session")
def served(studies):
    """The address of the app with all studies open."""
    with Server(*sorted(studies.iterdir(), reverse=True)) as address:
        yield address


@pytest.fixture(scope="session")
def served_molecules(tmp_path_factory):
    """The address of the app with a study of molecules open."""
    pytest.importorskip("chemprop", reason="molecules need the extra")
    from tests_molecules import dataset

    import explain_distill as xd

    folder = tmp_path_factory.mktemp("molecules") / "made"
    xd.run(dataset(), students=("soft-tree", "boosted-trees"), quick=True).save(folder)
    with Server(folder) as address:
        yield address


@pytest.fixture(scope="session")
def served_empty():
    """The address of the app without a study."""
    with Server() as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, request):
    """A page, 1280 px wide unless a test asks for more; what goes wrong in it fails the test."""
    wrong = []
    width = getattr(request, "param", 1280)
    page = chromium.new_page(viewport={"width": width, "height": 1000})
    page.set_default_timeout(1000 * SECONDS)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None,
    )
    yield page
    page.close()
    assert [text for text in wrong if NOT_OURS not in text] == []


class Server:
    """The app as a process of its own, on a free port of 127.0.0.1."""

    def __init__(self, *folders):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.command = [
            *(sys.executable, "-c", "from explain_distill.cli import main; main()", "app"),
            *map(str, folders),
            *("--port", str(self.port)),
        ]

    def __enter__(self):
        environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"}
        self.process = subprocess.Popen(
            self.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self.address

    def wait(self):
        for _ in range(10 * SECONDS):
            assert self.process.poll() is None, "the app ended by itself"
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).close()
            except (urllib.error.URLError, OSError):
                try:
                    self.process.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
            else:
                return
        raise AssertionError("the app does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
