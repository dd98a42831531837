"""Driving the interface of Anthropic Messages with streams in the notation of scenarios."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.protocols import protocol
from tests.streaming.interfaces import driving
from tests.streaming.interfaces.driving import compose, script_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.wire.script import ResponseEnd, Script
    from tests.streaming.interfaces.driving import Driven

NAME = "anthropic_messages"
PROTOCOL = protocol(NAME)
drive_script = partial(driving.drive, NAME)
drive_async = partial(driving.drive_async, NAME)


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[Any]:
    """Return the events of a block: its start, its deltas (``{type: fields}``), its stop."""
    grown = [
        {kind: {"at": [index], **fields}} for delta in deltas for kind, fields in delta.items()
    ]
    return [begin(index, **start), *grown, stop(index)]


def begin(index: int, **start: Any) -> dict[str, Any]:
    return {"content_block_start": {"at": [index], "content_block": start}}


def stop(index: int) -> dict[str, Any]:
    return {"content_block_stop": {"at": [index]}}


def text(index: int, *fragments: str) -> list[Any]:
    deltas = ({"text_delta": {"text": fragment}} for fragment in fragments)
    return block(index, {"type": "text"}, *deltas)


def thinking(index: int, *fragments: str, signed: str | None = None) -> list[Any]:
    deltas: list[dict[str, Any]] = [
        {"thinking_delta": {"thinking": fragment}} for fragment in fragments
    ]
    deltas += [{"signature_delta": {"signature": signed}}] if signed else []
    return block(index, {"type": "thinking"}, *deltas)


def call(index: int, call_id: str, name: str, *fragments: str) -> list[Any]:
    deltas = ({"input_json_delta": {"partial_json": piece}} for piece in fragments)
    return block(index, {"type": "tool_use", "id": call_id, "name": name}, *deltas)


def end(stop_reason: str | None = "end_turn", **fields: Any) -> list[Any]:
    return [{"message_delta": {"delta": {"stop_reason": stop_reason}, **fields}}, "message_stop"]


def script(entries: Iterable[Any], *, cut: str = "event", ending: ResponseEnd = "clean") -> Script:
    return script_of(NAME, compose(NAME, *entries), cut, ending)


def drive(*entries: Any, ending: ResponseEnd = "clean", **arguments: Any) -> Driven:
    """Send a stream through the synchronous SDK into a new interface."""
    return drive_script(script(entries, ending=ending), **arguments)


def sdk_events(*entries: Any) -> list[Any]:
    """Return the events that the SDK makes of a stream."""
    return driving.sdk_events(NAME, script(entries))
