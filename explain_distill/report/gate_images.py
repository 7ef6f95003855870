"""The gates of a soft tree of images, drawn as images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explain_distill._types import BoolArray, FloatArray, IntArray, ReadableRows
from explain_distill.data.images import pixel_places
from explain_distill.exceptions import DataError
from explain_distill.students.soft_tree import SoftTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LEVELS = 5
SMALL = 0.05  # a class with a smaller share of a branch's rows is not named
STRONG = 99.5  # percentile of absolute weights that gets the strongest colour
CELL, LEVEL = 1.84, 1.5  # inches from filter to filter, and from level to level
TOP, BOTTOM = 0.75, 0.75  # inches from the first and the last picture's middle to the edge
LEFT, RIGHT, LINE, INK = "#2166ac", "#b2182b", "#b8b8b8", "#222222"


@dataclass(frozen=True)
class Branch:
    """A node of the drawn part, or what lies below it.

    Parameters
    ----------
    node : int
        A gate, or a leaf as ``-1 - leaf``.
    level : int
    place : float
        From 0 (left) to 1 (right).
    rows : ndarray of shape (n_samples,)
        Which rows come here by the more probable side of each gate.
    """

    node: int
    level: int
    place: float
    rows: BoolArray


def draw_gates(
    tree: SoftTree, rows: ReadableRows, shape: tuple[int, int], *, levels: int = 4
) -> Figure:
    """Draw the filters of a tree's top gates, and which classes lie below them.

    A filter shows what one standard deviation of each pixel, among the images that come to the
    gate, adds to its logit: red sends an image to the right, blue to the left. Lines are as thick
    as the share of the rows that takes them by the most probable path. At the bottom stand the
    share of the images that come to each branch, their mean, and the classes that the tree gives
    them, the most frequent first.

    Parameters
    ----------
    tree : SoftTree
        Fitted to pixels.
    rows : ndarray of shape (n_samples, n_pixels)
        Images, in raw units: all pixels row by row, or those that the tree's features name
        (``"pixel row 1, column 3"``).
    shape : tuple of int
        Height and width of the images.
    levels : int, default=4
        How many levels of gates are drawn.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        Where the columns are no pixels of `shape`, or `levels` is out of range.

    References
    ----------
    Frosst & Hinton (2017), Distilling a neural network into a soft decision tree, figures 2 and 4.
    """
    from matplotlib.figure import Figure

    places = pixel_places([feature.name for feature in tree.readable_features()], shape)
    if not 1 <= levels <= MOST_LEVELS:
        raise DataError(
            f"levels must be from 1 to {MOST_LEVELS}; however, got {levels!r}. "
            "4 levels are 15 filters."
        )
    branches = list(_branches(tree, rows, levels))
    width = max(2 ** (levels - 1), 2) * CELL
    tall = LEVEL * max(branch.level for branch in branches) + TOP + BOTTOM
    figure = Figure(figsize=(width, tall), facecolor="white")
    canvas = _whole(figure)
    heights = [1 - (TOP + LEVEL * level) / tall for level in range(levels + 1)]
    answers = tree.predict(rows)
    for branch in branches:
        _lines(canvas, branch, branches, heights)
    for branch in branches:
        if branch.node >= 0 and branch.level < levels:
            image = _image(filter_weights(tree, branch.node, rows[branch.rows]), places, shape)
            _filter(figure, image, branch, heights[branch.level])
        elif branch.rows.any():
            image = _image(rows[branch.rows].mean(axis=0), places, shape)
            _ending(figure, tree, branch, image, answers, heights[branch.level])
    _legend(canvas)
    return figure


def _branches(tree: SoftTree, rows: ReadableRows, levels: int) -> Iterator[Branch]:
    """Give the branches of the drawn part from the root on, level by level."""
    logits = tree.gates(rows)
    waiting = [Branch(0, 0, 0.5, np.ones(len(rows), dtype=bool))]
    while waiting:
        branch = waiting.pop(0)
        yield branch
        if branch.node < 0 or branch.level == levels:
            continue
        goes_right = logits[:, branch.node] > 0
        step = 2.0 ** -(branch.level + 2)
        for side, taken in enumerate((~goes_right, goes_right)):
            child = int(tree.children_[branch.node, side])
            place = branch.place + step * (2 * side - 1)
            waiting.append(Branch(child, branch.level + 1, place, branch.rows & taken))


def filter_weights(tree: SoftTree, gate: int, rows: ReadableRows) -> FloatArray:
    """Give what one standard deviation of each pixel adds to a gate's logit: ``(n_pixels,)``.

    The deviation is that among `rows`, the images that come to the gate; one image alone has none,
    and is taken for all that the tree learned. A pixel that was constant then adds nothing.
    """
    n_pixels, scale = len(tree.preparation_.scale), tree.preparation_.scale
    weights = tree.gate_weights_[:n_pixels, gate] * tree.inverse_temperatures_[gate]
    spread = rows.std(axis=0) / scale if len(rows) > 1 else np.isfinite(scale).astype(np.float64)
    return np.asarray(weights * spread)


def _image(values: FloatArray, places: IntArray, shape: tuple[int, int]) -> FloatArray:
    """Put the values of pixels in their places; the others are 0."""
    image = np.zeros(shape)
    image.flat[places] = values
    return image


def _whole(figure: Figure) -> Any:
    """Lay axes over the whole figure, from 0 to 1 both ways."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    return axes


