"""What an SDK delivered for one stream, and how its finished objects are read.

What an object holds is taken over; what it lacks is not invented. A tool call is complete if its
arguments are one JSON object and nothing indicates that it was cut off. Objects are read by
attribute: SDKs build them without validation, so any field may be missing or of another type.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from harness.model import Reasoning, Text, ToolCall
from harness.protocols import protocol
from harness.streaming.usage import counts_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON, FinishReason, Part, Usage

# Parts without content, which are left out.
EMPTY: tuple[Part, ...] = (Text(text=""), Reasoning(text=""))

# Finish reasons after which nothing was cut off.
_NORMAL: frozenset[FinishReason] = frozenset({"stop", "tool_calls"})


class SdkResult(NamedTuple):
    """What an SDK delivered: its finished object, or what was read of the stream so far."""

    content: tuple[Part, ...] = ()
    finish_raw: str | None = None
    usage: Usage | None = None
    response_id: str | None = None
    model: str | None = None


class UsageTable(NamedTuple):
    """Where a protocol's usage object has our counts.

    Args:
        paths: our field -> the dotted path of the provider's count.
        added: our field -> the paths of further counts, added to the field's own, if the provider
            counts them separately.
    """

    paths: Mapping[str, str]
    added: Mapping[str, tuple[str, ...]] = {}


def usage_from(table: UsageTable, *reports: object) -> Usage | None:
    """Return the usage that usage objects report; later objects replace fields of earlier ones."""
    counts: dict[str, int] = {}
    extra: dict[str, int] = {}
    further = {path: path for paths in table.added.values() for path in paths}
    for report in reports:
        counts.update(counts_of(report, table.paths))
        extra.update(counts_of(report, further))
    for field, paths in table.added.items():
        if field in counts:
            counts[field] += sum(extra.get(path, 0) for path in paths)
    return usage_of(counts)


def ended_normally(protocol_name: str, finish_raw: str | None) -> bool:
    """Return whether a provider's finish word means that nothing was cut off."""
    return protocol(protocol_name).finish.get(finish_raw or "") in _NORMAL


def tool_call(
    call_id: object,
    name: object,
    arguments: object,
    *,
    finished: bool = True,
    signature: str | None = None,
) -> ToolCall:
    """Return a tool call, its arguments parsed as the SDKs' documents do: by ``json.loads``.

    Args:
        call_id: the provider's id.
        name: the function's name.
        arguments: JSON text; some servers send the object itself.
        finished: whether nothing indicates that the call was cut off.
        signature: Gemini's thought signature of the call.
    """
    text = arguments if isinstance(arguments, str) else json_text(arguments)
    parsed = parse_object(text) if finished else None
    return ToolCall(
        id=as_text(call_id),
        name=as_text(name),
        arguments_raw=text,
        arguments=parsed,
        complete=parsed is not None,
        signature=signature,
    )


def parse_object(text: str) -> dict[str, JSON] | None:
    """Return the JSON object of a text, or None if the text is anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def json_text(value: object) -> str:
    """Return the JSON text of arguments that an SDK returns as an object."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_text(value: object) -> str | None:
    """Return a provider's word as text, an enum member by its value; None stays None."""
    return None if value is None else str(getattr(value, "value", value))
