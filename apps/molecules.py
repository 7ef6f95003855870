"""Molecules that a reader gives: what they are, what models say of them, what they are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explain_distill._random import generator
from explain_distill._types import FloatArray, Rows
from explain_distill.app import words
from explain_distill.attribution.feature_atoms import FeaturesOnAtoms, features_on_atoms
from explain_distill.attribution.one_molecule import (
    PlayerShares,
    atom_shares_of,
    fragment_shares,
    fragments_of_smiles,
    with_fragments,
)
from explain_distill.attribution.own import score_rows
from explain_distill.audit.counterfactuals import Counterfactual, counterfactuals
from explain_distill.audit.molecule_domain import Domain, Neighbour
from explain_distill.audit.near_molecules import Candidates
from explain_distill.data.files import read_cells
from explain_distill.data.fragments import CARBON, Fragment, chem
from explain_distill.data.molecule_tables import smiles_column
from explain_distill.data.molecules import (
    Standardiser,
    molecule_of,
    number_of,
    numbers_of,
    rows_of,
    smiles_of,
)
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.report.blocks import (
    ColouredMolecule,
    Molecules,
    Structure,
    StructureRow,
    Structures,
)
from explain_distill.students.base import Student
from explain_distill.study.study import Study
from explain_distill.teachers.base import Teacher
from explain_distill.teachers.molecules import MolecularTeacher

MOST = 1000  # molecules at once
BACKGROUND = 100  # training molecules against which a student's features are told
SHOWN_REST = 8
MOST_TAKEN_OFF = 12  # fragments of a molecule that are taken off one by one
KEPT = 200  # molecules whose shares are kept


@dataclass(frozen=True)
class Given:
    """A molecule as it was given and as it is taken; ``why`` says why it cannot be."""

    line: int
    text: str
    name: str = ""
    smiles: str = ""
    why: str = ""

    @property
    def called(self) -> str:
        """Its line and its name, or its SMILES where it has none."""
        return f"{self.line}: {self.name or self.smiles}"


def taken(texts: Sequence[str]) -> list[Given]:
    """Standardise molecules as those of the study were.

    A text is a SMILES and, behind a blank, its name; lines are counted from 1.
    """
    standard = Standardiser()
    found = []
    for line, text in enumerate(texts, start=1):
        written, name = [*text.split(maxsplit=1), "", ""][:2]
        given = Given(line, written, name.strip())
        try:
            found.append(replace(given, smiles=standard(written)))
        except ValueError as why:
            found.append(replace(given, why=str(why)))
    return found


def uploaded(name: str, content: bytes) -> tuple[str | None, list[str]]:
    """Read the column of molecules of a file, as any table is read; None where there is none.

    Raises
    ------
    DataError
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(content)
        table = read_cells(path)
    column = smiles_column(table, "") or next(
        (str(each) for each in table.columns if "smiles" in str(each).lower()), None
    )
    if column is None:
        return None, []
    return column, ["" if pd.isna(cell) else str(cell) for cell in table[column]]


def test_smiles(study: Study, row: int) -> str:
    """Give the molecule of one test row as canonical SMILES."""
    data = study.comparison.data
    assert data is not None
    return smiles_of(float(numbers_of(data.X[[row]])[0]))


def models_of(study: Study, names: Sequence[str]) -> dict[str, Teacher | Student]:
    """Give the teacher, where the study holds it, and some students."""
    teacher = study.comparison.teacher
    told: dict[str, Teacher | Student] = {} if teacher is None else {"teacher": teacher}
    return told | {name: study.students[name] for name in names if name != "teacher"}


def scored(study: Study, model: Teacher | Student, smiles: Sequence[str]) -> FloatArray:
    """Give a model's scores of molecules ``(n, n_scores)``."""
    return score_rows(model, rows_of(smiles), readable(study))


def readable(study: Study) -> ReadableFeatures:
    """Give what turns rows into what students see."""
    return ReadableFeatures(study.about.schema)


def _which(study: Study) -> tuple[int, str]:
    return id(study), study.about.created


@st.cache_resource(show_spinner="Comparing with the training molecules", hash_funcs={Study: _which})
def domain(study: Study) -> Domain | None:
    """Give what is known of the training molecules; None where they were not kept."""
    rows = _trained_on(study)
    return None if rows is None else Domain([smiles_of(float(n)) for n in numbers_of(rows)])


def _trained_on(study: Study) -> Rows | None:
    if study.train is not None:
        return study.train.X
    return None if study.comparison.data is None else study.comparison.data.background


