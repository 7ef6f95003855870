import sys

import pytest

from explain_distill._optional import require
from explain_distill.exceptions import MissingDependencyError


def test_a_package_that_is_there_is_given():
    assert require("json", "blackbox").loads("1") == 1


def test_a_missing_package_is_named_with_its_install_command():
    with pytest.raises(MissingDependencyError) as told:
        require("no_such_package", "blackbox")
    assert str(told.value) == (
        "The package 'no_such_package' must be installed for this; however, it is not. "
        "Install it with: pip install 'explain-distill[blackbox]'"
    )


def test_what_a_package_that_is_there_lacks_is_not_blamed_on_it(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_package") as told:
        require("half_installed", "blackbox")
    assert not isinstance(told.value, MissingDependencyError)
    sys.modules.pop("half_installed", None)
