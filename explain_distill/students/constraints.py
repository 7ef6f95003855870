"""What boosted trees may not do: fall where they must rise, or ask for features together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from explain_distill._ranges import Range
from explain_distill.data.readable_features import ReadableFeature
from explain_distill.exceptions import DataError, UnknownNameError

FeatureName: TypeAlias = str | int
"""A feature by its name, or by its number among the readable features."""


def monotone_signs(
    wanted: Mapping[FeatureName, int] | Sequence[tuple[FeatureName, int]],
    features: Sequence[ReadableFeature],
    n_outputs: int,
) -> list[int]:
    """Give +1 for each feature in which the output must not fall, -1 for not rise, else 0.

    Parameters
    ----------
    wanted : mapping of str or int to {-1, 0, 1}, or its pairs
    features : sequence of ReadableFeature
    n_outputs : int
        Scores of several classes cannot all rise together, since they are centred.

    Raises
    ------
    DataError, UnknownNameError
    """
    if n_outputs > 1:
        raise DataError(
            f"monotone must be of one output; however, there are {n_outputs} classes, whose "
            "scores cannot rise together. Leave it out, or learn one class against the rest."
        )
    try:
        signs_of = dict(wanted)
    except (TypeError, ValueError):
        raise DataError(
            "monotone must map features to -1, 0 or 1; however, got "
            f"{wanted!r}. Give a dict, such as {{'age': 1}}."
        ) from None
    signs = [0] * len(features)
    for name, sign in signs_of.items():
        if sign not in (-1, 0, 1):
            raise DataError(
                f"monotone must map features to -1, 0 or 1; however, {name!r} has {sign!r}. "
                "1 is for an output that must not fall as the feature rises."
            )
        signs[_place(name, features, "A feature of monotone")] = int(sign)
    return signs


def interaction_groups(
    wanted: Sequence[Sequence[FeatureName]], features: Sequence[ReadableFeature]
) -> list[list[int]]:
    """Give the groups of features that may stand on one path, each other feature alone.

    A category's name stands for all of its levels.

    Raises
    ------
    DataError, UnknownNameError
    """
    if not _is_list(wanted) or not all(map(_is_list, wanted)):
        raise DataError(
            "interactions must be a list of lists of features; however, got "
            f"{wanted!r}. Give groups, such as [['age', 'sex']]."
        )
    groups = [
        sorted({place for name in group for place in _places(name, features)}) for group in wanted
    ]
    named = {place for group in groups for place in group}
    return groups + [[place] for place in range(len(features)) if place not in named]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _places(name: FeatureName, features: Sequence[ReadableFeature]) -> list[int]:
    levels = [
        place
        for place, feature in enumerate(features)
        if feature.level is not None and feature.name == f"{name}={feature.level}"
    ]
    return levels or [_place(name, features, "A feature of interactions")]


def _place(name: FeatureName, features: Sequence[ReadableFeature], what: str) -> int:
    names = [feature.name for feature in features]
    if isinstance(name, str):
        if name not in names:
            raise UnknownNameError.of(what, name, names)
        if names.count(name) > 1:
            places = [place for place, each in enumerate(names) if each == name]
            raise DataError(
                f"{what} must be told from others by its name; however, {name!r} is that of "
                f"features {' and '.join(map(str, places))}. Give its number."
            )
        return names.index(name)
    if name not in Range(0, len(names) - 1, whole=True):
        raise DataError(
            f"{what} must be a name, or a number from 0 to {len(names) - 1}; however, got {name!r}."
        )
    return int(name)
