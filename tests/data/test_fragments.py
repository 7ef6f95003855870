import itertools

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from rdkit import Chem
from tests_molecules import SMILES

from explain_distill.data.fragments import KINDS, fragments_of, spliced


def read(smiles):
    return Chem.MolFromSmiles(smiles)


def written(made):
    return Chem.MolToSmiles(made[0])


KNOWN = {
    "Oc1ccccc1": ["aromatic carbocycle", "phenol hydroxyl"],
    "CCO": ["alkyl", "hydroxyl"],
    "CC(=O)O": ["alkyl", "carboxylic acid"],
    "CC(=O)NC": ["alkyl", "alkyl", "amide"],
    "CC(=O)OC": ["alkyl", "alkyl", "ester"],
    "C[N+](=O)[O-]": ["alkyl", "nitro"],
    "CN=NC": ["alkyl", "alkyl", "azo"],
    "Nc1ccccc1": ["aromatic amine", "aromatic carbocycle"],
    "C1CO1": ["epoxide or aziridine"],
    "c1ccc2cc3ccccc3cc2c1": ["aromatic polycycle (three rings or more)"],
    "O=C1C=CC(=O)C=C1": ["carbocycle"],
    "c1ccncc1": ["aromatic heterocycle"],
    "CS(=O)(=O)N": ["alkyl", "sulfonamide"],
    "FC(F)(F)Cl": ["alkyl", "chlorine", "fluorine", "fluorine", "fluorine"],
    "CC#N": ["alkyl", "nitrile"],
    "COP(=O)(OC)OC": ["alkyl", "alkyl", "alkyl", "phosphorus group"],
}


@pytest.mark.parametrize("smiles", KNOWN)
def test_a_molecule_is_parted_into_what_a_chemist_names(smiles):
    assert sorted(fragment.kind for fragment in fragments_of(read(smiles))) == KNOWN[smiles]


@pytest.mark.parametrize("smiles", [*SMILES, "CC(C)=C1CCCC1", "O=S1(=O)CCC=C1", "[Na+].CC[O-]"])
def test_each_atom_is_of_one_fragment(smiles):
    molecule = read(smiles)
    found = fragments_of(molecule)
    atoms = sorted(atom for fragment in found for atom in fragment.atoms)
    assert atoms == list(range(molecule.GetNumAtoms()))
    assert {fragment.kind for fragment in found} <= set(KINDS)


def test_fragments_do_not_depend_on_how_a_molecule_is_written():
    molecule = read("CC(=O)Nc1ccc(O)cc1Cl")
    kinds = sorted(fragment.kind for fragment in fragments_of(molecule))
    for seed in range(10):
        other = read(Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=seed)[0])
        assert sorted(fragment.kind for fragment in fragments_of(other)) == kinds


TAKEN_OFF = {
    ("Cc1ccccc1", "alkyl"): "c1ccccc1",
    ("Oc1ccccc1", "phenol hydroxyl"): "c1ccccc1",
    ("CCN1CCOCC1", "alkyl"): "C1COCCN1",
    ("Cn1cccc1", "alkyl"): "c1cc[nH]c1",
    ("C[N+](C)(C)C", "amine"): "CC(C)C",  # what falls apart is joined again
    ("CCOCC", "ether"): "CCCC",
}


@pytest.mark.parametrize(("smiles", "kind"), TAKEN_OFF)
def test_where_a_fragment_is_taken_off_bonds_are_closed(smiles, kind):
    molecule = read(smiles)
    kept = [a for each in fragments_of(molecule) if each.kind != kind for a in each.atoms]
    made = spliced(molecule, kept, read("C"), ())
    assert written(made) == Chem.CanonSmiles(TAKEN_OFF[smiles, kind])


def test_two_molecules_make_sound_ones_of_their_fragments():
    rng = np.random.default_rng(0)
    for first, second in itertools.product(SMILES[::9], SMILES[::11]):
        ours, theirs = read(first), read(second)
        kinds = {kind for kind in KINDS if rng.random() < 0.5}
        kept = [a for each in fragments_of(ours) if each.kind in kinds for a in each.atoms]
        also = [a for each in fragments_of(theirs) if each.kind not in kinds for a in each.atoms]
        made = spliced(ours, kept, theirs, also)
        if not kept and not also:
            assert made is None
            continue
        again = read(written(made))
        assert again is not None
        assert len(made[1]) == again.GetNumAtoms() >= len(kept) + len(also)
        assert len(Chem.GetMolFrags(again)) == 1


def test_a_whole_molecule_stays_as_it_is_but_for_stereochemistry():
    for smiles in ("C[C@H](N)C(=O)O", "F/C=C/F", "c1cc[nH]c1", "[NH3+]CC([O-])=O"):
        molecule = read(smiles)
        made = spliced(molecule, range(molecule.GetNumAtoms()), read("C"), ())
        flat = read(smiles)
        Chem.RemoveStereochemistry(flat)
        assert written(made) == Chem.MolToSmiles(flat)


def test_pieces_that_have_no_cut_end_are_joined_in_place_of_a_hydrogen():
    ours, theirs = read("c1ccccc1"), read("CCO")
    assert written(spliced(ours, range(6), theirs, [2])) == Chem.CanonSmiles("Oc1ccccc1")
    perchlorate = read("ClC(Cl)(Cl)Cl")
    assert "." in written(spliced(ours, range(6), perchlorate, range(5)))


def test_a_linker_can_take_the_place_of_another():
    first, second = map(Chem.MolFromSmiles, ("c1ccc(CCc2ccncc2)cc1", "O=C(Nc1ccccc1)c1ccccc1"))
    off = next(f for f in fragments_of(first) if f.kind == "alkyl")
    put = next(f for f in fragments_of(second) if f.kind == "amide")
    kept = [atom for atom in range(first.GetNumAtoms()) if atom not in off.atoms]
    made, _ = spliced(first, kept, second, put.atoms, between=True)
    assert Chem.MolToSmiles(made) == Chem.CanonSmiles("O=C(Nc1ccncc1)c1ccccc1")
