"""The few elements of SVG that drawings are made of, every text escaped."""

from __future__ import annotations

import re
from html import escape

CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe & Ito (2008): told apart with every common kind of colour vision."""

REST = "#D5D9DE"
INK = "#1F2933"
FAINT = "#5B6673"
LINE = "#B9C2CC"
PALE = "#F4F6F8"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

THIN = frozenset("ijl|'.,:; ")
NARROW = frozenset("ftrI!()[]-/·")
WIDE = frozenset("mwMW@%…—×=+−<>")


def text_width(words: str, size: float) -> float:
    """Estimate how wide a text of a font size is, in pixels, after a wide font (DejaVu Sans)."""
    return size * sum(_ems(character) for character in words)


def _ems(character: str) -> float:
    if character in THIN:
        return 0.33
    if character in NARROW:
        return 0.42
    if character in WIDE:
        return 0.92
    return 0.7 if character.isupper() else 0.62


def shorten(words: str, width: float, size: float) -> str:
    """Cut a text to a width by an ellipsis before its last third, where levels are told."""
    if text_width(words, size) <= width:
        return words
    for kept in range(len(words) - 1, 1, -1):
        head = (2 * kept + 2) // 3
        tail = kept - head
        cut = words[:head].rstrip() + "…" + (words[-tail:].lstrip() if tail else "")
        if text_width(cut, size) <= width:
            return cut
    return "…"


def wrapped(words: str, width: float, size: float) -> list[str]:
    """Break words into lines of a width, and a longer word after underscores, hyphens and slashes.

    What is longer still stands alone.
    """
    lines = [""]
    for word in words.split(" "):
        parts = [word] if text_width(word, size) <= width else re.findall(r"[^-_/]*[-_/]*", word)
        for place, part in enumerate(filter(None, parts)):
            longer = f"{lines[-1]}{'' if place else ' '}{part}".strip()
            if text_width(longer, size) <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def element(tag: str, content: str = "", /, **attributes: object) -> str:
    """Write an element; `content` is SVG already, attributes are escaped.

    An underscore in an attribute's name stands for a hyphen; numbers get at most one decimal.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def text(x: float, y: float, words: str, size: float = 12, **attributes: object) -> str:
    """Write a line of text at its baseline."""
    return element("text", escape(words), x=x, y=y, font_size=size, **attributes)


def titled(content: str, words: str) -> str:
    """Group elements under a title, which browsers show when the pointer rests there."""
    return element("g", element("title", escape(words)) + content)


def drawing(content: str, width: float, height: float, label: str) -> str:
    """Write a drawing that stands alone, and says in words what it shows."""
    return element(
        "svg",
        content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        style="max-width:100%;height:auto",
        role="img",
        aria_label=label,
        font_family=FONT,
        fill=INK,
    )


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
