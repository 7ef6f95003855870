"""A study of molecules that keeps no rows shows no molecule."""

import html
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from tests_molecules import SMILES, dataset

import explain_distill as xd
from explain_distill.data.molecules import numbers_of, smiles_of
from explain_distill.data.readers import SetAsideWarning

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
        data = xd.with_environments(xd.read_table(path, "value", task="regression"), 8)
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
        assert "2 rows of 1 molecules whose 'value' contradicts itself." in text


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
