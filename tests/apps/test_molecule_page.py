"""The page of one molecule, without a browser."""

import pytest

pytest.importorskip("chemprop", reason="molecules need the extra")

from streamlit.testing.v1 import AppTest
from tests_molecules import dataset

import explain_distill as xd
from explain_distill.app import molecules, words

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Studies of a small network over graphs: of values, of classes, and one without its rows."""
    root = tmp_path_factory.mktemp("molecular")
    for task in ("regression", "classification"):
        train, test = dataset(task).split(seed=0)
        teacher = xd.MolecularTeacher(members=1, width=8, n_epochs=2).fit(train)
        students = {
            "soft-tree": xd.distill(
                teacher, xd.SoftTree(depth=2, n_steps=20), train, transfer="training-rows"
            ),
            "boosted-trees": xd.distill(
                teacher, xd.BoostedTrees(n_trees=5), train, transfer="training-rows"
            ),
        }
        judged = xd.compare(teacher, students, test, quick=True)
        judged.save(root / task)
        if task == "regression":
            judged.save(root / "private", with_data=False)
    return root


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A whole study, its training molecules with it."""
    study = xd.run(dataset(), students=["boosted-trees"], quick=True, teacher="fingerprint")
    return study.save(tmp_path_factory.mktemp("whole") / "study")


def visited(folder, pasted=None, **session):
    """Run the page, after something was pasted."""

    def script(folder):
        from pathlib import Path

        from explain_distill.app import state
        from explain_distill.app.views import molecule

        molecule.show(state.choose(state.open_study(Path(folder))))

    app = AppTest.from_function(script, kwargs={"folder": str(folder)})
    for key, value in session.items():
        app.session_state[key] = value
    app.run(timeout=120)
    if pasted is not None:
        app.text_area[0].set_value(pasted).run(timeout=120)
    assert not app.exception
    return app


def said(app):
    return " ".join(each.value for each in (*app.markdown, *app.caption, *app.info, *app.warning))


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("student", ["soft-tree", "boosted-trees"])
def test_the_molecule_of_the_chosen_row_is_shown_at_first(folders, task, student):
    app = visited(folders / task, student=student)
    assert app.code[0].value == app.text_area[0].value
    assert app.subheader[0].value == "What each fragment adds"
    told = app.table[0].value
    assert list(told.columns)[:4] == [
        "fragment",
        "atoms",
        "share, teacher",
        words.plain(f"share, {student}"),
    ]
    assert "The base, the score of methane" in said(app)
    assert ("comes to its answer" in " ".join(s.value for s in app.subheader)) == (
        student == "soft-tree"
    )


def test_several_molecules_are_told_in_a_table_and_the_others_named(folders):
    app = visited(folders / "regression", f"{ASPIRIN} aspirin\nC1CC\n\nCCO>>CC=O\nCCO")
    assert list(app.dataframe[0].value["molecule"]) == [ASPIRIN, "CCO"]
    assert list(app.dataframe[0].value["line"]) == [1, 4]
    assert list(app.dataframe[0].value["name"]) == ["aspirin", ""]
    told = [each.value for each in app.warning]
    assert "Line 2 \\(C1CC\\) is left out\\: not a SMILES\\." in told
    assert "Line 3 \\(CCO\\>\\>CC=O\\) is left out\\: a reaction, not a molecule\\." in told
    look = next(box for box in app.selectbox if box.label == "Look at")
    look.select_index(1).run(timeout=120)
    assert app.code[0].value == "CCO"


def test_a_change_is_compared(folders):
    app = visited(folders / "regression", ASPIRIN)
    app.text_input[0].set_value("CC(=O)Oc1ccccc1C(=O)OC").run(timeout=120)
    models, features = app.table[1].value, app.table[2].value
    assert list(models["model"]) == ["teacher", "soft\\-tree", "boosted\\-trees"]
    changed = dict(zip(features["feature"], features["after"], strict=True))
    assert changed["molecular weight \\(g/mol\\)"] == "194\\.2"
    app.text_input[0].set_value("c1ccc").run(timeout=120)
    assert "This molecule cannot be taken: not a SMILES" in said(app).replace("\\", "")


