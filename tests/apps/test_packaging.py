"""What is installed: every folder of the package, and the app under its name."""

import tomllib
from pathlib import Path

import explain_distill

ROOT = Path(explain_distill.__file__).parents[1]


def test_every_package_is_listed_with_the_app_among_them():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    setuptools = config["tool"]["setuptools"]
    assert setuptools["package-dir"] == {"explain_distill.app": "apps"}
    found = {
        ".".join((name, *file.parent.relative_to(ROOT / folder).parts))
        for folder, name in (
            ("explain_distill", "explain_distill"),
            ("apps", "explain_distill.app"),
        )
        for file in (ROOT / folder).rglob("*.py")
    }
    assert set(setuptools["packages"]) == found
