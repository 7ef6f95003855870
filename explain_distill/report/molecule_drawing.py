"""Molecules as SVG, their atoms coloured by their share in the score, model beside model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.attribution.base import Attributions
from explain_distill.data.molecules import kinds_of, numbers_of, smiles_of
from explain_distill.report.alignment import compared
from explain_distill.report.blocks import ColouredMolecule, Molecules, written
from explain_distill.report.svg import CLASS_COLOURS, FAINT, INK, LINE, drawing, element, text

if TYPE_CHECKING:
    from explain_distill.study.study import Study

Colour: TypeAlias = tuple[float, float, float]

WIDTH, HEIGHT = 380.0, 250.0  # of one molecule, in pixels
TOP, LEGEND = 26.0, 46.0
SCALE_WIDTH = 480.0
RAISES, LOWERS = CLASS_COLOURS[0], CLASS_COLOURS[5]  # blue and vermilion
LEAST_KINDS = 3
SHOWN = 4
BOND = 36.0  # the longest that a bond is drawn, in pixels
STEPS = 41  # of the scale's bar


def shown_molecules(study: Study, models: list[str], places: IntArray, score: int) -> Molecules:
    """Put molecules side by side, as each model sees them.

    Parameters
    ----------
    study : Study
        Of molecules, with its rows.
    models : list of str
    places : ndarray of int
        Which of the attributed rows.
    score : int
        Whose shares are shown.
    """
    reasons, data = study.comparison.reasons, study.comparison.data
    assert data is not None
    numbers = numbers_of(data.X[reasons.rows[places]])
    rows = []
    for place, number in zip(places.tolist(), numbers.tolist(), strict=True):
        rows.append(
            tuple(
                ColouredMolecule(
                    smiles=smiles_of(number),
                    title=_title(study, model, int(reasons.rows[place]), score),
                    shares=tuple(
                        atom_shares(number, reasons.reference[model], place, score).tolist()
                    ),
                )
                for model in models
            )
        )
    unit = f" ({study.about.task.unit})" if study.about.task.unit else ""
    what = "the predicted value" if study.about.task.kind == "regression" else "the score"
    return Molecules(
        "Some test molecules, their atoms coloured by the share of their fragments in "
        f"{what}, per atom{unit}; all on one scale",
        tuple(rows),
    )


def _title(study: Study, model: str, row: int, score: int) -> str:
    told = study.comparison.scores[model][row]
    if study.about.task.kind == "regression":
        return f"{model}: {written(float(told[0]))}"
    shares = np.exp(told - told.max())
    name = study.about.task.class_names[score]
    return f"{model}: {name} {shares[score] / shares.sum():.0%}"


def atom_shares(number: float, told: Attributions, place: int, score: int) -> FloatArray:
    """Spread the share of each kind of fragment evenly over its atoms: ``(n_atoms,)``."""
    kinds = np.array(kinds_of(number), dtype=np.int64)
    if not len(kinds):
        return np.zeros(1)
    counts = np.bincount(kinds, minlength=told.values.shape[1])
    return np.asarray(told.values[place, kinds, score] / counts[kinds])


def first_molecules(study: Study) -> IntArray:
    """Give the first attributed rows whose molecules have several kinds of fragments."""
    present = study.comparison.reasons.present
    assert present is not None
    several = np.flatnonzero(present.sum(axis=1) >= LEAST_KINDS)
    return several[:SHOWN] if len(several) else np.arange(min(SHOWN, len(present)))


def molecules_plot(block: Molecules) -> str:
    """Draw molecules, a row each and a model a column.

    Parameters
    ----------
    block : Molecules

    Returns
    -------
    str
        An ``<svg>`` element without outside references.
    """
    shares = [share for row in block.rows for each in row for share in each.shares]
    limit = max(map(abs, shares), default=0.0) or 1.0
    across = max(map(len, block.rows), default=1)
    width = max(across * WIDTH, SCALE_WIDTH)
    content = _scale(limit)
    for number, row in enumerate(block.rows):
        top = LEGEND + number * (TOP + HEIGHT)
        for column, each in enumerate(row):
            left = column * WIDTH
            content += text(left + 8, top + 17, each.title, 13, fill=INK, font_weight=600)
            content += placed(molecule_svg(each, limit), left, top + TOP)
        content += element("line", x1=0, x2=width, y1=top, y2=top, stroke=LINE)
    height = LEGEND + len(block.rows) * (TOP + HEIGHT)
    return drawing(content, width, height, block.caption)


def molecule_svg(each: ColouredMolecule, limit: float) -> str:
    """Draw one molecule with RDKit, each atom on a disc of its colour."""
    (first, _), *others = compared(list(filter(None, (each.like, each.smiles))))
    molecule = others[0][0] if others else first
    coloured = {
        atom: _colour(share / limit)
        for atom, share in enumerate(each.shares)
        if abs(share) > 1e-3 * limit
    }
    return drawn_svg(molecule, coloured, (WIDTH, HEIGHT), BOND)


def drawn_svg(
    molecule: Any, coloured: dict[int, Colour], size: tuple[float, float], bond: float = -1.0
) -> str:
    """Draw a molecule that has coordinates, some atoms on discs.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
    coloured : dict of int to tuple
        Red, green and blue from 0 to 1, by atom.
    size : tuple of two floats
        Width and height in pixels.
    bond : float, default=-1.0
        The length of a bond in pixels, where there is room for it; as long as can be where
        negative.
    """
    from rdkit.Chem.Draw import rdMolDraw2D

    pen = rdMolDraw2D.MolDraw2DSVG(*map(int, size))
    options = pen.drawOptions()
    options.clearBackground = False
    options.padding = 0.08
    options.fixedBondLength = bond
    options.useBWAtomPalette()
    options.fillHighlights = True
    options.highlightRadius = 0.42
    options.flagCloseContactsDist = -1  # red is for nothing else
    rdMolDraw2D.PrepareAndDrawMolecule(
        pen,
        molecule,
        highlightAtoms=list(coloured),
        highlightAtomColors=coloured,
        highlightBonds=[],
        kekulize=True,
    )
    pen.FinishDrawing()
    return str(pen.GetDrawingText())


def placed(svg: str, left: float, top: float) -> str:
    """Give RDKit's drawing as an element within another, at a place."""
    inner = svg[svg.index("<svg") :]
    inner = re.sub(r"<!--.*?-->|\sxmlns(:\w+)?='[^']*'|\sxml:space='[^']*'", "", inner)
    inner = re.sub(r"\sbaseProfile='[^']*'|\sversion='[^']*'", "", inner, count=2)
    return inner.replace("<svg", f"<svg x='{left:g}' y='{top:g}'", 1).strip()


def _colour(share: float) -> Colour:
    """Give red, green and blue from 0 to 1: white at 0, full colour at -1 and 1."""
    full = RAISES if share > 0 else LOWERS
    strength = min(abs(share), 1.0) ** 0.7
    parts = (int(full[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (1 - strength * (1 - part) for part in parts)
    return red, green, blue


def _scale(limit: float) -> str:
    """Draw what the colours mean: a bar from the lowest share to the highest."""
    left, width, top = 110.0, 220.0, 8.0
    content = text(left - 8, top + 11, "lowers it", 12, fill=FAINT, text_anchor="end")
    content += text(left + width + 8, top + 11, "raises it, per atom", 12, fill=FAINT)
    step = width / STEPS
    for place in range(STEPS):
        red, green, blue = (round(255 * c) for c in _colour(2 * place / (STEPS - 1) - 1))
        content += element(
            "rect", x=left + place * step, y=top, width=step + 0.5, height=12,
            fill=f"#{red:02x}{green:02x}{blue:02x}",
        )  # fmt: skip
    for value, at in ((-limit, left), (0.0, left + width / 2), (limit, left + width)):
        content += text(at, top + 26, written(value), 11, fill=FAINT, text_anchor="middle")
    return content
