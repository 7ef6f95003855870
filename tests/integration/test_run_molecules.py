"""From a table of SMILES to the study, its report and its reasons."""

import dataclasses
import json
import runpy
import shutil

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("chemprop", reason="molecules need the extra")

from sklearn.ensemble import RandomForestRegressor
from tests_molecules import WEIGHTS, KnownTeacher, dataset, known_property

import explain_distill as xd
from explain_distill.data.fragments import KINDS
from explain_distill.data.molecules import kinds_of, numbers_of
from explain_distill.distillation.distill import pooled
from explain_distill.exceptions import DataError, StudyFormatError
from explain_distill.report.molecule_drawing import atom_shares, shown_molecules
from explain_distill.study.verify import verify


@pytest.fixture(scope="module")
def study():
    return xd.run(dataset(), students=("decision-tree", "boosted-trees"), quick=True)


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("molecules") / "study"
    study.save(folder, formats=("html", "md"))
    return folder


@pytest.fixture(scope="module")
def known():
    """What is said of a teacher that says the property itself."""
    train, test = dataset().split(seed=0)
    teacher = KnownTeacher(train)
    student = xd.distill(teacher, xd.BoostedTrees(n_trees=200), train, transfer=xd.Coalitions(3000))
    return xd.compare(teacher, {"boosted-trees": student}, test, quick=True)


def test_reasons_are_on_the_right_atoms(known):
    reasons, data = known.comparison.reasons, known.comparison.data
    weights = np.array([WEIGHTS.get(kind, 0.0) for kind in KINDS])
    for model in ("teacher", "boosted-trees"):
        right = whole = 0.0
        for place, row in enumerate(reasons.rows):
            number = numbers_of(data.X[row][None])[0]
            shares = np.abs(atom_shares(number, reasons.reference[model], place, 0))
            chosen = weights[np.array(kinds_of(number))] != 0
            right, whole = right + shares[chosen].sum(), whole + shares.sum()
        assert right / whole >= 0.9


def test_shares_add_up_to_the_score_and_alike_atoms_get_alike_shares(known):
    reasons, scores = known.comparison.reasons, known.comparison.scores
    for model, told in reasons.reference.items():
        sums = told.base + told.values.sum(axis=1)  # noqa: PD011
        assert np.allclose(sums, scores[model][reasons.rows], atol=1e-4)
    data = known.comparison.data
    place = next(p for p, row in enumerate(reasons.rows) if data.X[row, 0] != 0)
    number = numbers_of(data.X[reasons.rows[place]][None])[0]
    shares = atom_shares(number, reasons.reference["teacher"], place, 0)
    for kind in set(kinds_of(number)):
        assert len(set(shares[np.array(kinds_of(number)) == kind].round(12))) == 1


def test_of_a_teacher_that_is_its_student_no_gap_is_left():
    train, test = dataset().split(seed=0)
    teacher = KnownTeacher(train)
    numbers = numbers_of(test.X)
    assert np.allclose(teacher.predict_score(test.X)[:, 0], known_property(numbers))
    found = xd.compare(teacher, {"tree": fitted_tree(train)}, test, quick=True)
    assert found.comparison.get("teacher", "attribution.rank_correlation").value > 0.9


def fitted_tree(train):
    return xd.distill(
        KnownTeacher(train), xd.DecisionTree(max_leaves=8), train, transfer=xd.Coalitions(500)
    )


def test_the_study_opens_again_with_the_same_figures(study, folder):
    opened = xd.Study.open(folder)
    assert opened.comparison.metrics == study.comparison.metrics
    assert (opened.comparison.reasons.present == study.comparison.reasons.present).all()
    data = opened.comparison.data
    assert data.schema.molecules == "smiles"
    assert np.array_equal(data.X, study.comparison.data.X)
    kept = pd.read_parquet(folder / "data" / "test.parquet")
    assert list(kept.columns) == ["smiles", "property"]


def test_a_study_of_molecules_is_verified(folder):
    found = verify(folder)
    assert not found.differences
    assert found.status == 0


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("C1CC", "is no molecule"),
        (None, "is no molecule"),
        ("C" * 400, "is no molecule"),
        ("CCO <script>alert(1)</script>", "is no molecule"),
        ("CCO\tx", "is no molecule"),
        (" CCO", "is no molecule"),
        ("CCO.CCN", "'CCO.CCN' is no canonical SMILES of one part"),
        ("OCC", "'OCC' is no canonical SMILES of one part"),
    ],
)
def test_an_altered_molecule_is_refused(folder, tmp_path, wrong, why):
    altered = with_first(folder, tmp_path, "test", wrong)
    with pytest.raises(StudyFormatError, match=why):
        xd.Study.open(altered)


def test_another_rdkit_may_have_another_canonical_form(folder, tmp_path):
    altered = with_first(folder, tmp_path, "test", "OCC")
    told = json.loads((altered / "study.json").read_text(encoding="utf-8"))
    told["versions"]["rdkit"] = "2020.03.1"
    (altered / "study.json").write_text(json.dumps(told), encoding="utf-8")
    data = xd.Study.open(altered).comparison.data
    assert data.schema.decode(data.X[:1])["smiles"].tolist() == ["OCC"]


