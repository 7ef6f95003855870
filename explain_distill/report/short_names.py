"""Long names cut short for axes, and kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

LONGEST = 34
"""Characters of a name on an axis."""


def short_names(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Shorten long names, and keep them apart: in the middle, or around where they differ."""
    short = [_without_middle(name, longest) for name in names]
    for text, n in Counter(short).items():
        if n > 1:
            alike = [place for place, other in enumerate(short) if other == text]
            apart = _around_difference([names[place] for place in alike], longest)
            for place, told in zip(alike, apart, strict=True):
                short[place] = told
    seen: Counter[str] = Counter()
    for place, text in enumerate(short):
        seen[text] += 1
        if seen[text] > 1:
            short[place] = f"{text} ({seen[text]})"
    return short


def _without_middle(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    head = (longest - 1) // 2
    return f"{name[:head].rstrip()}…{name[head + 1 - longest :].lstrip()}"


def _around_difference(names: Sequence[str], longest: int) -> list[str]:
    """Cut names that begin alike to where they begin to differ."""
    letters = enumerate(zip(*names, strict=False))
    differ = next((place for place, found in letters if len(set(found)) > 1), 0)
    start = max(0, differ - longest // 3)
    ends = start + longest - 2
    return [f"…{name[start:ends].strip()}{'…' if len(name) > ends else ''}" for name in names]
