"""What laws compare of an outcome, by the keys that a scenario's ``must`` has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON, Outcome

_TAIL = frozenset({"stop_reason", "usage", "error", "ping"})
_CALL = ("name", "arguments_raw", "arguments", "complete")  # ids may be minted by the listener


def view(outcome: Outcome) -> dict[str, JSON]:
    """Return what no lawful variation of a stream may change."""
    return {
        "text": outcome.text,
        "reasoning": outcome.reasoning,
        "refusal": outcome.refusal,
        "kinds": [part.kind for part in outcome.content],
        "tool_calls": [
            {field: getattr(call, field) for field in _CALL} for call in outcome.tool_calls
        ],
        "finish": outcome.finish,
        "finish_raw": outcome.finish_raw,
        "ending": outcome.ending,
        "usage": outcome.usage and outcome.usage.model_dump(),
        "error": outcome.error and {"kind": outcome.error.kind},
    }


def chunks(outcome: Outcome) -> list[JSON]:
    """Return the chunks that say something, ids left aside."""
    said = (chunk for chunk in outcome.chunks if chunk.kind not in _TAIL)
    return [chunk._replace(id=None).dump() for chunk in said]


def emitted(outcome: Outcome) -> dict[str, int]:
    """Return how much was emitted."""
    letters = sum(len(chunk.text or "") + len(chunk.arguments or "") for chunk in outcome.chunks)
    return {"chunks": len(outcome.chunks), "letters": letters}


def differing(
    expected: Mapping[str, JSON], actual: Mapping[str, JSON]
) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """Return the fields in which two views differ, of both; a call is met by its named fields."""
    names = [name for name in expected if not _met(expected[name], actual.get(name))]
    return {name: expected[name] for name in names}, {name: actual.get(name) for name in names}


def _met(expected: JSON, actual: JSON) -> bool:
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(_met(value, actual.get(key)) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_met, expected, actual))
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)