@st.cache_resource(
    show_spinner="Taking fragments off", max_entries=KEPT, hash_funcs={Study: _which}
)
def shares(study: Study, name: str, smiles: str) -> PlayerShares:
    """Give what each fragment adds to a model's score."""
    model = models_of(study, [name])[name]
    features = readable(study)
    return fragment_shares(
        lambda rows: score_rows(model, rows, features), smiles, generator(0, "molecule")
    )


def atom_gradients(study: Study, smiles: str, score: int) -> tuple[float, ...]:
    """Give integrated gradients of the teacher's score, by atom."""
    teacher = study.comparison.teacher
    assert isinstance(teacher, MolecularTeacher)
    return tuple(teacher.atom_gradients(smiles)[:, score].tolist())


@st.cache_resource(show_spinner="Blanking atoms", max_entries=KEPT, hash_funcs={Study: _which})
def atom_shares(study: Study, smiles: str) -> PlayerShares | None:
    """Give what each atom adds to the teacher's score; None where it is no network over graphs."""
    teacher = study.comparison.teacher
    if not isinstance(teacher, MolecularTeacher):
        return None
    return atom_shares_of(
        lambda stays: teacher.masked_scores(smiles, stays), smiles, generator(0, "atoms")
    )


@st.cache_resource(show_spinner="Preparing the training molecules", hash_funcs={Study: _which})
def candidates(study: Study) -> Candidates | None:
    """Give what can be near a molecule; None where the training molecules were not kept."""
    return None if study.train is None else Candidates.of(study.train)


@st.cache_resource(
    show_spinner="Looking for near molecules", max_entries=KEPT, hash_funcs={Study: _which}
)
def counterfactuals_of(
    study: Study, student: str, smiles: str
) -> tuple[Counterfactual, ...] | None:
    """Give the nearest molecules of which the teacher, or else the student, says otherwise."""
    among, models = candidates(study), models_of(study, [student])
    if among is None:
        return None
    name = next(iter(models))
    return counterfactuals(models[name], smiles, among, name=name, others=models)


def counterfactual_structures(
    study: Study, smiles: str, found: Sequence[Counterfactual], names: Sequence[str]
) -> Structures:
    """Put a molecule beside those of which something else is said."""
    task, models = study.about.task, models_of(study, names)
    own = [
        f"{name}: {words.answer(task, scored(study, model, [smiles])[0])}"
        for name, model in models.items()
    ]
    rows = []
    for each in found:
        near = each.molecule
        lines = [f"{near.made}; similarity {near.similarity:.2f}"]
        if near.measured is not None:
            lines.append(f"measured: {words.truth(task, near.measured)}")
        lines += [f"{k}: {words.answer(task, np.array(v))}" for k, v in each.scores.items()]
        both = (Structure(smiles, tuple(own)), Structure(near.smiles, tuple(lines)))
        rows.append(StructureRow("", both))
    return Structures("A molecule, and near ones of which something else is said", tuple(rows))


@st.cache_resource(
    show_spinner="Asking for each feature", max_entries=KEPT, hash_funcs={Study: _which}
)
def on_atoms(study: Study, student: str, smiles: str) -> FeaturesOnAtoms | None:
    """Put a student's features on atoms; None where no molecules to compare with were kept."""
    rows = _trained_on(study)
    if rows is None:
        return None
    rng = generator(0, "features")
    features = readable(study)
    chosen = rng.permutation(len(rows))[:BACKGROUND]
    return features_on_atoms(
        study.students[student], smiles, features.transform(rows[chosen]), features, rng
    )


def remainder_table(found: FeaturesOnAtoms, score: int) -> pd.DataFrame:
    """Give the largest shares that are on no atom, the others in one line, and base and atoms."""
    rest = sorted(found.rest, key=lambda each: -abs(float(each.share[score])))
    base, atoms = float(found.base[score]), float(found.atoms[:, score].sum())
    lines = [("base: the mean of training molecules", words.signed(base))]
    lines.append(("on atoms, together", words.signed(atoms)))
    for each in rest[:SHOWN_REST]:
        error = words.significant(2 * float(each.error[score]), 2)
        lines.append((each.name, f"{words.signed(float(each.share[score]))} ± {error}"))
    others = [float(each.share[score]) for each in rest[SHOWN_REST:]]
    if others:
        lines.append((f"{len(others)} others", words.signed(sum(others))))
    whole = base + atoms + sum(float(each.share[score]) for each in rest)
    lines.append(("the score", words.signed(whole)))
    return pd.DataFrame(lines, columns=["feature", "share"])


def coloured(
    smiles: str, title: str, told: PlayerShares, score: int, like: str = ""
) -> ColouredMolecule:
    """Spread each fragment's share evenly over its atoms."""
    atoms = np.zeros(molecule_of(number_of(smiles)).GetNumAtoms())
    for fragment, share in zip(fragments_of_smiles(smiles), told.shares[:, score], strict=True):
        atoms[list(fragment.atoms)] = share / len(fragment.atoms)
    return ColouredMolecule(smiles, title, tuple(atoms.tolist()), like)


