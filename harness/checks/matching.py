"""Does an actual value meet an expected one?

An object is met by one that has at least its fields, a list by one of the same length, anything
else by its equal. Where a plain value may stand, so may ``{$one_of: [..]}``, ``{$contains: text}``,
``{$at_most: number}``, ``{$any: true}`` (present and not null) and ``{$open: why}`` (nobody can
say; only recorded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import UnionType

    from harness.model import JSON

_IDS = frozenset({"id", "response_id"})  # the fields of an outcome that name something
_THEIRS = frozenset({"arguments", "citations", "data"})  # what is in them is not ours to name
ONE_OF, AT_MOST, OPEN = "$one_of", "$at_most", "$open"


# What an operator takes, where not everything will do.
_TAKES: Mapping[str, tuple[type | UnionType, str]] = {
    ONE_OF: (list, "a list of choices"),
    AT_MOST: (int | float, "a number"),
}


def matches(expected: JSON, actual: JSON) -> bool:
    """Say whether an actual value meets the expected one."""
    if isinstance(expected, dict):
        operator = _operator(expected)
        if operator is not None:
            return operator(next(iter(expected.values())), actual)
        return isinstance(actual, dict) and all(
            matches(value, actual.get(key)) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(map(matches, expected, actual))
        )
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    return bool(expected == actual)


def with_ordinals(value: JSON, seen: dict[str, str] | None = None) -> Any:
    """Return a value with its ids written as the order in which they were first seen.

    Two uses of one id stay one id, so ids that are minted at random can be compared.
    """
    seen = {} if seen is None else seen
    if isinstance(value, list):
        return [with_ordinals(item, seen) for item in value]
    if not isinstance(value, dict):
        return value
    named: dict[str, JSON] = {}
    for key, item in value.items():
        if key in _IDS and isinstance(item, str):
            named[key] = seen.setdefault(item, f"id-{len(seen) + 1}")
        else:
            named[key] = item if key in _THEIRS else with_ordinals(item, seen)
    return named


def is_open(expected: JSON) -> bool:
    """Say whether the law leaves this value open."""
    return isinstance(expected, dict) and OPEN in expected


def flaw(expected: JSON) -> str | None:
    """Say why an expected value could never be judged, or None: an operator nobody knows."""
    if isinstance(expected, list):
        return next(filter(None, map(flaw, expected)), None)
    if not isinstance(expected, dict):
        return None
    for word, value in expected.items():
        if word.startswith("$") and word not in _OPERATORS:
            return str(UnknownWordError("operator", word, _OPERATORS))
        if word in _OPERATORS and len(expected) > 1:
            return f"{word} stands alone, without other keys beside it"
        kind, called = _TAKES.get(word, (object, ""))
        if not isinstance(value, kind):
            return f"{word} takes {called}"
    return flaw(list(expected.values()))


def focus(expected: JSON, actual: JSON) -> JSON:
    """Cut an actual value down to the fields that were expected, so that a report stays short."""
    if isinstance(expected, dict) and isinstance(actual, dict) and _operator(expected) is None:
        return {key: focus(value, actual.get(key)) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return list(map(focus, expected, actual))
    return actual


def _operator(expected: Mapping[str, JSON]) -> Callable[[JSON, JSON], bool] | None:
    return _OPERATORS.get(next(iter(expected))) if len(expected) == 1 else None


def _one_of(choices: JSON, actual: JSON) -> bool:
    return any(matches(choice, actual) for choice in choices)


def _contains(text: JSON, actual: JSON) -> bool:
    return isinstance(actual, str) and str(text) in actual


def _at_most(bound: JSON, actual: JSON) -> bool:
    return isinstance(actual, int | float) and not isinstance(actual, bool) and actual <= bound


def _any(present: JSON, actual: JSON) -> bool:
    return (actual is not None) is bool(present)


def _open(_why: JSON, _actual: JSON) -> bool:
    return True


_OPERATORS: Mapping[str, Callable[[JSON, JSON], bool]] = {
    ONE_OF: _one_of,
    "$contains": _contains,
    AT_MOST: _at_most,
    "$any": _any,
    OPEN: _open,
}
