"""A deliberately simple reader of recorded Messages bodies, independent of the interface.

It shares no code with the interface: what it finds, the interface must not lose. Blocks are a list
in the order of their starts, and a delta belongs to the block that started last, as the provider
sends them. The body is read to its end; a gateway's sentinel is skipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Text deltas -> their field, and the field of the block that they extend.
_GROWS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "raw"),
    "compaction_delta": ("content", "content"),
}


@dataclass
class Reference:
    """The content of a body: ``blocks`` with their deltas applied, and the last ``counts``.

    A tool's input is the text in ``raw``; ``citations`` are all that were sent.
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


def read(body: bytes) -> Reference:
    """Read a complete body."""
    reference = Reference()
    for event in _events(body):
        reference.events += event["type"] != "ping"
        if event["type"] == "message_start":
            reference.blocks += event["message"]["content"]
            _end(reference, event["message"])
        elif event["type"] == "content_block_start":
            reference.blocks.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            _delta(reference, event["delta"])
        elif event["type"] == "message_delta":
            _end(reference, {**event["delta"], "usage": event["usage"]})
    return reference


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().split("\n"):
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            yield json.loads(line[5:])


def _delta(reference: Reference, delta: dict[str, Any]) -> None:
    if delta["type"] == "citations_delta":
        reference.citations.append(delta["citation"])
        return
    name, grown = _GROWS[delta["type"]]
    block = reference.blocks[-1]
    block[grown] = (block.get(grown) or "") + (delta[name] or "")


def _end(reference: Reference, message: dict[str, Any]) -> None:
    reference.stop_reason = message.get("stop_reason") or reference.stop_reason
    counts = {key: value for key, value in message["usage"].items() if isinstance(value, int)}
    details = message["usage"].get("output_tokens_details") or {}
    reference.counts.update(counts | details)
