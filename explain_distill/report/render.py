"""The report's forms: one HTML file, Markdown, JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from explain_distill._types import Json
from explain_distill.exceptions import UnknownNameError
from explain_distill.report.blocks import (
    Bars,
    Block,
    Dots,
    Figure,
    Item,
    Molecules,
    Report,
    Shapes,
    Sizes,
    Structures,
    Tree,
)
from explain_distill.report.molecule_drawing import molecules_plot
from explain_distill.report.plots import bars_plot, dots_plot
from explain_distill.report.sections import build_report
from explain_distill.report.shapes_plot import shapes_plot
from explain_distill.report.sizes_plot import sizes_plot
from explain_distill.report.structure_drawing import structures_plot
from explain_distill.report.tree_drawing import draw_tree
from explain_distill.study.output import write_whole

if TYPE_CHECKING:
    from explain_distill.study.study import Study

FORMAT = 1
MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]<>|#~])")


def write_report(study: Study, path: Path) -> Path:
    """Write a study's report; the path's suffix says the form.

    Parameters
    ----------
    study : Study
    path : Path
        Ends in ``.html``, ``.md`` or ``.json``.

    Returns
    -------
    Path

    Raises
    ------
    UnknownNameError
        Where the suffix is another one.
    OutputError
        Where the file cannot be written; what was there is unchanged.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMS:
        raise UnknownNameError.of("A report's suffix", path.suffix, FORMS)
    write_whole(path, FORMS[suffix](build_report(study)).encode("utf-8"))
    return path


def render_html(report: Report) -> str:
    """Give the report as one HTML page that loads nothing from elsewhere."""
    return _environment(html=True).get_template("report.html").render(report=report)


def render_markdown(report: Report) -> str:
    """Give the report as Markdown, its plots as tables."""
    text = _environment(html=False).get_template("report.md").render(report=report)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def render_json(report: Report) -> str:
    """Give the report as JSON: its sections and their blocks, figures in full precision."""
    sections = [
        {
            "key": section.key,
            "title": section.title,
            "blocks": [_block_json(block) for block in section.blocks],
        }
        for section in report.sections
    ]
    whole = {
        "format": FORMAT,
        "title": report.title,
        "created": report.created,
        "sections": sections,
    }
    return json.dumps(_finite(whole), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


FORMS: dict[str, Callable[[Report], str]] = {
    ".html": render_html,
    ".md": render_markdown,
    ".json": render_json,
}


def _block_json(block: Block) -> Json:
    """Give a block's fields and its kind; of a tree's questions the words."""
    kind = {"kind": type(block).__name__.lower()}
    if isinstance(block, Tree):
        nodes = [
            {
                "number": node.number,
                "level": node.level,
                "question": node.question and node.question.words(),
                "output": list(node.output),
                "reach": node.reach if block.weighed else None,
            }
            for node in block.nodes
        ]
        return kind | {"caption": block.caption, "nodes": nodes}
    return kind | asdict(block)


def _finite(value: Any) -> Any:
    """Replace what JSON has no number for by null."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -- templates -------------------------------------------------------------------------------------


def _environment(*, html: bool) -> Environment:
    """Set up the templates; HTML is escaped by itself, Markdown by ``md``."""
    environment = Environment(
        loader=PackageLoader("explain_distill.report"),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"md": escape_markdown, "lines": outline_lines, "code": _fence}
    environment.tests["figure"] = lambda cell: isinstance(cell, Figure)
    environment.globals |= {"kind": lambda block: type(block).__name__.lower(), "draw": _draw}
    return environment


def _draw(block: Dots | Sizes | Bars | Shapes | Tree | Molecules | Structures) -> Markup:
    """Draw a block; drawings escape their text themselves."""
    if isinstance(block, Dots):
        return Markup(dots_plot(block))
    if isinstance(block, Sizes):
        return Markup(sizes_plot(block))
    if isinstance(block, Bars):
        return Markup(bars_plot(block))
    if isinstance(block, Shapes):
        return Markup(shapes_plot(block))
    if isinstance(block, Molecules):
        return Markup(molecules_plot(block))
    if isinstance(block, Structures):
        return Markup(structures_plot(block))
    return Markup(draw_tree(list(block.nodes), block.task, weighed=block.weighed))


def escape_markdown(text: str) -> str:
    """Write text so that Markdown shows it as it is."""
    return MARKDOWN_SIGNS.sub(r"\\\1", text.replace("&", "&amp;").replace("\n", " "))


def outline_lines(items: tuple[Item, ...], level: int = 0) -> str:
    """Write nested lines as a Markdown list."""
    written = ""
    for item in items:
        lead = f"**{escape_markdown(item.lead)}:** " if item.lead else ""
        written += f"{'  ' * level}- {lead}{escape_markdown(item.text)}\n"
        written += outline_lines(item.items, level + 1)
    return written


def _fence(text: str) -> str:
    """Fence code with more backticks than it holds in a row."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
