"""A deliberately simple reader of recorded Chat Completions bodies, independent of the interface.

It shares no code with the interface: what it finds, the interface must not lose. It reads the first
choice only, stops where the SDK stops (``[DONE]``, an error object), and identifies a call by its
index or, if it has none, its id.
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
class Reference:
    """The content of a body: joined texts, the name and arguments of each call, the last counts."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    names: dict[Any, str] = field(default_factory=dict)
    arguments: dict[Any, str] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    finishes: list[str] = field(default_factory=list)
    failed: bool = False


def read(body: bytes) -> Reference:
    """Read a complete body."""
    reference = Reference()
    for chunk in _chunks(body):
        if chunk.get("error"):
            reference.failed = True
            break
        _count(reference, chunk.get("usage") or {})
        _count(reference, (chunk.get("x_groq") or {}).get("usage") or {})
        for choice in chunk.get("choices") or []:
            if choice["index"] == 0:
                _delta(reference, choice.get("delta") or {})
                reference.finishes += (
                    [choice["finish_reason"]] if choice.get("finish_reason") else []
                )
    return reference


def _chunks(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().splitlines():
        if line.startswith("data: [DONE]"):
            return
        if line.startswith("data:"):
            yield json.loads(line[5:])


def _delta(reference: Reference, delta: dict[str, Any]) -> None:
    content = delta.get("content")
    parts: list[dict[str, Any]] = content if isinstance(content, list) else [{"text": content}]
    for part in parts:
        reference.text += part.get("text") or ""
        reference.reasoning += "".join(piece["text"] for piece in part.get("thinking", []))
    reference.text += (delta.get("audio") or {}).get("transcript") or ""
    details = delta.get("reasoning_details") or []
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    reasoning = reasoning or "".join(d.get("text") or d.get("summary") or "" for d in details)
    reference.reasoning += reasoning
    reference.refusal += delta.get("refusal") or ""
    for fragment in delta.get("tool_calls") or []:
        key = fragment.get("index", fragment.get("id"))
        function = fragment.get("function") or {}
        if function.get("name"):
            reference.names[key] = function["name"]
        before = reference.arguments.get(key, "")
        reference.arguments[key] = before + (function.get("arguments") or "")


def _count(reference: Reference, usage: dict[str, Any]) -> None:
    for ours, path in _COUNTS.items():
        value: Any = usage
        for step in path:
            value = (value or {}).get(step)
        if value is not None:
            reference.usage[ours] = value
