"""What the page of one molecule says."""

from __future__ import annotations

from explain_distill.app.words import plain
from explain_distill.data.dataset import Task

NO_TEACHER = (
    "This study does not hold its teacher, so that molecules can be shown to its students only."
)
FRAGMENTS_NOTE = (
    "A share is what the fragment adds to the score, on the mean over all orders in which the "
    "fragments can be put in, from methane up to the whole molecule; two fragments of one kind are "
    "told apart. ± is two standard errors where orders were drawn; without it, all were asked for. "
    "'Without it' is the molecule that is left when the fragment is taken off."
)
ATOMS_NOTE = (
    "Left, atoms of the teacher's graph are blanked one by one, in all or many orders, and atoms "
    "that symmetry makes alike share alike; right, gradients are followed from a blank graph to "
    "the molecule's, and a bond's part goes to its two atoms in halves. They are told against a "
    "graph without any features, not against methane, so that signs may differ from those of "
    "fragments. A blanked atom makes no "
    "molecule, so the teacher is asked about what it was never trained on: read it beside the "
    "fragments, not in their place. Students see no graph and cannot be asked this."
)
ON_ATOMS_NOTE = (
    "Shapley values of the student's readable features, against training molecules: what a feature "
    "adds is put on the atoms that make it, in equal parts where it counts, by area where it is an "
    "area. Features of the whole molecule, such as logP, and groups that it lacks stand in the "
    "table, with two standard errors. These are shares of features, those above shares of "
    "fragments: they answer other questions."
)
DOMAIN_NOTE = (
    "Similarity is Tanimoto's, of Morgan fingerprints of radius 2 that count. A molecule like the "
    "training molecules may still be told badly; one unlike them should be told of with care."
)
NO_TRAINING = "The training molecules were not kept in this study, so nearness cannot be told."


def other_leaves(answer: str) -> str:
    """Say that a soft tree's answer is that of all of its leaves."""
    return (
        "This is the most probable way. The other leaves hold the rest, and all of them together "
        f"say **{plain(answer)}**."
    )


def near_note(task: Task) -> str:
    """Say which molecules were looked at, and what another answer is."""
    other = (
        "a value that is a standard deviation of the training values away, or more"
        if task.kind == "regression"
        else "another class"
    )
    return (
        f"Another answer is {other}. Looked at are the training molecules and what is made of the "
        "molecule, by taking one or two fragments off or putting another fragment in the place of "
        "one, within the training molecules' range of weight, logP and polar surface. A molecule "
        "that was made is sound to RDKit; whether it can be made in a flask was not checked, and "
        "of it only the models speak."
    )
