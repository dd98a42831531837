"""What every finished object has in common: its words, its usage, its tool calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from harness.model import Reasoning, Text, ToolCall
from harness.protocols import protocol
from harness.protocols.anthropic_messages import vocabulary as anthropic
from harness.protocols.gemini_generate import vocabulary as gemini
from harness.protocols.openai_chat import vocabulary as chat
from harness.protocols.openai_responses import vocabulary as responses
from harness.streaming.usage import counts_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON, FinishReason, Part, Usage

# Parts that hold nothing: no part at all.
EMPTY: tuple[Part, ...] = (Text(text=""), Reasoning(text=""))

# Finish reasons that say nothing was cut.
_WHOLE: frozenset[FinishReason] = frozenset({"stop", "tool_calls"})

_USAGE: Mapping[str, Mapping[str, str]] = {
    "openai_responses": responses.USAGE,
    "openai_chat": chat.USAGE,
    "anthropic_messages": anthropic.USAGE,
    "gemini_generate": gemini.USAGE,
}

# Where a count of our meaning is a sum of the provider's: our field -> the paths added to its own.
# https://docs.claude.com/en/docs/build-with-claude/prompt-caching (input excludes the cache)
# https://ai.google.dev/api/generate-content#UsageMetadata (candidates exclude the thoughts)
_ADDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "anthropic_messages": {"input": tuple(anthropic.USAGE[own] for own in anthropic.BESIDE_INPUT)},
    "gemini_generate": {"input": (gemini.TOOL_USE_PROMPT,), "output": (gemini.USAGE["reasoning"],)},
}


class Final(NamedTuple):
    """What a finished object says."""

    content: tuple[Part, ...] = ()
    finish_raw: str | None = None
    usage: Usage | None = None
    response_id: str | None = None
    model: str | None = None


def usage_from(protocol_name: str, *reports: object) -> Usage | None:
    """Return the usage that a protocol's usage objects report, later ones replacing fields."""
    table, added = _USAGE[protocol_name], _ADDED.get(protocol_name, {})
    counts: dict[str, int] = {}
    extra: dict[str, int] = {}
    for report in reports:
        counts.update(counts_of(report, table))
        extra.update(counts_of(report, {path: path for paths in added.values() for path in paths}))
    for ours, paths in added.items():
        if ours in counts:
            counts[ours] += sum(extra.get(path, 0) for path in paths)
    return usage_of(counts)


def is_whole(protocol_name: str, finish_raw: str | None) -> bool:
    """Say whether a provider's finish word means that nothing was cut."""
    return protocol(protocol_name).finish.get(finish_raw or "") in _WHOLE


def tool_call(
    call_id: object, name: object, said: object, *, whole: bool = True, signature: str | None = None
) -> ToolCall:
    """Return a call, its arguments parsed as the documents do: ``json.loads`` of the text.

    Args:
        call_id: the provider's id.
        name: the function's name.
        said: its arguments as JSON text; some servers send the object itself.
        whole: whether nothing says that the call was cut.
        signature: Gemini's thought signature of the call.
    """
    text = said if isinstance(said, str) else written(said)
    arguments = parsed(text) if whole else None
    return ToolCall(
        id=word(call_id),
        name=word(name),
        arguments_raw=text,
        arguments=arguments,
        complete=arguments is not None,
        signature=signature,
    )


def parsed(text: str) -> dict[str, JSON] | None:
    """Return the JSON object of a text, or None where it is not one."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def written(value: object) -> str:
    """Return the JSON text of arguments that an SDK hands over as an object."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def word(value: object) -> str | None:
    """Return a provider's word as text, an enum member by its value; None stays None."""
    return None if value is None else str(getattr(value, "value", value))
