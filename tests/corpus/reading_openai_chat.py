"""A deliberately simple reading of a recorded Chat Completions body, made from its JSON alone.

It shares no line with the interface: what it finds is what nothing may lose. It knows the first
choice only, stops where the SDK stops (``[DONE]``, an error object), and reads a call's index, or
where there is none, its id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_COUNTS = {
    "input": ("prompt_tokens",),
    "output": ("completion_tokens",),
    "total": ("total_tokens",),
    "cached": ("prompt_tokens_details", "cached_tokens"),
    "reasoning": ("completion_tokens_details", "reasoning_tokens"),
}


@dataclass
class Reading:
    """What a body says: joined words, each call's name and arguments, the last counts."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    names: dict[Any, str] = field(default_factory=dict)
    arguments: dict[Any, str] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    finishes: list[str] = field(default_factory=list)
    failed: bool = False


def read(body: bytes) -> Reading:
    """Read a whole body."""
    reading = Reading()
    for chunk in _chunks(body):
        if chunk.get("error"):
            reading.failed = True
            break
        _count(reading, chunk.get("usage") or {})
        _count(reading, (chunk.get("x_groq") or {}).get("usage") or {})
        for choice in chunk.get("choices") or []:
            if choice["index"] == 0:
                _delta(reading, choice.get("delta") or {})
                reading.finishes += [choice["finish_reason"]] if choice.get("finish_reason") else []
    return reading


def _chunks(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().splitlines():
        if line.startswith("data: [DONE]"):
            return
        if line.startswith("data:"):
            yield json.loads(line[5:])


def _delta(reading: Reading, delta: dict[str, Any]) -> None:
    content = delta.get("content")
    parts: list[dict[str, Any]] = content if isinstance(content, list) else [{"text": content}]
    for part in parts:
        reading.text += part.get("text") or ""
        reading.reasoning += "".join(piece["text"] for piece in part.get("thinking", []))
    reading.text += (delta.get("audio") or {}).get("transcript") or ""
    details = delta.get("reasoning_details") or []
    told = delta.get("reasoning_content") or delta.get("reasoning")
    told = told or "".join(d.get("text") or d.get("summary") or "" for d in details)
    reading.reasoning += told
    reading.refusal += delta.get("refusal") or ""
    for fragment in delta.get("tool_calls") or []:
        key = fragment.get("index", fragment.get("id"))
        function = fragment.get("function") or {}
        if function.get("name"):
            reading.names[key] = function["name"]
        before = reading.arguments.get(key, "")
        reading.arguments[key] = before + (function.get("arguments") or "")


def _count(reading: Reading, usage: dict[str, Any]) -> None:
    for ours, path in _COUNTS.items():
        value: Any = usage
        for step in path:
            value = (value or {}).get(step)
        if value is not None:
            reading.usage[ours] = value
