"""A molecule's fragments, of kinds that a chemist names, and molecules made of the parts of two.

A molecule is parted into ring systems, functional groups and what carbon is left. A fragment's kind
is a player of the molecule: rows of a table mix the columns of two rows, and molecules the kinds of
fragments of two molecules.

References
----------
Degen, Wegscheid-Gerlach, Zaliani & Rarey (2008), On the art of compiling and using "drug-like"
chemical fragment spaces, ChemMedChem 3, 1503-1507 (fragments joined anew).
Ertl (2017), An algorithm to identify functional groups in organic molecules, Journal of
Cheminformatics 9, 36 (what is a group, and what is carbon between groups).
Jensen (2019), A graph-based genetic algorithm and generative model/Monte Carlo tree search for the
exploration of chemical space, Chemical Science 10, 3567-3572 (two molecules joined at cut bonds).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from explain_distill._optional import require

EXTRA = "molecules"
CARBON = 6
MANY_VALENCES = frozenset({15, 16, 33, 34})

GROUPS: tuple[tuple[str, str], ...] = (
    ("nitro", "[$([NX3](=O)=O),$([NX3+](=O)[O-])](~[OX1])~[OX1]"),
    ("azide or diazo", "[#6]-[#7]=[#7+]=[#7-]"),
    ("azide or diazo", "[#7]=[N+]=[N-]"),
    ("azo", "[NX2]=[NX2]"),
    ("nitroso", "[NX2]=[OX1]"),
    ("nitrile", "[CX2]#[NX1]"),
    ("phosphorus group", "P(~[OX1,OX2,SX1,NX3])(~[OX1,OX2,SX1,NX3])~[OX1,OX2,SX1,NX3]"),
    ("sulfonamide", "[SX4](=[OX1])(=[OX1])[NX3]"),
    ("sulfonic acid or sulfate", "[SX4](=[OX1])(=[OX1])[OX2,OX1-]"),
    ("sulfone or sulfoxide", "[SX4](=[OX1])=[OX1]"),
    ("sulfone or sulfoxide", "[SX3]=[OX1]"),
    ("carboxylic acid", "[CX3](=[OX1])[OX2H1,OX1-]"),
    ("urea or carbamate", "[NX3][CX3](=[OX1])[NX3,OX2]"),
    ("amide", "[CX3](=[OX1])[NX3]"),
    ("ester", "[CX3](=[OX1])[OX2]"),
    ("acyl halide", "[CX3](=[OX1])[F,Cl,Br,I]"),
    ("aldehyde or ketone", "[CX3]=[OX1]"),
    ("thiocarbonyl", "[#6]=[SX1]"),
    ("imine or amidine", "[CX3]=[NX2]"),
    ("phenol hydroxyl", "[OX2H1,OX1-;$(*c)]"),
    ("hydroxyl", "[OX2H1,OX1-]"),
    ("ether", "[OX2]"),
    ("thiol or thioether", "[SX2,SX1-]"),
    ("aromatic amine", "[NX3,NX4;$(*c)]"),
    ("amine", "[NX3,NX4]"),
    ("fluorine", "F"),
    ("chlorine", "Cl"),
    ("bromine or iodine", "[Br,I]"),
    ("alkyne", "[CX2]#[CX2]"),
    ("alkene", "[CX3]=[CX3]"),
    ("alkyl", "[CX4]"),
)
"""Groups outside rings, each taking the atoms that none before it took."""

RINGS = (
    "epoxide or aziridine",
    "aromatic polycycle (three rings or more)",
    "aromatic carbocycle",
    "aromatic heterocycle",
    "carbocycle",
    "heterocycle",
)
OTHER = "other"
KINDS: tuple[str, ...] = (*RINGS, *dict.fromkeys(name for name, _ in GROUPS), OTHER)
"""What a fragment can be, in the order of the columns."""


@dataclass(frozen=True)
class Fragment:
    """Connected atoms of one kind.

    Parameters
    ----------
    kind : str
        Of `KINDS`.
    atoms : tuple of int
        Their numbers in the molecule.
    """

    kind: str
    atoms: tuple[int, ...]


def chem() -> Any:
    """Give RDKit's module of molecules.

    Raises
    ------
    MissingDependencyError
    """
    require("rdkit", EXTRA)
    from rdkit import Chem

    return Chem


@cache
def _patterns() -> tuple[tuple[str, Any], ...]:
    return tuple((name, chem().MolFromSmarts(smarts)) for name, smarts in GROUPS)


def fragments_of(molecule: Any) -> tuple[Fragment, ...]:
    """Part a molecule into fragments; each atom is of one.

    Rings that share an atom are one fragment, and what hangs on a ring by a double bond belongs to
    it. Atoms that no single bond parts are never parted.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol

    Returns
    -------
    tuple of Fragment
        In the order of their first atoms.
    """
    kinds = [""] * molecule.GetNumAtoms()
    for ring in _ring_systems(molecule):
        kind = _kind_of_ring(molecule, ring)
        for atom in ring:
            kinds[atom] = kind
    for name, pattern in _patterns():
        for match in molecule.GetSubstructMatches(pattern):
            for atom in match:
                kinds[atom] = kinds[atom] or name
    kinds = [kind or OTHER for kind in kinds]
    in_ring = [atom.IsInRing() for atom in molecule.GetAtoms()]

    def together(bond: Any, first: int, second: int) -> bool:
        return bool(kinds[first] == kinds[second] or not _can_be_cut(bond))

    found = []
    for atoms in _components(molecule, set(range(len(kinds))), together):
        # Of atoms that cannot be parted, a ring gives its name, else the group that comes first.
        names = [kinds[atom] for atom in atoms if in_ring[atom]] or [kinds[atom] for atom in atoms]
        found.append(Fragment(min(names, key=KINDS.index), tuple(sorted(atoms))))
    return tuple(sorted(found, key=lambda fragment: fragment.atoms[0]))


def _can_be_cut(bond: Any) -> bool:
    """Whether a bond is single, in no ring, and joins no charges that belong together."""
    charges = bond.GetBeginAtom().GetFormalCharge() * bond.GetEndAtom().GetFormalCharge()
    single = bond.GetBondType() == chem().BondType.SINGLE
    return bool(single and not bond.IsInRing() and charges >= 0)


def _ring_systems(molecule: Any) -> list[set[int]]:
    systems: list[set[int]] = []
    for ring in molecule.GetRingInfo().AtomRings():
        joined = set(ring)
        apart = []
        for system in systems:
            if system & joined:
                joined |= system
            else:
                apart.append(system)
        systems = [*apart, joined]
    return systems


def _kind_of_ring(molecule: Any, ring: Collection[int]) -> str:
    atoms = [molecule.GetAtomWithIdx(atom) for atom in ring]
    carbon = all(atom.GetAtomicNum() == CARBON for atom in atoms)
    aromatic = [
        each
        for each in molecule.GetRingInfo().AtomRings()
        if set(each) <= set(ring) and all(molecule.GetAtomWithIdx(a).GetIsAromatic() for a in each)
    ]
    if len(ring) == 3 and sum(atom.GetAtomicNum() != CARBON for atom in atoms) == 1:
        return "epoxide or aziridine"
    if len(aromatic) >= 3:
        return "aromatic polycycle (three rings or more)"
    if aromatic:
        return "aromatic carbocycle" if carbon else "aromatic heterocycle"
    return "carbocycle" if carbon else "heterocycle"


def _components(
    molecule: Any, atoms: set[int], together: Callable[[Any, int, int], bool]
) -> list[list[int]]:
    """Part atoms into those that bonds hold together, in the order of their first atoms."""
    left, found = set(atoms), []
    for start in sorted(atoms):
        if start not in left:
            continue
        left.remove(start)
        part, queue = [start], [start]
        while queue:
            at = queue.pop()
            for bond in molecule.GetAtomWithIdx(at).GetBonds():
                other = bond.GetOtherAtomIdx(at)
                if other in left and together(bond, at, other):
                    left.remove(other)
                    part.append(other)
                    queue.append(other)
        found.append(part)
    return found


def spliced(
    first: Any,
    kept: Collection[int],
    second: Any,
    also: Collection[int],
    *,
    between: bool = False,
) -> tuple[Any, list[int]] | None:
    """Make one molecule of some atoms of two.

    What is left of either falls into pieces where bonds were cut. They are joined one after another
    by single bonds between cut ends, a methylene group between two ends that are no carbon; a
    piece without an end, as a whole molecule is, is joined in place of a hydrogen. Ends that are
    left over get hydrogen. The molecule has no stereochemistry.

    Parameters
    ----------
    first, second : rdkit.Chem.Mol
    kept, also : collection of int
        Atoms of the first and of the second; whole fragments.
    between : bool, default=False
        Whether what is taken of the second stands between the pieces of the first, as a linker in
        place of another does, and not behind them.

    Returns
    -------
    molecule : rdkit.Chem.Mol
    origin : list of int
        Of each atom: its number in the first, or -1 less that in the second; a methylene group is
        numbered as the end before it.

    None where no atom is left, or what is made is no sound molecule.
    """
    if not kept and not also:
        return None
    Chem = chem()
    made, origin, ends, hydrogens, pieces = Chem.RWMol(), [], [], [], []
    for molecule, atoms, of_first in ((first, kept, True), (second, also, False)):
        place = {}
        for atom in sorted(atoms):
            place[atom] = made.AddAtom(molecule.GetAtomWithIdx(atom))
            origin.append(atom if of_first else -1 - atom)
            ends.append(0)
            hydrogens.append(molecule.GetAtomWithIdx(atom).GetTotalNumHs())
        for bond in molecule.GetBonds():
            begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            if begin in place and end in place:
                made.AddBond(place[begin], place[end], bond.GetBondType())
            elif begin in place or end in place:
                ends[place[begin if begin in place else end]] += 1
        parts = _components(molecule, set(atoms), lambda *_: True)
        pieces += [[place[atom] for atom in part] for part in parts]
    for atom in made.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        cut, n_hydrogen = ends[atom.GetIdx()], hydrogens[atom.GetIdx()]
        element = atom.GetAtomicNum()
        # The nitrogen of pyrrole, say, whose hydrogen must be told, or sulfur of six bonds.
        told = element in MANY_VALENCES or (atom.GetIsAromatic() and element != CARBON)
        if atom.GetNoImplicit() or (cut and told):
            atom.SetNoImplicit(True)
            atom.SetNumExplicitHs(n_hydrogen + cut)
    if between:  # the pieces of the second after the first of the first, the others behind them
        theirs = [piece for piece in pieces if origin[piece[0]] < 0]
        ours = [piece for piece in pieces if origin[piece[0]] >= 0]
        pieces = [*ours[:1], *theirs, *ours[1:]]
    _join(made, pieces, ends, origin)
    molecule = made.GetMol()
    if Chem.SanitizeMol(molecule, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    Chem.RemoveStereochemistry(molecule)
    return molecule, origin


def _join(made: Any, pieces: Sequence[list[int]], ends: list[int], origin: list[int]) -> None:
    """Join the pieces of a molecule that is being made, each to those before it."""
    before: list[int] = []
    for piece in pieces:
        if before:
            one, other = _open_end(made, before, ends), _open_end(made, piece, ends)
            if one is None or other is None:  # stays a molecule beside the others
                before += piece
                continue
            if CARBON not in (_element(made, one), _element(made, other)):
                one = _lengthened(made, one, ends, origin)
                before.append(one)
            for atom in (one, other):
                _take_hydrogen(made, atom, ends)
            made.AddBond(one, other, chem().BondType.SINGLE)
        before += piece


def _element(made: Any, atom: int) -> int:
    return int(made.GetAtomWithIdx(atom).GetAtomicNum())


def _open_end(made: Any, atoms: Sequence[int], ends: Sequence[int]) -> int | None:
    """Give the atom to join: a cut end, of carbon if there is one, else an atom with a hydrogen."""
    cut = [atom for atom in atoms if ends[atom]]
    free = cut or [atom for atom in atoms if made.GetAtomWithIdx(atom).GetNumExplicitHs()]
    if not free:
        made.UpdatePropertyCache(strict=False)
        free = [atom for atom in atoms if made.GetAtomWithIdx(atom).GetTotalNumHs()]
    return min(free, key=lambda atom: (_element(made, atom) != CARBON, atom), default=None)


def _lengthened(made: Any, atom: int, ends: list[int], origin: list[int]) -> int:
    """Hang a methylene group on an atom, and give its number."""
    _take_hydrogen(made, atom, ends)
    carbon = int(made.AddAtom(chem().Atom(CARBON)))
    origin.append(origin[atom])
    ends.append(1)
    made.AddBond(atom, carbon, chem().BondType.SINGLE)
    return carbon


def _take_hydrogen(made: Any, atom: int, ends: list[int]) -> None:
    """Use a cut end of an atom, or one of its hydrogens."""
    ends[atom] = max(0, ends[atom] - 1)
    at = made.GetAtomWithIdx(atom)
    at.SetNumExplicitHs(max(0, at.GetNumExplicitHs() - 1))
