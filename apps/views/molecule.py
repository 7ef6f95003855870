"""Molecule: any molecule, as teacher and student see it; what near ones are, what a change does."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import streamlit as st

from explain_distill.app import molecule_words, molecules, tables, words
from explain_distill.app.molecules import Given
from explain_distill.app.state import Choice
from explain_distill.attribution.one_molecule import PlayerShares
from explain_distill.audit.molecule_domain import Domain
from explain_distill.exceptions import ExplainDistillError
from explain_distill.report.molecule_drawing import molecule_svg, molecules_plot
from explain_distill.report.structure_drawing import structures_plot
from explain_distill.students.nodes import ReadableTree, path_words
from explain_distill.students.soft_tree import SoftTree

PASTED, DRAWN, TABLE = "SMILES", "A drawing", "A table"
SCALED = 530  # of one molecule with its scale, in pixels
WIDTH = 420  # of a drawn molecule, in pixels
NEIGHBOURS = 4
TABLE_TYPES = ("csv", "parquet")


def show(choice: Choice) -> None:
    """Show the page."""
    st.title("Molecule")
    study = choice.study
    if choice.raw is None:
        st.info(words.NOT_KEPT)
    if study.comparison.teacher is None:
        st.info(molecule_words.NO_TEACHER)
    given = molecules.taken(_texts(choice))
    for each in given:
        if each.why:
            text = each.text[:60] or "empty"
            st.warning(words.plain(f"Line {each.line} ({text}) is left out: {each.why}."))
    told = [each for each in given if each.smiles]
    if not told:
        return
    like = molecules.domain(study)
    smiles = _chosen(choice, told, like)
    doubts = () if like is None else like.doubts(smiles)
    if doubts:
        st.warning(words.plain(f"Outside what was trained on: {'; '.join(doubts)}."))
    _seen(choice, smiles)
    _near(choice, smiles, like)
    _way(choice, smiles)
    _otherwise(choice, smiles)
    _changed(choice, smiles)


def _names(choice: Choice) -> list[str]:
    return ["teacher", choice.student]


def _texts(choice: Choice) -> list[str]:
    """Let the reader give molecules: pasted, drawn, or in a table."""
    ways = [PASTED, *([DRAWN] if find_spec("streamlit_ketcher") else []), TABLE]
    way = st.segmented_control(
        "Give molecules as", ways, default=PASTED, required=True, key="given", bind="query-params"
    )
    first = "" if choice.raw is None else molecules.test_smiles(choice.study, choice.row)
    if way == TABLE:
        return _uploaded()
    if way == DRAWN:
        return _drawn(first)
    pasted = st.text_area(
        "SMILES, one a line",
        first,
        height=100,
        key=f"smiles of {first}",
        help="A name may stand behind each, after a space. The molecule of the test row that is "
        "chosen at the left stands here at first.",
    )
    return _some([line for line in pasted.splitlines() if line.strip()])


def _drawn(first: str) -> list[str]:
    from streamlit_ketcher import st_ketcher

    st.caption("Change the drawing, and press Apply.")
    text = str(st_ketcher(first, height=480) or "")
    return [text] if text else []


def _uploaded() -> list[str]:
    file = st.file_uploader("A table with a column of SMILES", TABLE_TYPES)
    if file is None:
        return []
    try:
        column, cells = molecules.uploaded(file.name, file.getvalue())
    except ExplainDistillError as error:
        st.warning(words.plain(str(error)))
        return []
    if column is None:
        st.warning("This table has no column that holds molecules as SMILES.")
        return []
    st.caption(words.plain(f"Molecules are taken from column {column!r}."))
    return _some(cells)


def _some(texts: list[str]) -> list[str]:
    """Take as many molecules as a page can show."""
    if len(texts) > molecules.MOST:
        st.info(
            f"The first {molecules.MOST} of {len(texts)} molecules are shown; `explain-distill "
            "predict` takes any number."
        )
    return texts[: molecules.MOST]


def _chosen(choice: Choice, told: Sequence[Given], like: Domain | None) -> str:
    """Show what models say of several molecules, and let the reader choose one."""
    if len(told) == 1:
        return told[0].smiles
    names = list(dict.fromkeys([*_names(choice), *choice.models]))
    table = molecules.answers_table(choice.study, told, names, like)
    st.dataframe(table, hide_index=True, width="stretch")
    lines = {each.called: each.smiles for each in told}
    return lines[st.selectbox("Look at", list(lines))]


def _seen(choice: Choice, smiles: str) -> None:
    """Draw a molecule as teacher and student see it, and tell its fragments."""
    study, task = choice.study, choice.task
    models = molecules.models_of(study, _names(choice))
    st.subheader("What each fragment adds")
    st.code(smiles, language=None)
    titles = {
        name: f"{name}: {words.answer(task, molecules.scored(study, model, [smiles])[0])}"
        for name, model in models.items()
    }
    told = {name: molecules.shares(study, name, smiles) for name in models}
    drawn = [molecules.coloured(smiles, titles[name], told[name], choice.score) for name in models]
    caption = "The molecule, its atoms coloured by the share of their fragment"
    st.image(molecules_plot(molecules.block(caption, drawn)), width=max(len(drawn) * WIDTH, SCALED))
    if molecules.fragments_of_smiles(smiles):
        table = molecules.fragments_table(study, smiles, _names(choice), choice.score)
        st.table(tables.guarded(table), hide_index=True)
    sums = [_sum(name, found, choice.score) for name, found in told.items()]
    st.caption(f"The base, the score of methane, and the shares: {'; '.join(sums)}.")
    st.caption(f"{words.score_note(task)} {molecule_words.FRAGMENTS_NOTE}")
    _atoms(choice, smiles)
    _features(choice, smiles)


def _sum(name: str, found: PlayerShares, score: int) -> str:
    base, shares = float(found.base[score]), float(found.shares[:, score].sum())
    told = [words.significant(base), words.significant(base + shares)]
    return f"{words.plain(name)} {told[0]} {'and' if shares >= 0 else 'less'} " + (
        f"{words.significant(abs(shares))} make {told[1]}"
    )


def _atoms(choice: Choice, smiles: str) -> None:
    """Draw what each atom adds to the teacher's score, if that is asked."""
    if not st.toggle("The teacher's atoms, one by one", key="atoms", bind="query-params"):
        return
    found = molecules.atom_shares(choice.study, smiles)
    if found is None:
        st.info("This teacher is no network over graphs, or was not kept.")
        return
    ways = {
        "teacher, Shapley values of its atoms": tuple(found.shares[:, choice.score].tolist()),
        "teacher, integrated gradients": molecules.atom_gradients(
            choice.study, smiles, choice.score
        ),
    }
    atoms = [molecules.ColouredMolecule(smiles, way, told) for way, told in ways.items()]
    caption = "The molecule, its atoms coloured by what each adds to the teacher's score"
    st.image(molecules_plot(molecules.block(caption, atoms)), width=len(atoms) * WIDTH)
    st.caption(molecule_words.ATOMS_NOTE)


