"""Whether the control of benchmarks/molecules.py asks the teacher what it says it does."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("chemprop", reason="molecules need the extra")

from tests_molecules import dataset

import explain_distill as xd
from explain_distill.data.molecules import kinds_of, smiles_of


def test_a_masked_molecule_is_scored_by_its_graph_with_blank_atoms(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    from masked_atoms import Masking, TakenOff

    train, test = dataset("regression").split(seed=0)
    teacher = xd.MolecularTeacher(members=2, width=24, n_epochs=12, descriptors=False).fit(train)
    masking = Masking(teacher)
    assert masking.predict_score(test.X) == pytest.approx(teacher.predict_score(test.X))
    rows = TakenOff().draw(test.X, 40, np.random.default_rng(0))
    told = masking.predict_score(rows)
    for row, scores in zip(rows, told, strict=True):
        if number := float(row.max()):
            stays = row[list(kinds_of(number))] == number
            expected = teacher.masked_scores(smiles_of(number), stays[None])
            assert scores == pytest.approx(expected[0])
    assert not np.allclose(told, teacher.predict_score(rows))
