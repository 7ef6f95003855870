import gzip
import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pooch
import pytest

from explain_distill.data.catalog import CATALOG, load_dataset
from explain_distill.data.public_files import FOLDER_VARIABLE, find, locate
from explain_distill.data.public_molecules import MoleculeFile
from explain_distill.exceptions import DataError, UnknownNameError

BUNDLED = [name for name, entry in CATALOG.items() if entry.file is None]
CLASS_COUNTS = {
    "breast-cancer": {"malignant": 212, "benign": 357},
    "wine": {"cultivar 1": 59, "cultivar 2": 71, "cultivar 3": 48},
    "heart-disease": {"no disease": 164, "disease": 139},
    "pima-diabetes": {"no diabetes": 500, "diabetes": 268},
    "parkinsons": {"healthy": 48, "Parkinson's disease": 147},
    "german-credit": {"good": 700, "bad": 300},
    "magic": {"gamma ray": 12332, "hadron": 6688 - 115},
    "adult": {"at most 50 000 USD": 24720 - 22, "above 50 000 USD": 7841 - 2},
    "compas": {"no": 3363, "yes": 2809 - 868},
    "connect-4": {"loss": 16635, "draw": 6449, "win": 44473},
}


SLOW = "hiv"  # half a minute of standardising, which other tables test as well
MANY = 400  # molecules of which features are computed


@cache
def load(name):
    """Load a data set, or skip where its file is not in the folder of files."""
    file = CATALOG[name].file
    if name == SLOW:
        pytest.skip("takes half a minute")
    if isinstance(CATALOG[name].load, MoleculeFile):
        pytest.importorskip("rdkit", reason="molecules need the extra")
    if file and find(file) is None:
        pytest.skip(f"needs {file.path} in the folder named by {FOLDER_VARIABLE}")
    return load_dataset(name)


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """Hide the folder of files and the cache, and make every address unreachable."""
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    for name, entry in CATALOG.items():
        if entry.file:
            nowhere = replace(entry.file, url=f"http://127.0.0.1:9/{entry.file.path}")
            monkeypatch.setitem(CATALOG, name, replace(entry, file=nowhere))


@pytest.mark.parametrize("name", CATALOG)
def test_every_data_set_is_as_its_entry_says(name):
    entry, data = CATALOG[name], load(name)
    assert data.name == name
    assert data.X.shape == (entry.n_rows, entry.n_columns)
    assert len(data.schema) == len(set(data.schema.names)) == entry.n_columns
    assert data.task.kind == entry.task
    assert data.notes
    assert not np.isinf(data.X).any()
    spread = np.nanmax(data.X, axis=0) - np.nanmin(data.X, axis=0)
    assert (spread > 0).all()


@pytest.mark.parametrize("name", CATALOG)
def test_every_data_set_can_be_split_and_made_readable(name):
    data = load(name)
    if data.schema.molecules is not None:
        data = data.take(np.arange(min(MANY, len(data))))
    train, test = data.split()
    assert set(train.y) == set(test.y) or train.task.kind == "regression"
    assert test.readable().shape == (len(test), len(test.readable_features.names))
    assert len(test.frame()) == len(test)


@pytest.mark.parametrize(("name", "counts"), CLASS_COUNTS.items())
def test_the_classes_have_the_documented_numbers_of_rows(name, counts):
    data = load(name)
    found = np.bincount(data.y).tolist()
    assert dict(zip(data.task.class_names, found, strict=True)) == counts


@pytest.mark.parametrize("name", CATALOG)
def test_every_level_of_every_category_occurs(name):
    data = load(name)
    for column, feature in enumerate(data.schema.features):
        if feature.kind == "category":
            codes = np.unique(data.X[~np.isnan(data.X[:, column]), column])
            assert codes.tolist() == list(range(len(feature.levels))), feature.name


def test_the_first_patient_of_cleveland_reads_as_the_documentation_says():
    data = load("heart-disease")
    first = {f.name: f.word(data.X[0, i]) for i, f in enumerate(data.schema.features)}
    assert first == {
        "age": "63 years",
        "sex": "male",
        "chest pain": "typical angina",
        "resting blood pressure": "145 mm Hg",
        "serum cholesterol": "233 mg/dL",
        "fasting blood sugar above 120 mg/dL": "yes",
        "resting ECG": "left ventricular hypertrophy",
        "maximum heart rate": "150 beats/min",
        "angina induced by exercise": "no",
        "ST depression by exercise": "2.3 mm",
        "slope of ST at peak exercise": "down",
        "major vessels coloured by fluoroscopy": "0",
        "thallium scan": "fixed defect",
    }
    assert np.isnan(data.X).sum() == 6


def test_an_impossible_zero_of_pima_is_missing():
    data = load("pima-diabetes")
    assert np.isnan(data.X).sum(axis=0).tolist() == [0, 5, 35, 227, 374, 11, 0, 0]
    assert data.X[0].tolist()[:4] == [6, 148, 72, 35]


