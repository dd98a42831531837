"""A deliberately simple reading of a recorded Messages body, made from its JSON alone.

It shares no line with the interface: what it finds is what nothing may lose. Blocks are a list in
the order of their starts, and a delta goes to the block that started last: that is how the provider
sends them. The body is read to its end, a sentinel of a gateway is skipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Deltas that are words -> their field, and the field of the block they make longer.
_GROWS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "raw"),
    "compaction_delta": ("content", "content"),
}


@dataclass
class Reading:
    """What a body says; ``blocks`` are the blocks as their deltas left them, ``counts`` the last.

    A tool's input is the text under ``raw``; ``citations`` are all that were sent.
    """

    blocks: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    citations: list[Any] = field(default_factory=list)
    stop_reason: str | None = None
    events: int = 0

    def joined(self, block_type: str, name: str) -> str:
        """Return one field of all blocks of a type, joined."""
        return "".join(block.get(name) or "" for block in self.of(block_type))

    def of(self, *block_types: str) -> list[dict[str, Any]]:
        """Return the blocks of some types."""
        return [block for block in self.blocks if block["type"] in block_types]


def read(body: bytes) -> Reading:
    """Read a whole body."""
    reading = Reading()
    for event in _events(body):
        reading.events += event["type"] != "ping"
        if event["type"] == "message_start":
            reading.blocks += event["message"]["content"]
            _end(reading, event["message"])
        elif event["type"] == "content_block_start":
            reading.blocks.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            _delta(reading, event["delta"])
        elif event["type"] == "message_delta":
            _end(reading, {**event["delta"], "usage": event["usage"]})
    return reading


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().split("\n"):
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            yield json.loads(line[5:])


def _delta(reading: Reading, delta: dict[str, Any]) -> None:
    if delta["type"] == "citations_delta":
        reading.citations.append(delta["citation"])
        return
    name, grown = _GROWS[delta["type"]]
    block = reading.blocks[-1]
    block[grown] = (block.get(grown) or "") + (delta[name] or "")


def _end(reading: Reading, message: dict[str, Any]) -> None:
    reading.stop_reason = message.get("stop_reason") or reading.stop_reason
    counts = {key: value for key, value in message["usage"].items() if isinstance(value, int)}
    details = message["usage"].get("output_tokens_details") or {}
    reading.counts.update(counts | details)
