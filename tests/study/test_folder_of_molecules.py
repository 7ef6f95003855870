"""The folder of a study of molecules: private where it keeps no rows, refused where altered."""

import html
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES, dataset

import explain_distill as xd
from explain_distill.data.molecules import numbers_of, smiles_of
from explain_distill.data.readers import SetAsideWarning
from explain_distill.exceptions import StudyFormatError

REFUSED = "John Smith, ward 3"
AGAINST = "OCCO"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Give a study of a table with a cell that is no molecule, and one that contradicts itself."""
    cells = [*SMILES, AGAINST, AGAINST, REFUSED]
    y = [*dataset().y, -5.0, 5.0, 1.0]
    path = tmp_path_factory.mktemp("tables") / "measured.csv"
    pd.DataFrame({"smiles": cells, "value": y}).to_csv(path, index=False)
    with pytest.warns(SetAsideWarning):
        data = xd.read_table(path, "value", task="regression")
    data = data.counting(xd.environments_of(data, 8))
    return xd.run(data, students=["decision-tree"], quick=True, teacher="fingerprint")


def molecules_of(study):
    parts = (study.train.X, study.comparison.data.X)
    told = {smiles_of(float(number)) for X in parts for number in numbers_of(X)}
    return {each for each in {*told, *SMILES, AGAINST} if len(each) >= 4}


def text_of(path: Path) -> str:
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pydict())
    if path.suffix == ".safetensors":
        return path.read_bytes().decode("latin-1")
    text = path.read_text(encoding="utf-8")
    return html.unescape(text.replace("\\", ""))


def test_without_rows_no_file_holds_a_molecule_or_a_cell(study, tmp_path):
    folder = study.save(tmp_path / "private", with_data=False, formats=("html", "md", "json"))
    texts = {path: text_of(path) for path in folder.rglob("*") if path.is_file()}
    assert {path.suffix for path in texts} == {".html", ".md", ".json", ".parquet", ".safetensors"}
    for path, text in texts.items():
        for cell in (*molecules_of(study), "Smith"):
            assert cell not in text, f"{path.name} holds {cell}"
    page = texts[folder / "report.html"]
    assert "The study keeps no rows, so no molecule is drawn" in page
    assert '<figure class="structures">' not in page
    for text in (page, texts[folder / "study.json"]):
        assert "Set aside as no molecules, 1 row." in text
        assert "2 rows of 1 molecule whose 'value' contradicts itself." in text


def test_with_rows_the_same_files_hold_them(study, tmp_path):
    folder = study.save(tmp_path / "kept", formats=("md",))
    for name in ("study.json", "report.md"):
        text = text_of(folder / name)
        assert f"row 87 ({REFUSED}: not a SMILES)" in text
        assert f"contradicts itself, such as {AGAINST}" in text
    shown = text_of(folder / "report.md")
    assert any(each in shown for each in molecules_of(study) - {AGAINST})


def test_a_study_opened_with_rows_is_saved_without_them(study, tmp_path):
    opened = xd.Study.open(study.save(tmp_path / "kept"))
    again = xd.Study.open(opened.save(tmp_path / "private", with_data=False))
    assert again.train is None
    assert again.comparison.data is None
    assert not any("Smith" in note or AGAINST in note for note in again.about.notes)
    assert again.summary().equals(study.summary())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"key": 1.5}, "key is 1.5, not a whole number of 32 bits"),
        ({"key": True}, "key is True"),
        ({"key": -1}, "key is -1"),
        ({"key": 2**32}, "key is 4294967296"),
        ({"smiles": ["C"]}, r"smiles is \['C'\], not text"),
        ({"share": "much"}, "share is 'much', not a number from 0 to 1"),
        ({"share": 1.5}, "share is 1.5"),
        ({"share": float("nan")}, "share is nan"),
        ({"structures": 0}, "structures are 0, not one or more"),
    ],
)
def test_an_altered_environment_is_refused(study, tmp_path, changed, why):
    with pytest.raises(StudyFormatError, match=rf"study\.json.*cannot be read \(an .*{why}"):
        opened_with(study, tmp_path, lambda told: [told[0] | changed, *told[1:]])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda told: told * 200, "1600 environments, not 1024 at most"),
        (lambda told: [1], "not subscriptable"),
        (lambda told: 3, "not iterable"),
        (lambda told: [{"key": 1, "smiles": "C"}], "'share'"),
    ],
)
def test_what_is_no_list_of_environments_is_refused(study, tmp_path, change, why):
    with pytest.raises(StudyFormatError, match=why):
        opened_with(study, tmp_path, change)


def opened_with(study, tmp_path, change):
    """Open the study with other environments in study.json."""
    folder = study.save(tmp_path / "study", with_data=False)
    told = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    column = told["dataset"]["columns"][0]
    column["environments"] = change(column["environments"])
    (folder / "study.json").write_text(json.dumps(told), encoding="utf-8")
    return xd.Study.open(folder)
