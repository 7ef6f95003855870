"""The catalogue: the data sets that are known by name, and what each needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from explain_distill._types import TaskKind
from explain_distill.data import (
    audit_tables,
    bundled_tables,
    classic_tables,
    public_molecules,
    public_tables,
)
from explain_distill.data.dataset import Dataset
from explain_distill.data.public_files import PublicFile, locate
from explain_distill.exceptions import UnknownNameError

MOLECULENET = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets"
UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases"


@dataclass(frozen=True)
class CatalogEntry:
    """One data set of the catalogue.

    Parameters
    ----------
    name : str
    title : str
    task : {"classification", "regression"}
    n_rows, n_columns : int
        As loaded: columns are features, without the target.
    source : str
        Whom to cite.
    licence : str
        As far as known.
    load : callable
        Gives the data set; takes the path of `file` where there is one.
    file : PublicFile, optional
        What it is read from; None where it ships with scikit-learn.
    """

    name: str
    title: str
    task: TaskKind
    n_rows: int
    n_columns: int
    source: str
    licence: str
    load: Callable[..., Dataset] = field(repr=False)
    file: PublicFile | None = None

    @property
    def needs(self) -> str:
        """What must be there to load it, in words."""
        return "ships with scikit-learn" if self.file is None else f"the file {self.file.path}"


ENTRIES = (
    CatalogEntry(
        "breast-cancer",
        "Breast cancer in Wisconsin: cell nuclei of fine needle aspirates",
        "classification",
        n_rows=569,
        n_columns=30,
        source="Wolberg, Mangasarian, Street & Street 1995, UCI id 17",
        licence="CC BY 4.0",
        load=bundled_tables.breast_cancer,
    ),
    CatalogEntry(
        "diabetes",
        "Progression of diabetes one year after baseline",
        "regression",
        n_rows=442,
        n_columns=10,
        source="Efron, Hastie, Johnstone & Tibshirani 2004, Least angle regression",
        licence="not stated; ships with scikit-learn (BSD 3-Clause)",
        load=bundled_tables.diabetes,
    ),
    CatalogEntry(
        "digits",
        "Handwritten digits in 8 by 8 pixels",
        "classification",
        n_rows=1797,
        n_columns=61,
        source="Alpaydin & Kaynak 1998, UCI id 80 (its test part)",
        licence="CC BY 4.0",
        load=bundled_tables.digits,
    ),
    CatalogEntry(
        "wine",
        "Chemical analysis of wines of three cultivars",
        "classification",
        n_rows=178,
        n_columns=13,
        source="Aeberhard & Forina 1992, UCI id 109",
        licence="CC BY 4.0",
        load=bundled_tables.wine,
    ),
    CatalogEntry(
        "heart-disease",
        "Heart disease by angiography in Cleveland",
        "classification",
        n_rows=303,
        n_columns=13,
        source="Janosi, Steinbrunn, Pfisterer & Detrano 1989, UCI id 45",
        licence="CC BY 4.0",
        load=public_tables.heart_disease,
        file=PublicFile(
            "heart-disease/processed.cleveland.data",
            f"{UCI}/heart-disease/processed.cleveland.data",
            "a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8",
        ),
    ),
    CatalogEntry(
        "pima-diabetes",
        "Onset of diabetes in women of Pima heritage",
        "classification",
        n_rows=768,
        n_columns=8,
        source="Smith, Everhart, Dickson, Knowler & Johannes 1988 (NIDDK)",
        licence="listed as CC0 on Kaggle; withdrawn from UCI",
        load=public_tables.pima_diabetes,
        file=PublicFile(
            "pima/pima-indians-diabetes.csv",
            "https://raw.githubusercontent.com/jbrownlee/Datasets/master/"
            "pima-indians-diabetes.data.csv",
            "6bfe5d0f379d17a0e0819b996407e3c09bf80febd4287f2ed212190dfff154af",
        ),
    ),
    CatalogEntry(
        "parkinsons",
        "Voice recordings of people with and without Parkinson's disease",
        "classification",
        n_rows=195,
        n_columns=22,
        source="Little, McSharry, Hunter, Spielman & Ramig 2009, UCI id 174",
        licence="CC BY 4.0",
        load=public_tables.parkinsons,
        file=PublicFile(
            "parkinsons/parkinsons.data",
            f"{UCI}/parkinsons/parkinsons.data",
            "a36116c2deac07895b79ce97a2f99a1b3720ac4892995ff5c3b9ccb397ed2bc5",
        ),
    ),
    CatalogEntry(
        "german-credit",
        "Credit risk at a German bank",
        "classification",
        n_rows=1000,
        n_columns=20,
        source="Hofmann 1994, UCI id 144 (Statlog)",
        licence="CC BY 4.0",
        load=public_tables.german_credit,
        file=PublicFile(
            "german-credit/german.data",
            f"{UCI}/statlog/german/german.data",
            "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871",
        ),
    ),
    CatalogEntry(
        "magic",
        "Showers of gamma rays and hadrons in the camera of the MAGIC telescope",
        "classification",
        n_rows=18905,
        n_columns=10,
        source="Bock et al. 2004, doi:10.1016/j.nima.2003.08.157, UCI id 159",
        licence="CC BY 4.0",
        load=public_tables.magic,
        file=PublicFile(
            "magic/magic04.data",
            f"{UCI}/magic/magic04.data",
            "e9314b7ebd4b4b59a3b3d65f7316663963777b16a46786877651dbbaa640b36a",
        ),
    ),
    CatalogEntry(
        "adult",
        "Incomes in the US census of 1994",
        "classification",
        n_rows=32537,
        n_columns=12,
        source="Becker & Kohavi 1996, UCI id 2",
        licence="CC BY 4.0",
        load=audit_tables.adult,
        file=PublicFile(
            "adult/adult.data",
            f"{UCI}/adult/adult.data",
            "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
        ),
    ),
    CatalogEntry(
        "compas",
        "New charges against defendants of Broward County within two years",
        "classification",
        n_rows=5304,
        n_columns=8,
        source="Larson, Mattu, Kirchner & Angwin 2016 (ProPublica)",
        licence="published by ProPublica without a stated licence",
        load=audit_tables.compas,
        file=PublicFile(
            "compas/compas-scores-two-years.csv",
            "https://raw.githubusercontent.com/propublica/compas-analysis/master/"
            "compas-scores-two-years.csv",
            "a5e5c34bfd2d1f065bb12a44c0323421baf74b98b97d585915a0c2e1513ecaba",
            # The fingerprint above is of the file without the columns that name people.
            fetched_hash="md5:9165d40c400bba93a8cffece2b74622b",
        ),
    ),
    CatalogEntry(
        "letter-recognition",
        "Shapes of printed capital letters in twenty fonts",
        "classification",
        n_rows=20000,
        n_columns=16,
        source="Frey & Slate 1991, UCI id 59",
        licence="CC BY 4.0",
        load=classic_tables.letter_recognition,
        file=PublicFile(
            "letter-recognition/letter-recognition.data",
            f"{UCI}/letter-recognition/letter-recognition.data",
            "2b89f3602cf768d3c8355267d2f13f2417809e101fc2b5ceee10db19a60de6e2",
        ),
    ),
    CatalogEntry(
        "connect-4",
        "Positions of Connect-4 after eight moves",
        "classification",
        n_rows=67557,
        n_columns=42,
        source="Tromp 1995, UCI id 26",
        licence="CC BY 4.0",
        load=classic_tables.connect_4,
        file=PublicFile(
            "connect-4/connect-4.data",
            f"{UCI}/connect-4/connect-4.data.Z",  # to be unpacked by hand
            "063152e6eadbb424c7ef4645df76e493a43812edd9c992400983da4fa54f8cba",
        ),
    ),
    CatalogEntry(
        "esol",
        "Aqueous solubility of small molecules",
        "regression",
        n_rows=1115,
        n_columns=36,
        source="Delaney 2004, doi:10.1021/ci034243x",
        licence="not stated; as kept by MoleculeNet",
        load=public_molecules.ESOL,
        file=PublicFile(
            "moleculenet/delaney-processed.csv",
            f"{MOLECULENET}/delaney-processed.csv",
            "8c06a76f0c6487d29ab0f903e6a7a7139f189ab3c1178f159c8be8964602f189",
        ),
    ),
    CatalogEntry(
        "freesolv",
        "Free energy of hydration of small molecules",
        "regression",
        n_rows=639,
        n_columns=36,
        source="Mobley & Guthrie 2014, doi:10.1007/s10822-014-9747-x",
        licence="not stated; as kept by MoleculeNet",
        load=public_molecules.FREESOLV,
        file=PublicFile(
            "moleculenet/SAMPL.csv",
            f"{MOLECULENET}/SAMPL.csv",
            "ab5895d914ee87cb563bd7b9611e869527bba45bec6b014d34dc495a0f9dcb72",
        ),
    ),
    CatalogEntry(
        "lipophilicity",
        "Distribution between octanol and water at pH 7.4",
        "regression",
        n_rows=4200,
        n_columns=36,
        source="AstraZeneca, ChEMBL CHEMBL3301361",
        licence="CC BY-SA 3.0 (ChEMBL)",
        load=public_molecules.LIPOPHILICITY,
        file=PublicFile(
            "moleculenet/Lipophilicity.csv",
            f"{MOLECULENET}/Lipophilicity.csv",
            "aed41590cb30609d51d8e08ad3ff06495a76e80e211358801f596b10da69bacd",
        ),
    ),
    CatalogEntry(
        "bbbp",
        "Crossing of the blood-brain barrier",
        "classification",
        n_rows=1953,
        n_columns=36,
        source="Martins, Teixeira, Pinheiro & Falcao 2012, doi:10.1021/ci300124c",
        licence="not stated; as kept by MoleculeNet",
        load=public_molecules.BBBP,
        file=PublicFile(
            "moleculenet/BBBP.csv",
            f"{MOLECULENET}/BBBP.csv",
            "d07a38487aeac5cee5508413e468043ef3097451d2a112701c2d60be9ec6b662",
        ),
    ),
    CatalogEntry(
        "bace",
        "Inhibition of β-secretase 1",
        "classification",
        n_rows=1512,
        n_columns=36,
        source="Subramanian, Ramsundar, Pande & Denny 2016, doi:10.1021/acs.jcim.6b00290",
        licence="not stated; as kept by MoleculeNet",
        load=public_molecules.BACE,
        file=PublicFile(
            "moleculenet/bace.csv",
            f"{MOLECULENET}/bace.csv",
            "f3fb9ce90bada3e2bd6148b0df13f8f8145a357bf87df0dd5b391ede974fc737",
        ),
    ),
    CatalogEntry(
        "clintox",
        "Failure in clinical trials for toxicity",
        "classification",
        n_rows=1353,
        n_columns=36,
        source="Gayvert, Madhukar & Elemento 2016",
        licence="not stated; as kept by MoleculeNet",
        load=public_molecules.CLINTOX,
        file=PublicFile(
            "moleculenet/clintox.csv",
            f"{MOLECULENET}/clintox.csv.gz",
            "9999816e760dd838358b5d88e81cea2fc062be4458ffa412ceecdba4f88a67b6",
        ),
    ),
    CatalogEntry(
        "tox21",
        "Stress response by the antioxidant response element (assay SR-ARE)",
        "classification",
        n_rows=5599,
        n_columns=36,
        source="Tox21 Data Challenge 2014 (NIH NCATS)",
        licence="public domain",
        load=public_molecules.TOX21,
        file=PublicFile(
            "moleculenet/tox21.csv",
            f"{MOLECULENET}/tox21.csv.gz",
            "7d7e7facd853a63e79ddce4e9c3fcb7a0d83a1c300b603031c0f2c64fbe77761",
        ),
    ),
    CatalogEntry(
        "hiv",
        "Inhibition of HIV replication",
        "classification",
        n_rows=40545,
        n_columns=36,
        source="NCI DTP AIDS Antiviral Screen",
        licence="public domain",
        load=public_molecules.HIV,
        file=PublicFile(
            "moleculenet/HIV.csv",
            f"{MOLECULENET}/HIV.csv",
            "9ffa7fe57dc86c342627ee1d5255e937e2ab812393c73c4d16c697022f6e1d22",
        ),
    ),
    CatalogEntry(
        "ames",
        "Mutagenicity in the Ames test",
        "classification",
        n_rows=6508,
        n_columns=36,
        source="Hansen, Mika, Schroeter et al. 2009, doi:10.1021/ci900161g",
        licence="not stated",
        load=public_molecules.AMES,
        file=PublicFile(
            "ames/Ames.csv",
            "https://raw.githubusercontent.com/xiongxxl/SPABA/99a614082e99de35094e89a4cae88f7d0d6b5f84/"
            "attention/examples/data/orign_data/Ames_smi/Ames.csv",
            "ae7fa825245fed42bf58f058573263f22a82f33ef2107a9dc8d9e1afc9faf3f2",
        ),
    ),
)

CATALOG: dict[str, CatalogEntry] = {entry.name: entry for entry in ENTRIES}
"""The data sets by name."""


def load_dataset(name: str) -> Dataset:
    """Load a data set of the catalogue.

    Parameters
    ----------
    name : str
        One of `CATALOG`, for example ``"breast-cancer"``.

    Returns
    -------
    Dataset
        Features in raw units with names in words; its ``notes`` say what was done to the table.

    Raises
    ------
    UnknownNameError
        Where the catalogue has no such name.
    DataError
        Where the data set needs a file that is neither on this machine nor within reach.

    Examples
    --------
    >>> from explain_distill.data.catalog import load_dataset
    >>> data = load_dataset("breast-cancer")
    >>> data.X.shape, data.task.class_names
    ((569, 30), ('malignant', 'benign'))
    """
    if name not in CATALOG:
        raise UnknownNameError.of("The data set", name, CATALOG)
    entry = CATALOG[name]
    return entry.load() if entry.file is None else entry.load(locate(entry.file))
