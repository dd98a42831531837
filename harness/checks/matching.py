"""Whether an actual value meets an expected one.

An expected object is met by an object that has at least its fields, an expected list by a list of
the same length whose items meet its items, and any other value by an equal one. In place of a value
there may be an operator: ``{$one_of: [..]}``, ``{$contains: text}``, ``{$at_most: number}``,
``{$any: true}`` (present and not null) and ``{$open: why}`` (undecided; only recorded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import UnionType

    from harness.model import JSON

_IDS = frozenset({"id", "response_id"})  # the fields of an outcome that are ids
_FOREIGN = frozenset(
    {"arguments", "citations", "data"}
)  # fields whose values belong to the provider or the model
ONE_OF, AT_MOST, OPEN = "$one_of", "$at_most", "$open"


# The values that an operator accepts, where it does not accept all.
_TAKES: Mapping[str, tuple[type | UnionType, str]] = {
    ONE_OF: (list, "a list of choices"),
    AT_MOST: (int | float, "a number"),
}


def matches(expected: JSON, actual: JSON) -> bool:
    """Return whether an actual value meets the expected one."""
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
    """Return a value whose ids are replaced by the order in which they first occur.

    Equal ids stay equal, so that values with random ids can be compared.
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
            named[key] = item if key in _FOREIGN else with_ordinals(item, seen)
    return named


def is_open(expected: JSON) -> bool:
    """Return whether a scenario leaves this value undecided."""
    return isinstance(expected, dict) and OPEN in expected


def invalid_expectation(expected: JSON) -> str | None:
    """Return why an expected value cannot be evaluated, such as an unknown operator, or None."""
    if isinstance(expected, list):
        return next(filter(None, map(invalid_expectation, expected)), None)
    if not isinstance(expected, dict):
        return None
    for word, value in expected.items():
        if word.startswith("$") and word not in _OPERATORS:
            return str(UnknownWordError("operator", word, _OPERATORS))
        if word in _OPERATORS and len(expected) > 1:
            return f"{word} must be the only key of its mapping"
        kind, called = _TAKES.get(word, (object, ""))
        if not isinstance(value, kind):
            return f"{word} takes {called}"
    return invalid_expectation(list(expected.values()))


def focus(expected: JSON, actual: JSON) -> JSON:
    """Reduce an actual value to the fields that were expected, so that a report stays short."""
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
