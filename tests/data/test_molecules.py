import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES, dataset

import explain_distill as xd
from explain_distill.data.chemical_features import features_of, names_and_units
from explain_distill.data.dataset import Task
from explain_distill.data.features import Schema
from explain_distill.data.fragments import KINDS
from explain_distill.data.molecule_tables import by_scaffold, molecules, smiles_column
from explain_distill.data.molecules import (
    Standardiser,
    forgetting,
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
    "NC(Cc1ccccc1)C(=O)" * 45 + "O": "496 atoms, and 300 is the most",  # a peptide
    "c1cc[cH-]c1.c1cc[cH-]c1.[Fe+2]": "its largest part, cannot stand without its charge",
    "N[Pt](N)(Cl)Cl": "no carbon",
    "CCO>[Pt]>CC=O": "reaction",
    "[N]=O": "no carbon",
}


def test_a_molecule_has_the_same_number_in_every_process():
    assert number_of("CCO") == 1919750371723605.0
    assert smiles_of(number_of("CCO")) == "CCO"
    assert number_of("C") == 0.0


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_molecule_is_refused_with_a_reason(text):
    with pytest.raises(ValueError, match=REFUSED[text]):
        Standardiser()(text)


@pytest.mark.parametrize("text", ["C is for cat", "CCO |$x$|", "CCO\tethanol", "CCO |bad|"])
def test_text_after_a_smiles_is_refused(text):
    with pytest.raises(ValueError, match=r"^text after the SMILES$"):
        Standardiser()(text)
    data = molecules("few", [" CCO ", "CCN\n", text], np.arange(3.0), VALUE)
    assert [smiles_of(n) for n in numbers_of(data.X)] == ["CCO", "CCN"]
    assert data.notes[0].endswith(f"row 3 ({' '.join(text.split())}: text after the SMILES).")


def test_words_of_which_the_first_is_no_smiles_are_none():
    with pytest.raises(ValueError, match=r"^not a SMILES$"):
        Standardiser()("John Smith")


def test_molecules_are_brought_into_one_form_and_changes_are_counted():
    standard = Standardiser()
    told = [standard(text) for text in ("CC(=O)[O-].[Na+]", "OC(C)=O", "C[NH3+].[Cl-]", "[13CH4]")]
    assert told == ["CC(=O)O", "CC(=O)O", "CN", "[13CH4]"]
    assert standard.changed["salts, solvents or other parts taken off"] == 2
    assert standard.changed["charges neutralised"] == 2
    assert standard("[CH3]") == "[CH3]"  # a radical stays one
    assert standard("CC[Mg]Br")