def _features(choice: Choice, smiles: str) -> None:
    """Draw what the student's own features are on, and tell those that are on no atom."""
    name = words.plain(choice.student)
    if not st.toggle(f"The features of {name} on atoms", key="on_atoms", bind="query-params"):
        return
    found = molecules.on_atoms(choice.study, choice.student, smiles)
    if found is None:
        st.info(molecule_words.NO_TRAINING)
        return
    shares = tuple(found.atoms[:, choice.score].tolist())
    drawn = molecules.ColouredMolecule(smiles, f"{choice.student}, its features", shares)
    left, right = st.columns(2, gap="medium")
    with left:
        caption = "The molecule, its atoms coloured by the student's features that they make"
        st.image(molecules_plot(molecules.block(caption, [drawn])), width=SCALED)
    with right:
        st.table(tables.guarded(molecules.remainder_table(found, choice.score)), hide_index=True)
    st.caption(molecule_words.ON_ATOMS_NOTE)


def _near(choice: Choice, smiles: str, like: Domain | None) -> None:
    """Show the nearest training molecules, and warn outside the domain."""
    st.subheader("Is it like the training molecules?")
    if like is None:
        st.info(molecule_words.NO_TRAINING)
        return
    if like.doubts(smiles):
        st.markdown("No: it is outside of what was trained on, as said above.")
    else:
        st.markdown("Yes, by similarity, molecular weight, logP and polar surface area.")
    nearest = like.nearest(smiles, NEIGHBOURS)
    for column, neighbour in zip(st.columns(NEIGHBOURS), nearest, strict=False):
        with column:
            drawn = molecules.plain_molecule(like.smiles[neighbour.place])
            st.image(molecule_svg(drawn, 1.0), width="stretch")
            st.caption(words.plain(molecules.neighbour_caption(choice.study, neighbour)))
    st.caption(molecule_words.DOMAIN_NOTE)


def _way(choice: Choice, smiles: str) -> None:
    """Say how the student comes to its answer, where it asks questions."""
    model = choice.study.students[choice.student]
    if not isinstance(model, ReadableTree):
        return
    st.subheader(f"How {words.plain(choice.student)} comes to its answer")
    row = molecules.readable(choice.study).transform(molecules.rows_of([smiles]))
    for number, line in enumerate(path_words(model, row), start=1):
        st.markdown(f"{number}. {words.plain(line)}")
    if isinstance(model, SoftTree):
        answer = words.answer(choice.task, model.predict_score(row)[0])
        st.markdown(molecule_words.other_leaves(answer))


def _otherwise(choice: Choice, smiles: str) -> None:
    """Show the nearest molecules of which something else is said, if that is asked."""
    st.subheader("What would change the answer?")
    if not st.toggle("Nearest molecules with another answer", key="near", bind="query-params"):
        return
    found = molecules.counterfactuals_of(choice.study, choice.student, smiles)
    if found is None:
        st.info(molecule_words.NO_TRAINING)
        return
    if not found:
        st.info("None was found among the training molecules and those that were made.")
        return
    block = molecules.counterfactual_structures(choice.study, smiles, found, _names(choice))
    st.image(structures_plot(block), width="stretch")
    st.caption(molecule_words.near_note(choice.task))


def _changed(choice: Choice, smiles: str) -> None:
    """Let the reader change the molecule, and compare."""
    st.subheader("Change it")
    text = st.text_input(
        "The molecule as you would change it, as SMILES", smiles, key=f"change of {smiles}"
    )
    (given,) = molecules.taken([text])
    if given.why:
        st.warning(words.plain(f"This molecule cannot be taken: {given.why}."))
        return
    after = given.smiles
    if after == smiles:
        return
    study, names = choice.study, list(dict.fromkeys([*_names(choice), *choice.models]))
    models = molecules.models_of(study, _names(choice))
    drawn = [
        [
            molecules.coloured(
                each, f"{name}, {when}", molecules.shares(study, name, each), choice.score, smiles
            )
            for name in models
        ]
        for each, when in ((smiles, "before"), (after, "after"))
    ]
    caption = "The molecule before and after, on one scale"
    st.image(molecules_plot(molecules.block(caption, *drawn)), width=len(models) * WIDTH)
    change = molecules.change_table(study, names, smiles, after, choice.score)
    st.table(tables.guarded(change), hide_index=True)
    st.caption("What students are told of it that differs:")
    differ = molecules.features_table(study, smiles, after)
    st.table(tables.guarded(differ), hide_index=True)
