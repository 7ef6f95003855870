"""The errors that explain-distill raises.

::

    ExplainDistillError
    ├── DataError (ValueError)                 the table or a row of it breaks a rule
    ├── UnknownNameError (ValueError)          a name that is not among the known ones
    ├── StudyFormatError (ValueError)          a study's folder is incomplete or altered
    ├── OutputError (OSError)                  the output cannot be written, or is there already
    └── MissingDependencyError (ImportError)   an optional package is not installed

Every message says which input is meant, the rule, what was received, and the remedy. The command
line prints it in one or two lines and exits with status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ExplainDistillError(Exception):
    """Base of all errors that a user's input can cause."""


class DataError(ExplainDistillError, ValueError):
    """The table, or a row of it, breaks a rule."""


class UnknownNameError(ExplainDistillError, ValueError):
    """A name that is not among the known ones."""

    @classmethod
    def of(cls, what: str, received: object, known: Iterable[str]) -> UnknownNameError:
        """Build the error for `received`, with the closest known name as a suggestion."""
        names = sorted(known)
        close = difflib.get_close_matches(str(received), names, n=1, cutoff=0.5)
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        remedy = f" Did you mean {close[0]!r}?" if close else ""
        return cls(f"{what} must be one of {shown}; however, got {received!r}.{remedy}")


class StudyFormatError(ExplainDistillError, ValueError):
    """A study's folder is incomplete, altered, or of a format this version cannot read."""


class OutputError(ExplainDistillError, OSError):
    """The output cannot be written, or something is there already."""


class MissingDependencyError(ExplainDistillError, ImportError):
    """An optional package is not installed."""