def test_the_background_is_kept_and_checked(known, tmp_path):
    folder = known.save(tmp_path / "study")
    opened = xd.Study.open(folder)
    assert opened.train is None
    assert np.array_equal(opened.comparison.data.background, known.comparison.data.background)
    altered = with_first(folder, tmp_path, "background", "CCO x")
    with pytest.raises(StudyFormatError, match="'CCO x' is no molecule"):
        xd.Study.open(altered)


def with_first(folder, tmp_path, part, cell):
    """Copy a study, and alter the first molecule of a part of its rows."""
    altered = tmp_path / "altered"
    shutil.copytree(folder, altered)
    path = altered / "data" / f"{part}.parquet"
    rows = pd.read_parquet(path)
    rows.loc[0, "smiles"] = cell
    rows.to_parquet(path, index=False)
    return altered


def test_the_report_draws_molecules_as_each_model_sees_them(study, folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "their atoms coloured by the share of their fragments" in page
    assert "coalitions of fragments" in page
    assert "told by" in page
    block = shown_molecules(study, ["teacher", "decision-tree"], np.array([0, 1]), 0)
    assert [len(row) for row in block.rows] == [2, 2]
    for row in block.rows:
        assert len({each.smiles for each in row}) == 1
        assert row[0].title.startswith("teacher: ")


def test_a_student_of_molecules_is_exported_as_a_function_of_its_readable_features(study, tmp_path):
    data, tree = study.comparison.data, study.comparison.students["decision-tree"]
    xd.export(tree, tmp_path / "tree.py", "python")
    predict = runpy.run_path(str(tmp_path / "tree.py"))["predict"]
    names, readable = data.readable_features.names, data.readable()
    told = [predict(dict(zip(names, row.tolist(), strict=True))) for row in readable[:10]]
    assert np.allclose(told, tree.predict_score(readable[:10])[:, 0], atol=1e-9)


def test_transfer_sets_that_mix_values_are_refused():
    train, _ = dataset().split(seed=0)
    with pytest.raises(DataError, match="must be coalitions or training-rows"):
        xd.distill(KnownTeacher(train), xd.DecisionTree(), train, transfer="munge")
    plain = xd.distill(KnownTeacher(train), xd.DecisionTree(), train, transfer="training-rows")
    assert plain.distillation_.n_rows == len(train)


def test_single_kinds_leave_agreement_to_all_columns(study):
    reasons = study.comparison.reasons
    none = dataclasses.replace(reasons, present=None)
    assert none.chance()["rank_correlation"] == 0.0
    assert 0 < reasons.chance()["top_k_overlap"] <= 1


def test_a_pool_is_of_its_training_rows_alone():
    train, _ = dataset().split(seed=0)
    pool = pooled(xd.Mixture(xd.Coalitions(300), xd.TrainingRows(), shares=(9, 1)))
    assert pool.transfer.shares == (0.9, 0.1)
    assert pooled(pool) is pool
    first = pool.draw(train.X, 300, np.random.default_rng(0))
    again = pool.draw(train.X, 300, np.random.default_rng(1))
    assert {row.tobytes() for row in first} == {row.tobytes() for row in again}
    half = train.X[::2]
    assert set(np.unique(pool.draw(half, 300, np.random.default_rng(0)))) <= {0.0, *half[:, 0]}


def test_a_model_of_smiles_serves_as_a_teacher():
    train, test = dataset().split(seed=0)

    class Lengths:
        def predict(self, table):
            return table["smiles"].str.len().to_numpy(dtype=float)

    tree = xd.distill(Lengths(), xd.DecisionTree(max_leaves=4), train, transfer="training-rows")
    assert tree.predict_score(test.readable()).shape == (len(test), 1)
    forest = RandomForestRegressor(n_estimators=3, random_state=0)
    with pytest.raises(DataError, match=r"must not be fitted on `data\.X`"):
        xd.distill(forest.fit(train.X, train.y), xd.DecisionTree(), train)
    forest.fit(train.readable(), train.y)
    xd.distill(forest, xd.DecisionTree(max_leaves=4), train, transfer="training-rows")


def test_the_report_says_what_moves_the_property(study, folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    text = (folder / "report.md").read_text(encoding="utf-8")
    section = page[page.index('<section id="molecules">') :]
    section = section[: section.index("</section>")]
    assert section.count('<figure class="structures">') >= 3
    assert "aromatic carbocycle" in section
    change = study.molecule_insight.pairs.transformations[0].name
    assert f"{change}</th>" in section
    assert "Activity cliffs" in section
    assert "fill:#FFD88C" in section  # what differs is marked
    for told in ("Molecules: what moves the property", f"| {change} |", "similarity 0"):
        assert told in text
    near = study.molecule_insight.near
    assert near
    for each in near:
        assert each.smiles in text.replace("\\", "")


def test_a_study_of_other_rows_or_of_none_has_no_section_of_molecules(study):
    alone = dataclasses.replace(study.comparison, data=None)
    assert dataclasses.replace(study, comparison=alone).molecule_insight is None


def test_without_training_rows_pairs_are_of_test_molecules(known):
    insight = known.molecule_insight
    assert insight.n_all == len(known.comparison.data)
    assert insight.pairs.n_training == 0
    assert insight.near == ()