UNUSUAL = {
    "isotopes": ("[2H]C([2H])([2H])[13CH2]O", "[2H]C([2H])([2H])[13CH2]O"),
    "a radical": ("C[CH]C", "C[CH]C"),
    "a stable radical": ("CC1(C)CCCC(C)(C)N1[O]", "CC1(C)CCCC(C)(C)N1[O]"),
    "a carbene": ("[CH2]", "[CH2]"),
    "a complex of platinum": (
        "C1CC2(C1)C(=O)O[Pt]([NH3+])([NH3+])OC2=O",
        "O=C(O)C1(C(=O)O)CCC1",
    ),
    "a bond that platinum is given": ("CCN->[Pt](Cl)(Cl)Cl", "CCN"),
    "a metal bound to carbon": ("C[Hg]C", "[CH3][Hg][CH3]"),
    "a Grignard reagent": ("CC[Mg]Br", "C[CH2][Mg][Br]"),
    "a salt": ("CC(=O)[O-].[Na+]", "CC(=O)O"),
    "a mixture": ("CCO.CCCCO", "CCCCO"),
    "two of one": ("CCO.OCC", "CCO"),
    "six bonds of sulfur": ("FS(F)(F)(F)(F)c1ccccc1", "FS(F)(F)(F)(F)c1ccccc1"),
    "a peptide": ("NC(C)C(=O)" * 50 + "O", "CC(N)C(=O)" + "NC(C)C(=O)" * 48 + "NC(C)C(=O)O"),
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_unusual_molecules_have_fragments_coalitions_and_features(what):
    written, told = UNUSUAL[what]
    assert Standardiser()(written) == told
    rng = np.random.default_rng(0)
    row, other = rows_of([told, "O=C(O)Cc1ccccc1Cl"])
    kept = rng.random((40, len(KINDS))) < 0.5
    mixed = np.concatenate([row[None], np.where(kept, row, 0.0), np.where(kept, row, other)])
    assert present_kinds(row[None]).any()
    features = features_of(numbers_of(mixed))
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 1e4


def test_rows_of_many_kinds_are_taken_or_named_with_the_reason():
    good = [written for written, _ in UNUSUAL.values()]
    bad = ["C1CC", "", "CCO>>CC=O", "N[Pt](N)(Cl)Cl"]
    smiles = [bad[0], *good, *bad[1:]]
    data = molecules("few", smiles, np.arange(float(len(smiles))), VALUE)
    assert data.notes[0] == (
        "Set aside as no molecules, 4 rows: row 1 (C1CC: not a SMILES); row 15 (empty); "
        "row 16 (CCO>>CC=O: a reaction, not a molecule); row 17 (N[Pt](N)(Cl)Cl: no carbon)."
    )
    with pytest.raises(DataError, match=r"none of 2 rows does, the first being row 1 \(x: not a"):
        molecules("none", ["x", None], np.arange(2.0), VALUE)


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
    assert "2 rows of 1 molecule whose 'value' contradicts itself, such as CCN" in said


def test_of_measurements_at_several_times_the_earliest_counts():
    smiles = ["CCO", "OCC", "CCN", "NCC", "CCN", "CCC", "CCC", "CCCC", "CCCCC"]
    y = np.array([9.0, 1.0, 2.0, 2.01, 8.0, 0.0, 5.0, 4.0, 5.0])
    times = np.array([2020.0, 2010, 2011, 2011, 2012, 2013, 2013, 2014, 2015])
    data = molecules("few", smiles, y, VALUE, times=times)
    assert [smiles_of(n) for n in numbers_of(data.X)] == ["CCO", "CCN", "CCCC", "CCCCC"]
    assert data.y.tolist() == pytest.approx([1.0, 2.005, 4.0, 5.0])
    assert data.times.tolist() == [2010.0, 2011.0, 2014.0, 2015.0]
    assert data.notes == (
        "2 rows are left out: the same molecule was measured earlier.",
        "1 row was merged with another of the same molecule.",
        "Set aside: 2 rows of 1 molecule whose 'value' contradicts itself, such as CCC.",
    )


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
    with pytest.raises(DataError) as caught:
        xd.read_table(path, target="value", smiles="name")
    assert str(caught.value) == (
        "Column 'name' must hold molecules as SMILES; however, its cells are such as 'compound 0'. "
        "Did you mean column 'structure'?"
    )
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


def test_molecules_that_were_met_in_between_are_forgotten():
    known = number_of("CCO")
    with forgetting():
        new = number_of("CCCCCCCCCCCCCCCCCN")
        assert smiles_of(new) == "CCCCCCCCCCCCCCCCCN"
        mixed = np.where(np.arange(len(KINDS)) % 2, *rows_of(["CCO", "CCCCCCCCCCCCCCCCCN"]))
        made = numbers_of(np.stack([mixed, rows_of(["CCO"])[0]]))
    assert smiles_of(known) == "CCO"
    for number in {new, made[0]} - {known, 0.0}:
        with pytest.raises(DataError, match="must be known by its SMILES"):
            smiles_of(number)
    assert number_of("CCCCCCCCCCCCCCCCCN") == new


def test_molecules_are_known_in_the_process_to_which_they_are_sent():
    train, test = dataset().split(seed=0)
    assert len(pickle.loads(pickle.dumps(xd.load_dataset("wine")))) == 178
    code = (
        "import pickle, sys; data = pickle.load(sys.stdin.buffer); "
        "print(data.frame()['smiles'].tolist(), len(data.schema.decode(data.background)))"
    )
    sent = pickle.dumps(test)
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=True)
    assert done.stdout.decode().strip() == f"{test.frame()['smiles'].tolist()} {len(train)}"