def block(caption: str, *rows: Sequence[ColouredMolecule]) -> Molecules:
    """Put molecules side by side on one scale."""
    return Molecules(caption, tuple(tuple(row) for row in rows))


def fragments_table(study: Study, smiles: str, names: Sequence[str], score: int) -> pd.DataFrame:
    """Give each fragment, what it adds to each model's score, and the answers without it."""
    models, fragments = models_of(study, names), fragments_of_smiles(smiles)
    told = {name: shares(study, name, smiles) for name in models}
    lines: list[dict[str, str]] = []
    for place, fragment in enumerate(fragments):
        line = {"fragment": fragment.kind, "atoms": _written(smiles, fragment)}
        line |= {f"share, {name}": _share(found, place, score) for name, found in told.items()}
        if len(fragments) <= MOST_TAKEN_OFF:
            line |= _without(study, smiles, place, models)
        lines.append(line)
    return pd.DataFrame(lines)


def _without(
    study: Study, smiles: str, place: int, models: dict[str, Teacher | Student]
) -> dict[str, str]:
    """Say what is left without a fragment, and what models answer to that."""
    fragments = fragments_of_smiles(smiles)
    stays = np.ones(len(fragments), dtype=bool)
    stays[place] = False
    left = with_fragments(smiles, fragments, stays)
    if not any(atom.GetAtomicNum() == CARBON for atom in molecule_of(number_of(left)).GetAtoms()):
        return {"without it": "no organic molecule"} | {f"{name} then": "" for name in models}
    answers = {
        f"{name} then": words.answer(study.about.task, scored(study, model, [left])[0])
        for name, model in models.items()
    }
    return {"without it": left} | answers


def _share(found: PlayerShares, place: int, score: int) -> str:
    value = words.signed(float(found.shares[place, score]))
    if found.errors is None:
        return value
    return f"{value} ± {words.significant(2 * float(found.errors[place, score]), 2)}"


def _written(smiles: str, fragment: Fragment) -> str:
    return str(chem().MolFragmentToSmiles(molecule_of(number_of(smiles)), fragment.atoms))


def answers_table(
    study: Study, given: Sequence[Given], names: Sequence[str], like: Domain | None
) -> pd.DataFrame:
    """Give what models answer to molecules, and whether these are like the training molecules."""
    told = [each for each in given if each.smiles]
    smiles = [each.smiles for each in told]
    table: dict[str, Any] = {"line": [each.line for each in told]}
    if any(each.name for each in told):
        table["name"] = [each.name for each in told]
    table["molecule"] = smiles
    if like is not None:
        table["in domain"] = ["no" if like.doubts(each) else "yes" for each in smiles]
    for name, model in models_of(study, names).items():
        scores = scored(study, model, smiles)
        table[name] = [words.answer(study.about.task, row) for row in scores]
    return pd.DataFrame(table)


def change_table(
    study: Study, names: Sequence[str], before: str, after: str, score: int
) -> pd.DataFrame:
    """Give what each model says of two molecules, and how its score changes."""
    lines = []
    for name, model in models_of(study, names).items():
        first, second = scored(study, model, [before, after])
        change = words.signed(float(second[score] - first[score]))
        answers = [words.answer(study.about.task, told) for told in (first, second)]
        lines.append({"model": name, "before": answers[0], "after": answers[1], "change": change})
    return pd.DataFrame(lines)


def features_table(study: Study, before: str, after: str) -> pd.DataFrame:
    """Give the readable features in which two molecules differ."""
    features = readable(study)
    first, second = features.transform(rows_of([before, after]))
    return pd.DataFrame(
        [
            {
                "feature": f"{feature.name} ({feature.unit})" if feature.unit else feature.name,
                "before": words.significant(float(one), 4),
                "after": words.significant(float(other), 4),
            }
            for feature, one, other in zip(features.features, first, second, strict=True)
            if one != other
        ]
    )


def neighbour_caption(study: Study, neighbour: Neighbour) -> str:
    """Say how alike a training molecule is, and what was measured of it where that was kept."""
    alike = f"similarity {neighbour.similarity:.2f}"
    if study.train is None:
        return alike
    measured = float(study.train.y[neighbour.place])
    return f"{alike}; measured: {words.truth(study.about.task, measured)}"


def plain_molecule(smiles: str) -> ColouredMolecule:
    """Give a molecule without colours."""
    return ColouredMolecule(smiles, "", (0.0,) * molecule_of(number_of(smiles)).GetNumAtoms())