def _lines(canvas: Any, branch: Branch, branches: list[Branch], heights: list[float]) -> None:
    """Draw the lines to a branch's children."""
    for child in branches:
        apart = abs(abs(child.place - branch.place) - 2.0 ** -(branch.level + 2))
        if child.level != branch.level + 1 or apart > 1e-9:
            continue
        canvas.plot(
            (branch.place, child.place),
            (heights[branch.level], heights[child.level]),
            color=LEFT if child.place < branch.place else RIGHT,
            alpha=0.45,
            linewidth=0.6 + 14 * child.rows.mean(),
            solid_capstyle="round",
            zorder=1,
        )


def _picture(figure: Figure, place: float, height: float, size: float) -> Any:
    """Lay square axes of `size` inches around a place of the figure."""
    wide, tall = size / figure.get_figwidth(), size / figure.get_figheight()
    axes = figure.add_axes((place - wide / 2, height - tall / 2, wide, tall))
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=LINE, linewidth=0.8)
    return axes


def _filter(figure: Figure, image: FloatArray, branch: Branch, height: float) -> None:
    strongest = max(float(np.percentile(np.abs(image), STRONG)), 1e-12)
    axes = _picture(figure, branch.place, height, 1.15)
    axes.imshow(image, cmap="RdBu_r", vmin=-strongest, vmax=strongest, interpolation="nearest")


def _ending(
    figure: Figure,
    tree: SoftTree,
    branch: Branch,
    image: FloatArray,
    answers: np.ndarray,
    height: float,
) -> None:
    """Draw the mean image of a branch, and name the classes of its rows below."""
    answers = answers[branch.rows]
    axes = _picture(figure, branch.place, height, 0.72)
    axes.imshow(image, cmap="gray_r", interpolation="nearest")
    named = [
        (float(np.mean(answers == code)), str(name))
        for code, name in zip(tree.classes_, tree.class_names(), strict=True)
    ]
    named = sorted((pair for pair in named if pair[0] >= SMALL), reverse=True)
    axes.set_xlabel("  ".join(name for _, name in named[:4]), fontsize=12, color=INK, labelpad=3)
    title = axes.set_title(f"{100 * branch.rows.mean():.0f} %", fontsize=8.5, color=INK, pad=3)
    title.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})


def _legend(canvas: Any) -> None:
    for height, text, colour in (
        (0.975, "blue: to the left", LEFT),
        (0.945, "red: to the right", RIGHT),
    ):
        canvas.text(0.012, height, text, fontsize=10, color=colour, va="center")
