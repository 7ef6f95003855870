"""How chemists call the substituents that molecules have most often."""

from __future__ import annotations

from functools import cache

from explain_distill.data.fragments import chem

ATTACHED = "[*:1]"
HYDROGEN = f"[H]{ATTACHED}"
NAMES = {
    "C": "Me", "CC": "Et", "CCC": "nPr", "C(C)C": "iPr", "CCCC": "nBu", "C(C)(C)C": "tBu",
    "CC(C)C": "iBu", "C(C)CC": "sBu", "C=C": "vinyl", "CC=C": "allyl", "C#C": "ethynyl",
    "C(C)=O": "COMe", "C=O": "CHO", "C(=O)O": "COOH", "C(=O)OC": "COOMe", "C(=O)OCC": "COOEt",
    "C(N)=O": "CONH₂", "C(=O)NC": "CONHMe", "C(=O)N(C)C": "CONMe₂", "C#N": "CN", "CO": "CH₂OH",
    "CCl": "CH₂Cl", "CBr": "CH₂Br", "C(F)(F)F": "CF₃", "C(Cl)(Cl)Cl": "CCl₃", "COC": "CH₂OMe",
    "F": "F", "Cl": "Cl", "Br": "Br", "I": "I", "O": "OH", "OC": "OMe", "OCC": "OEt",
    "OC(C)=O": "OCOMe", "OC(F)(F)F": "OCF₃", "Oc1ccccc1": "OPh", "N": "NH₂", "NC": "NHMe",
    "N(C)C": "NMe₂", "N(CC)CC": "NEt₂", "NC(C)=O": "NHCOMe", "[N+](=O)[O-]": "NO₂", "S": "SH",
    "SC": "SMe", "S(C)(=O)=O": "SO₂Me", "S(N)(=O)=O": "SO₂NH₂", "c1ccccc1": "Ph",
    "Cc1ccccc1": "benzyl", "C1CCCCC1": "cyclohexyl", "C1CC1": "cyclopropyl",
}  # fmt: skip
"""Written from the open end on."""


def spoken_part(part: str) -> str:
    """Say a substituent: by its name, else as SMILES that begins with a dash at its open end.

    Parameters
    ----------
    part : str
        Canonical SMILES, open at ``[*:1]``.

    Examples
    --------
    >>> spoken_part("CO[*:1]"), spoken_part("CC(O)[*:1]")
    ('OMe', '–C(C)O')
    """
    if part == HYDROGEN:
        return "H"
    return _names().get(part) or f"–{_from_open_end(part)}"


def _from_open_end(part: str) -> str:
    """Write a substituent from its open end on."""
    molecule = chem().MolFromSmiles(part)
    open_end = next(atom.GetIdx() for atom in molecule.GetAtoms() if not atom.GetAtomicNum())
    told = chem().MolToSmiles(molecule, rootedAtAtom=open_end)
    return str(told).removeprefix(ATTACHED)


@cache
def _names() -> dict[str, str]:
    """Give names by canonical SMILES."""
    return {
        str(chem().MolToSmiles(chem().MolFromSmiles(ATTACHED + told))): name
        for told, name in NAMES.items()
    }
