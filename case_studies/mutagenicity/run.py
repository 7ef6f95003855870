"""Whether a student finds the known alerts of mutagenicity, from the teacher alone.

    python case_studies/mutagenicity/run.py            # measure
    python case_studies/mutagenicity/run.py --show     # print what was measured

takes each group of `alerts` off the test molecules that have it, and asks teacher and student how
their log-odds of *mutagenic* change. A group is found where its mean effect is above zero by its
interval, which is corrected for all groups; and found groups are compared with the published ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from alerts import ALERTS, KINDS, OTHERS

import explain_distill as xd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from molecule_cases import (  # noqa: E402 - it stands beside this folder
    STUDENT,
    effects_of,
    effects_table,
    in_markdown,
    interval,
    keep,
    study_of,
    table_of,
)

from explain_distill.attribution.one_molecule import (  # noqa: E402
    fragments_of_smiles,
    with_fragments,
)
from explain_distill.data.fragments import chem  # noqa: E402
from explain_distill.data.molecules import (  # noqa: E402
    molecule_of,
    number_of,
    numbers_of,
    rows_of,
    smiles_of,
)

LEAST = 5  # molecules that have a group


def without(smiles: str, pattern: str) -> str | None:
    """Take the fragments off in which a pattern begins; None where there are none, or no others."""
    fragments = fragments_of_smiles(smiles)
    if pattern in KINDS:
        off = np.array([fragment.kind == KINDS[pattern] for fragment in fragments], dtype=bool)
    else:
        found = molecule_of(number_of(smiles)).GetSubstructMatches(chem().MolFromSmarts(pattern))
        first = {match[0] for match in found}
        off = np.array([bool(first & set(f.atoms)) for f in fragments], dtype=bool)
    if not off.any() or off.all():
        return None
    return with_fragments(smiles, fragments, ~off)


def measured() -> dict[str, Any]:
    """Take the groups off, and ask both models."""
    study = study_of(HERE, "ames", "random", descriptors=False)
    data, teacher = study.comparison.data, study.comparison.teacher
    assert data is not None
    assert teacher is not None
    student = study.students[STUDENT]

    def log_odds(model: Any, smiles: list[str]) -> np.ndarray:
        rows = rows_of(smiles)
        seen = data.readable_features.transform(rows) if isinstance(model, xd.Student) else rows
        scores = model.predict_score(seen)
        return scores[:, 1] - scores[:, 0]

    test = [smiles_of(float(number)) for number in numbers_of(data.X)]
    groups = []
    for name, pattern in (ALERTS | OTHERS).items():
        pairs = [(each, without(each, pattern)) for each in test]
        kept = [(each, left) for each, left in pairs if left is not None]
        if len(kept) < LEAST:
            groups.append({"group": name, "alert": name in ALERTS, "molecules": len(kept)})
            continue
        whole, left = ([pair[side] for pair in kept] for side in (0, 1))
        effects = {
            who: log_odds(model, whole) - log_odds(model, left)
            for who, model in (("teacher", teacher), ("student", student))
        }
        groups.append(
            {
                "group": name,
                "alert": name in ALERTS,
                "molecules": len(kept),
                **{
                    who: [round(v, 4) for v in interval(told, len(ALERTS | OTHERS))]
                    for who, told in effects.items()
                },
            }
        )
    return {"groups": groups, "effects": effects_of(study)}


def score_of(groups: list[dict[str, Any]], who: str) -> str:
    """Give precision and recall of the groups that a model finds."""
    told = [group for group in groups if who in group]
    found = [group for group in told if group[who][1] > 0]
    alerts = [group for group in told if group["alert"]]
    right = sum(group["alert"] for group in found)
    if not found:
        return f"{who}: none of {len(told)} groups found"
    return (
        f"{who}: {len(found)} of {len(told)} groups found, {right} of them alerts (precision "
        f"{right / len(found):.2f}); {right} of {len(alerts)} alerts found (recall "
        f"{right / len(alerts):.2f})"
    )


def shown(told: dict[str, Any]) -> str:
    """Write the tables of the README."""
    groups = told["groups"]
    rows = []
    for group in sorted(groups, key=lambda g: (not g["alert"], -g.get("student", [0.0])[0])):
        cells = [
            "{:+.2f} [{:+.2f}, {:+.2f}]".format(*group[who]) if who in group else "too few"
            for who in ("teacher", "student")
        ]
        kind = "alert" if group["alert"] else "none"
        rows.append([group["group"], kind, str(group["molecules"]), *cells])
    table = in_markdown(("group", "published", "molecules", "teacher", "student"), rows)
    scores = "\n".join(f"- {score_of(groups, who)}" for who in ("teacher", "student"))
    return "\n\n".join([table_of("ames", "random"), table, scores, effects_table(told["effects"])])


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    if not parser.parse_args().show:
        keep(HERE, "alerts", measured())
    print(shown(json.loads((HERE / "results" / "alerts.json").read_text())))


if __name__ == "__main__":
    main()