def test_the_teachers_atoms_are_shown_where_they_are_asked_for(folders):
    app = visited(folders / "classification", ASPIRIN, atoms=True)
    assert "blanked one by one" in said(app)


def test_a_students_features_are_put_on_atoms_and_the_rest_in_a_table(folders):
    app = visited(folders / "regression", ASPIRIN, on_atoms=True)
    told = app.table[1].value
    assert list(told["feature"])[:2] == [
        "base\\: the mean of training molecules",
        "on atoms, together",
    ]
    assert told["feature"].iloc[-1] == "the score"
    assert "stand in the table" in said(app)


def test_what_is_unlike_the_training_molecules_is_said_to_be(folders):
    app = visited(folders / "regression", "C[Si](C)(C)O[Si](C)(C)O[Si](C)(C)O[Si](C)(C)C")
    assert "Outside what was trained on" in said(app)


def test_near_molecules_with_another_answer_are_shown_where_they_are_asked_for(known):
    app = visited(known, "CCCCCl", near=True)
    assert "Another answer is a value that is a standard deviation" in said(app)
    study = xd.Study.open(known)
    found = molecules.counterfactuals_of(study, "boosted-trees", "CCCCCl")
    assert found
    block = molecules.counterfactual_structures(study, "CCCCCl", found, ["teacher"])
    assert len(block.rows) == len(found)
    assert (
        block.rows[0]
        .structures[1]
        .lines[0]
        .endswith(f"similarity {found[0].molecule.similarity:.2f}")
    )


def test_a_small_table_is_taken_by_the_name_of_its_column():
    column, cells = molecules.uploaded("mine.csv", b"id;SMILES\n1;CCO\n2;c1ccc\n3;CCN\n")
    assert (column, cells) == ("SMILES", ["CCO", "c1ccc", "CCN"])
    assert molecules.uploaded("mine.csv", b"id;name\n1;ethanol\n2;water\n") == (None, [])


def test_what_is_left_without_a_fragment_is_told_where_it_is_organic(folders):
    study = xd.Study.open(folders / "regression")
    table = molecules.fragments_table(study, "CCO", ["teacher", "soft-tree"], 0)
    told = dict(zip(table["fragment"], table["without it"], strict=True))
    assert told == {"alkyl": "no organic molecule", "hydroxyl": "CC"}


def test_without_its_training_molecules_none_are_looked_for(folders):
    app = visited(folders / "regression", ASPIRIN, near=True)
    assert "The training molecules were not kept" in said(app)


def test_without_its_rows_a_study_still_takes_molecules(folders):
    app = visited(folders / "private", ASPIRIN)
    told = said(app)
    assert "values were not kept" in told
    assert "nearness cannot be told" in told
    assert app.code[0].value == ASPIRIN


def test_nothing_given_is_nothing_shown(folders):
    app = visited(folders / "regression", "")
    assert not app.subheader


def test_shares_of_a_molecule_add_up_and_do_not_depend_on_how_it_is_written(folders):
    study = xd.Study.open(folders / "regression")
    written = molecules.taken([ASPIRIN, "OC(=O)c1ccccc1OC(C)=O", "O(C(=O)C)c1c(C(O)=O)cccc1"])
    assert len({each.smiles for each in written}) == 1
    (smiles,) = {each.smiles for each in written}
    for name in ("teacher", "soft-tree"):
        told = molecules.shares(study, name, smiles)
        model = molecules.models_of(study, [name])[name]
        score = molecules.scored(study, model, [smiles])[0]
        assert told.base + told.shares.sum(axis=0) == pytest.approx(score, abs=1e-4)
