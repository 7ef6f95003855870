import numpy as np
import pandas as pd
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES, dataset

import explain_distill as xd
from explain_distill.data.chemical_features import names_and_units
from explain_distill.data.dataset import Task
from explain_distill.data.features import Schema
from explain_distill.data.fragments import KINDS
from explain_distill.data.molecule_tables import by_scaffold, molecules, smiles_column
from explain_distill.data.molecules import (
    Standardiser,
    number_of,
    numbers_of,
    present_kinds,
    rows_of,
    scaffold_of,
    smiles_of,
)
from explain_distill.data.readers import SetAsideWarning
from explain_distill.exceptions import DataError, UnknownNameError

VALUE = Task("regression", "value")
REFUSED = {
    "": "empty",
    "  ": "empty",
    "not a molecule": "not a SMILES",
    "CC(C)(C)(C)C": "valence",
    "CCO>>CC=O": "reaction",
    "*CC": "open end",
    "N": "no carbon",
    "[Na+].[Cl-]": "no carbon",
    "C" * 301: "301 atoms",
}


def test_a_molecule_has_the_same_number_in_every_process():
    assert number_of("CCO") == 1919750371723605.0
    assert smiles_of(number_of("CCO")) == "CCO"
    assert number_of("C") == 0.0


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_molecule_is_refused_with_a_reason(text):
    with pytest.raises(ValueError, match=REFUSED[text]):
        Standardiser()(text)


def test_molecules_are_brought_into_one_form_and_changes_are_counted():
    standard = Standardiser()
    told = [standard(text) for text in ("CC(=O)[O-].[Na+]", "OC(C)=O", "C[NH3+].[Cl-]", "[13CH4]")]
    assert told == ["CC(=O)O", "CC(=O)O", "CN", "[13CH4]"]
    assert standard.changed["salts, solvents or other parts taken off"] == 2
    assert standard.changed["charges neutralised"] == 2
    assert standard("[CH3]") == "[CH3]"  # a radical stays one
    assert standard("CC[Mg]Br")


def test_a_row_of_two_molecules_is_one_that_is_made_of_both():
    rows = rows_of(["CCO", "Clc1ccccc1"])
    mixed = np.where(np.array(KINDS) == "chlorine", rows[1], rows[0])
    made = [smiles_of(number) for number in numbers_of(np.stack([rows[0], mixed, rows[1]]))]
    assert made[0] == "CCO"
    assert "Cl" in made[1]
    assert "O" in made[1]
    assert made[2] == "Clc1ccccc1"
    taken = np.where(np.array(KINDS) == "hydroxyl", 0.0, rows[0])
    assert smiles_of(numbers_of(taken[None])[0]) == "CC"
    assert numbers_of(np.zeros((1, len(KINDS))))[0] == 0.0


def test_a_row_of_three_molecules_is_refused():
    rows = rows_of(["CCO", "CCN", "CCS"])
    mixed = rows[0].copy()
    mixed[:3], mixed[3:6] = rows[1, :3], rows[2, :3]
    with pytest.raises(DataError, match="may mix the fragments of two"):
        numbers_of(mixed[None])


def test_kinds_that_a_molecule_has():
    found = present_kinds(rows_of(["CCO"]))[0]
    assert {KINDS[place] for place in np.flatnonzero(found)} == {"alkyl", "hydroxyl"}


def test_readable_features_have_names_units_and_known_values():
    data = molecules("one", ["Oc1ccccc1", *SMILES[2:5]], np.arange(4.0), VALUE)
    told = dict(zip(data.readable_features.names, data.readable()[0], strict=True))
    assert told["molecular weight"] == pytest.approx(94.11, abs=0.01)
    assert told["polar surface area"] == pytest.approx(20.23, abs=0.01)
    assert told["fragments of phenol hydroxyl"] == 1
    assert told["hydrogen-bond donors"] == 1
    units = dict(names_and_units())
    assert units["polar surface area"] == "Å²"
    assert len(units) == len(data.readable_features.names)


