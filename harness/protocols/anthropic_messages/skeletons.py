"""The shorthand of scenarios for the Messages stream.

Words are the wire's event types. ``content_block_start``, ``_delta`` and ``_stop`` take ``at:
[index]``; a delta may be written by its kind alone: ``text_delta: {at: [0], text: Hi}``,
``thinking_delta``, ``signature_delta``, ``input_json_delta``, ``citations_delta``,
``compaction_delta``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import JSON, Event
from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS
from harness.protocols.composing import Composer, merge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.protocols.composing import Skeleton

# What a block start holds besides its type, before its deltas.
_BLOCKS: Mapping[str, dict[str, JSON]] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "redacted_thinking": {"data": ""},
    "tool_use": {"id": "toolu_1", "name": "get_weather", "input": {}},
    "server_tool_use": {"id": "srvtoolu_1", "name": "web_search", "input": {}},
    "mcp_tool_use": {"id": "mcptoolu_1", "name": "echo", "server_name": "mcp", "input": {}},
}


def event(data: dict[str, JSON]) -> Event:
    """Return a Messages event: its SSE name is its type."""
    return Event(data["type"], data)


def message_start(model: str, message_id: str, usage: JSON) -> Event:
    """Return the opening event of a message."""
    message = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return event({"type": "message_start", "message": message})


def block_start(index: int, block: dict[str, JSON]) -> Event:
    """Return the start of a block, completed with what its type needs."""
    complete = merge({"type": block.get("type"), **_BLOCKS.get(block.get("type", ""), {})}, block)
    return event({"type": "content_block_start", "index": index, "content_block": complete})


def block_delta(index: int, delta: dict[str, JSON]) -> Event:
    """Return one delta of a block."""
    return event({"type": "content_block_delta", "index": index, "delta": delta})


def block_stop(index: int) -> Event:
    """Return the stop of a block."""
    return event({"type": "content_block_stop", "index": index})


def message_delta(stop_reason: str | None, usage: JSON) -> Event:
    """Return the event that carries the stop reason and the cumulative usage."""
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return event({"type": "message_delta", "delta": delta, "usage": usage})


def message_stop() -> Event:
    """Return the closing event of a message."""
    return event({"type": "message_stop"})


def error(error_type: str, message: str) -> Event:
    """Return the error event, as it is sent in a stream with status 200."""
    return event({"type": "error", "error": {"type": error_type, "message": message}})


def _at(payload: dict[str, JSON]) -> tuple[int, dict[str, JSON]]:
    rest = dict(payload)
    return rest.pop("at", [0])[0], rest


def _over(skeleton: Event, payload: dict[str, JSON]) -> Iterator[Event]:
    yield event(merge(skeleton.data, payload))


def _usage(holder: JSON, usual: JSON) -> JSON:
    """Return a skeleton's usage: none of the usual counts where the scenario writes its own."""
    return {} if isinstance(holder, dict) and "usage" in holder else usual


def _start(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    usage = _usage(payload.get("message"), {"input_tokens": 10, "output_tokens": 1})
    return _over(message_start("claude-sonnet-4-6", "msg_1", usage), payload)


def _block_start(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    index, rest = _at(payload)
    skeleton = block_start(index, rest.pop("content_block", {"type": "text"}))
    return _over(skeleton, rest)


def _block_delta(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    index, rest = _at(payload)
    return _over(block_delta(index, rest.pop("delta", {})), rest)


def _block_stop(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    index, rest = _at(payload)
    return _over(block_stop(index), rest)


def _kind(delta: str) -> Skeleton:
    def write(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
        index, rest = _at(payload)
        yield block_delta(index, {"type": delta, **rest})

    return write


def _message_delta(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    return _over(message_delta("end_turn", _usage(payload, {"output_tokens": 5})), payload)


def _error(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    return _over(error("overloaded_error", "Overloaded"), payload)


def _plain(word: str) -> Skeleton:
    def write(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
        yield event({"type": word, **payload})

    return write


class MessagesComposer(Composer):
    """Writes a Messages stream from a scenario's shorthand."""

    skeletons: ClassVar[Mapping[str, Skeleton]] = {
        "message_start": _start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "content_block_stop": _block_stop,
        "message_delta": _message_delta,
        "message_stop": _plain("message_stop"),
        "ping": _plain("ping"),
        "error": _error,
        **{delta: _kind(delta) for delta in DELTA_FIELDS},
    }
