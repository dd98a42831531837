"""What properties compare of two outcomes, by the keys that a scenario's ``must`` has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fuzzing.properties.property import Counterexample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.engine.results import TargetResult
    from harness.model import JSON, Outcome
    from harness.wire.script import Script

_NOT_CONTENT = frozenset({"stop_reason", "usage", "error", "ping"})
_CALL = ("name", "arguments_raw", "arguments", "complete")  # a target may create its own ids


def view(outcome: Outcome) -> dict[str, JSON]:
    """Return what no preserving mutation of a stream may change."""
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


def view_with_chunks(outcome: Outcome) -> dict[str, JSON]:
    """Return the view and the chunks of content, without ids."""
    content = (chunk for chunk in outcome.chunks if chunk.kind not in _NOT_CONTENT)
    return {**view(outcome), "chunks": [chunk._replace(id=None).dump() for chunk in content]}


def compare(
    script: Script,
    expected: Mapping[str, JSON],
    result: TargetResult,
    actual: Mapping[str, JSON],
    why: str,
) -> Counterexample | None:
    """Return a counterexample if a view differs from the expected one, or the target misbehaved.

    Args:
        script: what was sent.
        expected: the view that the property requires.
        result: what the target delivered.
        actual: the view of that.
        why: one sentence for the counterexample.
    """
    if result.problem:
        return Counterexample(script, why=result.problem)
    names = [name for name in expected if not _matches(expected[name], actual.get(name))]
    if not names:
        return None
    return Counterexample(
        script,
        {name: expected[name] for name in names},
        {name: actual.get(name) for name in names},
        why,
    )


def _matches(expected: JSON, actual: JSON) -> bool:
    """Return whether a value is as expected; of an object, only the expected keys are compared."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(_matches(value, actual.get(key)) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_matches, expected, actual))
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)