def test_the_same_molecule_twice_is_merged_and_a_contradiction_set_aside():
    smiles = ["CCO", "OCC", "CCN", "NCC", "CCC", "CCCC", "CCCCC", "bad("]
    data = molecules("few", smiles, np.array([1.0, 1.01, 0.0, 3.0, 2.0, 4.0, 5.0, 6.0]), VALUE)
    assert [smiles_of(n) for n in numbers_of(data.X)] == ["CCO", "CCC", "CCCC", "CCCCC"]
    assert data.y[0] == pytest.approx(1.005)
    said = " ".join(data.notes)
    assert "row 8 (bad(: not a SMILES)" in said
    assert "1 row was merged with another" in said
    assert "2 rows of 1 molecules whose 'value' contradicts itself, such as CCN" in said


def test_no_scaffold_stands_on_both_sides_of_a_split():
    train, test = by_scaffold(dataset()).split(seed=0)
    sides = [
        {scaffold_of(smiles_of(n)) for n in numbers_of(part.X)} - {""} for part in (train, test)
    ]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]
    with pytest.raises(DataError, match="must be of molecules"):
        by_scaffold(xd.load_dataset("wine"))


def table():
    return pd.DataFrame(
        {
            "name": [f"compound {n}" for n in range(len(SMILES))],
            "structure": SMILES,
            "weight": np.arange(len(SMILES)) / 7,
            "value": np.linspace(0, 3, len(SMILES)),
        }
    )


def test_a_column_of_molecules_is_found_and_all_others_are_set_aside(tmp_path):
    path = tmp_path / "made.csv"
    table().to_csv(path, index=False)
    with pytest.warns(SetAsideWarning, match="read from column 'structure'; set aside: 'name'"):
        data = xd.read_table(path, target="value")
    assert data.schema.molecules == "structure"
    assert len(data) == len(SMILES)
    back = data.schema.encode(data.frame())
    assert np.array_equal(back, data.X)
    assert Schema.from_json(data.schema.to_json()) == data.schema


def test_the_wrong_column_is_told_with_the_right_one(tmp_path):
    assert smiles_column(table().drop(columns="structure"), "value") is None
    with pytest.raises(DataError, match="Did you mean column 'structure'"):
        smiles_column(table(), "value", "name")
    with pytest.raises(UnknownNameError, match="Did you mean 'structure'"):
        smiles_column(table(), "value", "struktur")
    path = tmp_path / "made.csv"
    table().to_csv(path, index=False)
    with pytest.raises(DataError, match="--split scaffold"):
        xd.read_table(path, target="value", group="name")


def test_rows_to_predict_name_the_row_that_holds_no_molecule():
    data = dataset()
    cells = pd.DataFrame({"smiles": ["CCO", "C1CC"]})
    with pytest.raises(DataError, match="row 2 holds 'C1CC'"):
        data.schema.encode(cells)


SAME = {
    "CS(C)=O": "C[S+](C)[O-]",
    "CC(=O)O": "CC(=O)O[Na]",
    "CC[N+](=O)[O-]": "CCN(=O)=O",
}


@pytest.mark.parametrize("smiles", SAME)
def test_two_ways_to_write_a_molecule_are_one(smiles):
    standard = Standardiser()
    try:
        told = standard(SAME[smiles])
    except ValueError as why:
        assert "valence" in str(why)  # noqa: PT017 - hypervalent nitrogen is refused
        return
    assert told == standard(smiles)


def test_charges_that_belong_together_are_never_parted():
    kinds = np.array(KINDS)
    for smiles in ("[O-][n+]1ccccc1C", "C[N+](C)(C)[O-]", "C[N+](=O)[O-]"):
        row = rows_of([smiles])[0]
        for kind in KINDS:
            made = smiles_of(numbers_of(np.where(kinds == kind, 0.0, row)[None])[0])
            assert made.count("+]") + made.count("+)") == made.count("-]")


def test_codes_of_countries_are_no_molecules():
    cells = pd.DataFrame({"country": ["CNP", "POS", "BIO", "CON"] * 10, "y": np.arange(40.0)})
    assert smiles_column(cells, "y") is None
    assert smiles_column(table(), "value", "none") is None


def test_a_number_that_was_never_given_is_told():
    with pytest.raises(DataError, match="must be known by its SMILES"):
        smiles_of(12345.0)
