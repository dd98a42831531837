"""A deliberately simple reading of a recorded Responses body, made from its JSON alone.

It shares no line with the interface: what it finds is what nothing may lose. It reads the done
items alone, which every recording has, so it knows nothing of deltas.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDS = {"response.completed", "response.incomplete", "response.failed"}
_COUNTS = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "total": ("total_tokens",),
    "cached": ("input_tokens_details", "cached_tokens"),
    "reasoning": ("output_tokens_details", "reasoning_tokens"),
}


@dataclass
class Reading:
    """What a body says; a call is name, arguments and status, ``others`` are other items."""

    text: str = ""
    refusal: str = ""
    reasoning: list[str] = field(default_factory=list)
    encrypted: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, str | None]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    last: str = ""


def read(body: bytes) -> Reading:
    """Read a whole body."""
    reading = Reading()
    items: dict[Any, dict[str, Any]] = {}
    for event in _events(body):
        kind = event["type"]
        reading.last = kind
        if kind == "response.output_item.done":
            items[event["output_index"]] = event["item"]
        if kind in ENDS:
            _count(reading, event["response"].get("usage") or {})
    for index in sorted(items):
        _item(reading, items[index])
    return reading


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().split("\n"):
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            yield json.loads(line[5:])


def _item(reading: Reading, item: dict[str, Any]) -> None:
    if item["type"] == "message":
        for part in item["content"]:
            reading.text += part.get("text") or ""
            reading.refusal += part.get("refusal") or ""
    elif item["type"] == "reasoning":
        parts = [*(item.get("content") or ()), *item["summary"]]
        reading.reasoning += [part["text"] for part in parts if part["text"]]
        reading.encrypted += [item["encrypted_content"]] if item.get("encrypted_content") else []
    elif item["type"] in {"function_call", "custom_tool_call"}:
        raw = item["arguments"] if "arguments" in item else item["input"]
        reading.calls.append((item["name"], raw, item.get("status")))
    else:
        reading.others.append(item["type"])


def _count(reading: Reading, usage: dict[str, Any]) -> None:
    for name, path in _COUNTS.items():
        value: Any = usage
        for key in path:
            value = (value or {}).get(key)
        if value is not None:
            reading.usage[name] = value
