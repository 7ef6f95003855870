"""What a student may claim: its certificate, when it defers, and where it does not speak."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from explain_distill._arrays import is_number
from explain_distill._random import generator, integer_seed
from explain_distill._types import BoolArray, Json, Rows, Scores
from explain_distill.attribution.own import score_rows
from explain_distill.audit.certificate import Certificate, certificates
from explain_distill.audit.deferral import (
    ALPHA,
    DELTA,
    Deferral,
    deferral,
    reliabilities,
)
from explain_distill.audit.halves import calibration_half, disagreements, tolerance
from explain_distill.audit.regions import Region, regions_of_disagreement
from explain_distill.audit.stability import Stability, stability_of
from explain_distill.data.dataset import Dataset
from explain_distill.metrics.intervals import proportion
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher


@dataclass(frozen=True)
class Trust:
    """What is known of one student beyond its figures.

    Parameters
    ----------
    certificate : Certificate or None
        None where held-out rows were too few.
    deferrals : tuple of Deferral
        One for each way to tell how reliable the student is; the first is the one that is stated.
        It was chosen beforehand, so that the others are there for comparison.
    regions : tuple of Region
        Where it disagrees with its teacher more often than elsewhere.
    tolerance : float or None
        How far values may be apart and still agree; None of classes.
    most_disagreement : float or None
        The upper end of the share of disagreements among the rows that confirm regions.
    stability : Stability or None
        How much it changes where it is distilled again; None where it was not.
    """

    certificate: Certificate | None
    deferrals: tuple[Deferral, ...]
    regions: tuple[Region, ...]
    tolerance: float | None = None
    most_disagreement: float | None = None
    stability: Stability | None = None

    def to_json(self) -> Json:
        """Give all of it as a JSON object."""
        return {
            "certificate": None if self.certificate is None else self.certificate.to_json(),
            "deferrals": [each.to_json() for each in self.deferrals],
            "regions": [each.to_json() for each in self.regions],
            "tolerance": self.tolerance,
            "most_disagreement": self.most_disagreement,
            "stability": None if self.stability is None else self.stability.to_json(),
        }

    @classmethod
    def from_json(cls, told: Json) -> Trust:
        """Read what `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is of another form.
        """
        certificate = told["certificate"]
        further = (told["tolerance"], told["most_disagreement"])
        if not all(value is None or is_number(value) for value in further):
            raise ValueError("trust is not of the form")
        stability = told.get("stability")  # not in older studies
        return cls(
            None if certificate is None else Certificate.from_json(certificate),
            tuple(map(Deferral.from_json, told["deferrals"])),
            tuple(map(Region.from_json, told["regions"])),
            *further,
            None if stability is None else Stability.from_json(stability),
        )


def trust_in(
    teacher: Teacher,
    students: Mapping[str, Student],
    data: Dataset,
    background: Rows,
    scores: Mapping[str, Scores],
    seed: int,
    *,
    alpha: float = ALPHA,
    delta: float = DELTA,
    n_draws: int | None = None,
    repeats: Mapping[str, Sequence[Student]] | None = None,
    on_stage: Callable[[str], None] | None = None,
) -> dict[str, Trust]:
    """Find out what each student may claim, on rows that nothing has seen.

    All rows bound the gap of reasons, for which nothing is chosen. One half of them chooses
    thresholds and regions, the other judges them.

    Parameters
    ----------
    teacher : Teacher
    students : mapping of str to Student
    data : Dataset
        Held-out rows.
    background : ndarray of shape (n_background, n_columns)
        Training rows.
    scores : mapping of str to ndarray of shape (n, n_scores)
        Of ``"teacher"`` and each student, on the held-out rows.
    seed : int
    alpha, delta : float, default=0.05
        A student that defers may disagree in at most a share `alpha` of the rows that it keeps,
        with a probability of at least ``1 - delta``.
    n_draws : int, optional
        Fresh coalitions a row for the certificate.
    repeats : mapping of str to sequence of Student, optional
        The same students distilled again.
    on_stage : callable, optional
        Told what is under way.
    """
    classify = data.task.kind == "classification"
    certified = certificates(teacher, students, data, data.baseline, seed, n_draws=n_draws)
    calibration = calibration_half(data, seed)
    features = data.readable_features
    known, rows = features.transform(background), data.readable()
    taught = teacher.predict_score(background)
    most = tolerance(taught)
    found = {}
    for name, student in students.items():
        rng = generator(seed, "trust", name)
        told = score_rows(student, background, features)
        differs = disagreements(scores["teacher"], scores[name], most, classify=classify)
        before = disagreements(taught, told, most, classify=classify)
        ways = reliabilities(known, before, told, integer_seed(rng), classify=classify)
        deferrals = tuple(
            deferral(
                way,
                reliable(known, told),
                reliable(rows, scores[name]),
                differs,
                calibration,
                data.groups,
                alpha=alpha,
                delta=delta,
            )
            for way, reliable in ways.items()
        )
        judged = ~calibration
        among = None if data.groups is None else data.groups[judged]
        found[name] = Trust(
            certified.get(name),
            deferrals,
            _regions(data, differs, calibration, rng, len(students)),
            None if classify else most,
            proportion(differs[judged], among).high if judged.any() else None,
        )
    for name, others in (repeats or {}).items():
        if on_stage is not None:
            on_stage(f"stability of {name}")
        rng, models = generator(seed, "stability", name), (students[name], others)
        stability = stability_of(
            teacher.predict_score, *models, data, background, scores["teacher"], rng
        )
        found[name] = replace(found[name], stability=stability)
    return found


def _regions(
    data: Dataset,
    differs: BoolArray,
    calibration: BoolArray,
    rng: np.random.Generator,
    n_students: int,
) -> tuple[Region, ...]:
    features = data.readable_features.features
    return regions_of_disagreement(
        data.readable(),
        differs,
        calibration,
        features,
        data.groups,
        integer_seed(rng),
        n_students,
    )
