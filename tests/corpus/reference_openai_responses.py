"""A deliberately simple reader of recorded Responses bodies, independent of the interface.

It shares no code with the interface: what it finds, the interface must not lose. It reads only the
done items, which every recording has, and ignores deltas.
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
class Reference:
    """The content of a body; a call is name, arguments and status, ``others`` are other items."""

    text: str = ""
    refusal: str = ""
    reasoning: list[str] = field(default_factory=list)
    encrypted: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, str | None]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    last: str = ""


def read(body: bytes) -> Reference:
    """Read a complete body."""
    reference = Reference()
    items: dict[Any, dict[str, Any]] = {}
    for event in _events(body):
        kind = event["type"]
        reference.last = kind
        if kind == "response.output_item.done":
            items[event["output_index"]] = event["item"]
        if kind in ENDS:
            _count(reference, event["response"].get("usage") or {})
    for index in sorted(items):
        _item(reference, items[index])
    return reference


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().split("\n"):
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            yield json.loads(line[5:])


def _item(reference: Reference, item: dict[str, Any]) -> None:
    if item["type"] == "message":
        for part in item["content"]:
            reference.text += part.get("text") or ""
            reference.refusal += part.get("refusal") or ""
    elif item["type"] == "reasoning":
        parts = [*(item.get("content") or ()), *item["summary"]]
        reference.reasoning += [part["text"] for part in parts if part["text"]]
        reference.encrypted += [item["encrypted_content"]] if item.get("encrypted_content") else []
    elif item["type"] in {"function_call", "custom_tool_call"}:
        raw = item["arguments"] if "arguments" in item else item["input"]
        reference.calls.append((item["name"], raw, item.get("status")))
    else:
        reference.others.append(item["type"])


def _count(reference: Reference, usage: dict[str, Any]) -> None:
    for name, path in _COUNTS.items():
        value: Any = usage
        for key in path:
            value = (value or {}).get(key)
        if value is not None:
            reference.usage[name] = value
