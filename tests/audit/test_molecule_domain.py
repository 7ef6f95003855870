"""Which molecules are like those that were trained on."""

import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from explain_distill.audit.molecule_domain import Domain

ALKANES = ["C" * n + "O" for n in range(2, 12)]


@pytest.fixture(scope="module")
def domain():
    return Domain(ALKANES)


def test_the_nearest_molecule_of_a_training_molecule_is_itself(domain):
    first, *others = domain.nearest(ALKANES[3], 3)
    assert (first.place, first.similarity) == (3, 1.0)
    assert others[0].similarity >= others[1].similarity


def test_a_training_molecule_is_within(domain):
    assert domain.doubts(ALKANES[4]) == ()


def test_an_unlike_molecule_is_outside_for_named_reasons(domain):
    doubts = domain.doubts("O=S(=O)(N)c1cc(Cl)c(Br)cc1I")
    assert doubts[0].startswith("its nearest training molecule has a similarity of 0.")
    assert any(
        "its molecular weight is 396.4 g/mol, and training molecules have" in d for d in doubts
    )
    assert any(d.startswith("its polar surface area is 60.16 Å²") for d in doubts)


def test_most_training_molecules_are_as_near_to_another_as_is_usual(domain):
    near = [domain.nearest(each, 2)[1].similarity for each in ALKANES]
    assert sum(value >= domain.usual for value in near) >= 0.9 * len(near)
