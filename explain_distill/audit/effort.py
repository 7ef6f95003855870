"""How much is drawn to judge models: in full, or for a first look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much is drawn; with less, intervals and bounds are wider.

    Parameters
    ----------
    evaluations : int
        Rows that each model scores for a set of draws: of reasons, and of the certificate.
    shown_background : int
        Background rows of each model's own attributions, shared out over the scores.
    members : int
        Members of the teacher whose reasons are told.
    faithful_rows, sensitive_rows : int
        Rows for faithfulness, and for sensitivity.
    one_row_calls, batch_calls : int
        Calls that are timed.
    """

    evaluations: int
    shown_background: int
    members: int
    faithful_rows: int
    sensitive_rows: int
    one_row_calls: int
    batch_calls: int


FULL = Effort(
    evaluations=2_000_000,
    shown_background=50,
    members=3,
    faithful_rows=50,
    sensitive_rows=16,
    one_row_calls=200,
    batch_calls=5,
)
MOLECULES = Effort(
    evaluations=600_000,
    shown_background=50,
    members=3,
    faithful_rows=25,
    sensitive_rows=0,
    one_row_calls=50,
    batch_calls=1,
)
"""Of molecules, each of which is made, described and scored in some milliseconds."""

QUICK_MOLECULES = Effort(
    evaluations=120_000,
    shown_background=10,
    members=1,
    faithful_rows=10,
    sensitive_rows=0,
    one_row_calls=20,
    batch_calls=1,
)
QUICK = Effort(
    evaluations=100_000,
    shown_background=10,
    members=1,
    faithful_rows=15,
    sensitive_rows=8,
    one_row_calls=100,
    batch_calls=3,
)
