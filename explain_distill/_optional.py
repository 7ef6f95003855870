"""Packages that not everyone needs: asked for where they are used, with the way to get them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from explain_distill.exceptions import MissingDependencyError


def require(package: str, extra: str) -> ModuleType:
    """Import a package that an extra installs.

    Parameters
    ----------
    package : str
        As it is imported: ``"onnx"``.
    extra : str
        The extra of explain-distill that installs it: ``"blackbox"``.

    Raises
    ------
    MissingDependencyError
        Where the package is not installed.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package.partition(".")[0]:
            raise  # the package is there, and lacks something of its own
        raise MissingDependencyError(
            f"The package {package!r} must be installed for this; however, it is not. "
            f"Install it with: pip install 'explain-distill[{extra}]'"
        ) from error
