"""Groups of atoms of molecules that are, or are not, published alerts of mutagenicity.

References
----------
Kazius, McGuire & Bursi (2005), Derivation and validation of toxicophores for mutagenicity
prediction, Journal of Medicinal Chemistry 48, 312-320: the eight general toxicophores and the acyl
halide, the sulphonate ester and the unsaturated aldehyde of the additional ones.
Benigni & Bossa (2008), Structure alerts for carcinogenicity, and the Salmonella assay system: a
novel insight through the chemical relational databases technology, Mutation Research 659, 248-261:
the hydrazines.

Patterns are ours, after their names and drawings. The first atom of a pattern says which fragment
is meant.
"""

ALERTS: dict[str, str] = {
    "aromatic nitro": "[$([NX3](=O)=O),$([NX3+](=O)[O-])]c",
    "primary aromatic amine": "[NX3H2]c",
    "epoxide or aziridine": "[C;r3]1[O,N;r3][C;r3]1",
    "nitroso": "[NX2;$([NX2]=O);!$([NX2]O)]",
    "heteroatom bonded to OH or NH2": "[$([OX2H1]),$([NX3H2])]~[$([NX3]),$([OX2])]",
    "azo, azide, diazo or triazene": (
        "[$([NX2]=[NX2]),$([NX2]=[NX2+]),$([NX2+]=[NX1-]),$([CX3]=[NX2+])]"
    ),
    "aliphatic chloride, bromide or iodide": "[Cl,Br,I][CX4]",
    "three fused aromatic rings or more": "POLYCYCLE",
    "acyl chloride, bromide or iodide": "[CX3](=O)[Cl,Br,I]",
    "sulfonate or sulfate ester": "[SX4](=O)(=O)O[CX4]",
    "α,β-unsaturated aldehyde": "[CX3H1](=O)[CX3]=[CX3]",
    "hydrazine": "[NX3;!$(N=*);!$(NC=O)]-[NX3;!$(NC=O);!$([N+])]",
}
OTHERS: dict[str, str] = {
    "carboxylic acid": "[CX3](=O)[OX2H1]",
    "sulfonic acid": "[SX4](=O)(=O)[OX2H1]",
    "aliphatic hydroxyl": "[OX2H1][CX4]",
    "phenol": "[OX2H1]c",
    "aliphatic ether": "[OX2;!R]([CX4])[CX4]",
    "aryl ether": "[OX2;!R](c)[CX4]",
    "ester": "[CX3;!R](=O)[OX2][#6]",
    "amide": "[CX3;!R](=O)[NX3]",
    "sulfonamide": "[SX4](=O)(=O)[NX3]",
    "nitrile": "[CX2]#[NX1]",
    "aryl fluoride, chloride, bromide or iodide": "[F,Cl,Br,I]c",
    "aliphatic fluoride": "[F][CX4]",
    "tertiary aliphatic amine": "[NX3;!R]([CX4])([CX4])[CX4]",
    "ketone": "[CX3;!R](=O)([#6])[#6]",
    "thioether": "[SX2;!R]([#6])[#6]",
    "alkyl on an aromatic ring": "[CX4;!R]c",
    "phosphorus ester": "[PX4](=O)(O[#6])",
    "carbocycle, saturated": "CARBOCYCLE",
}
"""Groups that Kazius, McGuire & Bursi do not name as toxicophores, and that are common."""

KINDS = {
    "POLYCYCLE": "aromatic polycycle (three rings or more)",
    "CARBOCYCLE": "carbocycle",
}
"""Where a kind of fragment says it better than a pattern."""
