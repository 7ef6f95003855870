"""Notes with and without the cells that they quote."""

import numpy as np
import pandas as pd
import pytest

import explain_distill as xd
from explain_distill.data.notes import without_cells
from explain_distill.data.readers import SetAsideWarning


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (
            "Set aside as no molecules, 2 rows: row 55 (J. Smith); row 7 (x: empty); "
            "row 60 (empty).",
            "Set aside as no molecules, 2 rows.",
        ),
        (
            "Set aside: 2 rows of 1 molecule whose 'y' contradicts itself, such as OCCO.",
            "Set aside: 2 rows of 1 molecule whose 'y' contradicts itself.",
        ),
        ('Column \'ward\' is set aside: it is "O\'Hara\'s" in every row.',
         "Column 'ward' is set aside."),
    ],
)  # fmt: skip
def test_what_a_note_quotes_from_cells_is_left_out(note, told):
    assert without_cells(note) == told


def test_notes_of_an_ordinary_table_quote_no_cell_but_of_constants(tmp_path):
    n = 40
    table = pd.DataFrame(
        {
            "patient_id": [f"P{i:03d}" for i in range(n)],
            "age": [None, *np.linspace(30, 60, n - 1)],
            "ward": "Ward 3",
            "ill": ["yes", "no"] * (n // 2 - 1) + ["yes", None],
        }
    )
    table.to_csv(tmp_path / "patients.csv", index=False)
    with pytest.warns(SetAsideWarning):
        data = xd.read_table(tmp_path / "patients.csv", target="ill")
    assert len(data.notes) == 4
    changed = [note for note in data.notes if without_cells(note) != note]
    assert changed == ["Column 'ward' is set aside: it is 'Ward 3' in every row."]
    assert not any("P0" in note for note in data.notes)