def test_the_recordings_of_one_person_stand_on_one_side():
    data = load("parkinsons")
    assert len(set(data.groups)) == 32
    for person in set(data.groups):
        assert len(set(data.y[data.groups == person])) == 1
    train, test = data.split()
    assert not set(train.groups) & set(test.groups)


def test_the_codes_of_german_credit_are_words():
    data = load("german-credit")
    first = data.frame().iloc[0]
    assert first["checking account"] == "below 0 DM"
    assert first["purpose"] == "radio or television"
    assert first["telephone in own name"] == "yes"
    assert first["credit amount"] == 1169


def test_what_says_nothing_about_a_person_of_adult_is_set_aside():
    data = load("adult")
    first = data.frame().iloc[0]
    assert first["kind of employer"] == "state government"
    assert first["level of education (code 1 to 16)"] == 13
    assert first["capital gain"] == 2174
    assert "fnlwgt" not in data.schema.names
    assert np.isnan(data.X).sum() > 4000


def test_no_score_of_compas_and_nothing_later_than_the_screening_is_a_feature():
    data = load("compas")
    assert data.schema.names == [
        "sex",
        "age",
        "race",
        "felonies as a juvenile",
        "misdemeanours as a juvenile",
        "other charges as a juvenile",
        "earlier charges",
        "charge",
    ]
    assert "868 of these were screened after 1 April 2014" in data.notes[1]


def test_no_row_of_magic_comes_twice():
    data = load("magic")
    assert len(np.unique(data.X, axis=0)) == len(data)
    assert data.notes[2].startswith("115 of the 19020 rows repeat another")


def test_the_constant_pixels_of_digits_are_set_aside_and_said():
    data = load_dataset("digits")
    assert data.schema.names[0] == "pixel row 1, column 2"
    assert "pixel row 1, column 1; pixel row 5, column 1; pixel row 5, column 8" in data.notes[1]


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UnknownNameError) as caught:
        load_dataset("heart-diseases")
    assert str(caught.value) == (
        "The data set must be one of adult, ames, bace, bbbp, breast-cancer, clintox, compas, "
        "connect-4, diabetes, digits, esol, freesolv, …; "
        "however, got 'heart-diseases'. Did you mean 'heart-disease'?"
    )


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize("name", BUNDLED)
def test_what_ships_with_scikit_learn_needs_no_network(name):
    assert CATALOG[name].needs == "ships with scikit-learn"
    assert len(load_dataset(name)) == CATALOG[name].n_rows


@pytest.mark.usefixtures("nothing_here")
def test_without_network_and_file_the_error_says_what_to_get_and_where_to_put_it():
    assert CATALOG["parkinsons"].needs == "the file parkinsons/parkinsons.data"
    with pytest.raises(DataError) as caught:
        load_dataset("parkinsons")
    assert str(caught.value) == (
        "The file parkinsons/parkinsons.data must be on this machine or at its address; however, "
        "it is not here and could not be fetched (ConnectionError). Get it from "
        "http://127.0.0.1:9/parkinsons/parkinsons.data and put it at parkinsons/parkinsons.data "
        "in a folder named by the environment variable EXPLAIN_DISTILL_DATA."
    )


@pytest.mark.usefixtures("nothing_here")
def test_a_file_with_another_fingerprint_is_refused(monkeypatch, tmp_path):
    path = tmp_path / CATALOG["german-credit"].file.path
    path.parent.mkdir()
    path.write_text("A11 6 A34\n")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DataError) as caught:
        load_dataset("german-credit")
    assert str(caught.value) == (
        f"'{path}' must be the file of http://127.0.0.1:9/german-credit/german.data (SHA-256 "
        f"b21f3d81db80…); however, its SHA-256 is {found[:12]}…. Replace it with that file, or "
        "remove it."
    )


@pytest.mark.usefixtures("nothing_here")
def test_a_file_that_was_fetched_before_is_taken_from_the_cache(monkeypatch, tmp_path):
    entry, content = CATALOG["parkinsons"], b"fetched before"
    file = replace(entry.file, sha256=hashlib.sha256(content).hexdigest())
    path = tmp_path / "cache" / "explain-distill" / file.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.setitem(CATALOG, "parkinsons", replace(entry, file=file, load=Path.read_bytes))
    assert load_dataset("parkinsons") == content


@pytest.mark.usefixtures("nothing_here")
def test_a_file_may_lie_gzipped_in_the_folder(monkeypatch, tmp_path):
    content = b"5.1,g\n"
    fingerprint = hashlib.sha256(content).hexdigest()
    file = replace(CATALOG["magic"].file, sha256=fingerprint)
    path = tmp_path / "magic" / "magic04.data.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(content))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert locate(file) == path
    path.write_bytes(gzip.compress(content)[:-4])
    with pytest.raises(DataError, match="cannot be unpacked"):
        locate(file)
