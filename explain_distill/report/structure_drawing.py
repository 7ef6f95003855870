"""Molecules side by side as SVG, in one position, what differs between them marked."""

from __future__ import annotations

from explain_distill.report.alignment import compared
from explain_distill.report.blocks import Structure, StructureRow, Structures
from explain_distill.report.molecule_drawing import Colour, drawn_svg, placed
from explain_distill.report.svg import FAINT, INK, LINE, drawing, element, shorten, text, wrapped

ACROSS = 4  # molecules on a line
WIDTH, HEIGHT = 292.0, 170.0  # of one molecule, in pixels
TITLE, LINE_HEIGHT, GAP = 28.0, 17.0, 18.0
INSET = 8.0
SIZE = 12.5  # of words
BOND = 26.0  # so that small molecules are drawn no larger than others
MARK: Colour = (1.0, 0.85, 0.55)


def structures_plot(block: Structures) -> str:
    """Draw molecules, those of a row beside each other; several short rows share a line.

    Parameters
    ----------
    block : Structures

    Returns
    -------
    str
        An ``<svg>`` element without outside references.
    """
    longest = max((len(row.structures) for row in block.rows), default=1)
    beside = max(1, ACROSS // longest)
    n_lines = max((len(_lines(each)) for row in block.rows for each in row.structures), default=0)
    height = TITLE + HEIGHT + n_lines * LINE_HEIGHT + GAP
    content = ""
    for place, row in enumerate(block.rows):
        left = place % beside * longest * WIDTH
        top = place // beside * height
        content += _row(row, left, top)
    n_down = -(-len(block.rows) // beside)
    across = min(beside, len(block.rows)) * longest
    return drawing(content, across * WIDTH, n_down * height, block.caption)


def _row(row: StructureRow, left: float, top: float) -> str:
    """Draw the molecules of one comparison under their title."""
    width = len(row.structures) * WIDTH
    content = element(
        "line", x1=left, x2=left + width - 2 * INSET, y1=top + 4, y2=top + 4, stroke=LINE
    )
    title = shorten(row.title, width - 3 * INSET, 13)
    content += text(left, top + 22, title, 13, fill=INK, font_weight=600)
    for column, (molecule, marked) in enumerate(compared([s.smiles for s in row.structures])):
        at, each = left + column * WIDTH, row.structures[column]
        chosen = marked if each.marked is None else each.marked
        svg = drawn_svg(molecule, dict.fromkeys(chosen, MARK), (WIDTH - 2 * INSET, HEIGHT), BOND)
        content += placed(svg, at, top + TITLE)
        for number, words in enumerate(_lines(each)):
            y = top + TITLE + HEIGHT + (number + 0.8) * LINE_HEIGHT
            content += text(at, y, words, SIZE, fill=FAINT if number else INK)
    return content


def _lines(each: Structure) -> list[str]:
    """Break what is said of a molecule into lines of its width."""
    return [line for words in each.lines for line in wrapped(words, WIDTH - 2 * INSET, SIZE)]
