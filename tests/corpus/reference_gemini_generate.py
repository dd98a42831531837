"""A deliberately simple reader of recorded Gemini bodies, independent of the interface.

It ignores order, signatures and ids: it only adds up the content of the JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARTIAL_VALUES = ("stringValue", "numberValue", "boolValue")


@dataclass
class Reference:
    """The content of one body."""

    text: str = ""
    thoughts: str = ""
    signatures: list[str] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    finish: Any = None

    @property
    def finished(self) -> bool:
        """Whether the provider sent a finish reason."""
        return self.finish is not None


def read(body: bytes) -> Reference:
    """Add up every response of a body, an event stream or a JSON array."""
    reference = Reference()
    for response in _responses(body):
        usage = response.get("usageMetadata") or {}
        reference.counts |= {name: n for name, n in usage.items() if isinstance(n, int)}
        feedback = response.get("promptFeedback") or {}
        reference.finish = feedback.get("blockReason") or reference.finish
        for candidate in response.get("candidates") or []:
            reference.finish = candidate.get("finishReason") or reference.finish
            for part in (candidate.get("content") or {}).get("parts") or []:
                _add(reference, part)
    return reference


def _responses(body: bytes) -> Iterator[dict[str, Any]]:
    text = body.decode()
    if text.lstrip()[:1] in "[{":
        found = json.loads(text)
        yield from found if isinstance(found, list) else [found]
        return
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:"):
            yield json.loads(line[5:])


def _add(reference: Reference, part: Mapping[str, Any]) -> None:
    if "thoughtSignature" in part:
        reference.signatures.append(part["thoughtSignature"])
    if "text" in part and part.get("thought"):
        reference.thoughts += part["text"]
    elif "text" in part:
        reference.text += part["text"]
    elif "functionCall" in part:
        _add_call(reference, part["functionCall"])
    else:
        reference.others += [name for name in part if name not in {"thoughtSignature", "thought"}]


def _add_call(reference: Reference, call: Mapping[str, Any]) -> None:
    """Add a call; partial arguments are joined under their JSON paths."""
    if "name" in call:
        reference.calls.append((call["name"], dict(call.get("args") or {})))
    for piece in call.get("partialArgs", []):
        arguments, path = reference.calls[-1][1], piece["jsonPath"]
        value = next((piece[name] for name in PARTIAL_VALUES if name in piece), None)
        before = arguments.get(path)
        joined = before + value if isinstance(before, str) and isinstance(value, str) else value
        arguments[path] = joined


def flat(arguments: Any, path: str = "$") -> dict[str, Any]:
    """Return arguments as JSON paths to plain values, as Vertex streams them."""
    if isinstance(arguments, dict):
        inner = [(f"{path}.{name}", value) for name, value in arguments.items()]
    elif isinstance(arguments, list):
        inner = [(f"{path}[{index}]", value) for index, value in enumerate(arguments)]
    else:
        return {path: arguments}
    return {found: value for at, below in inner for found, value in flat(below, at).items()}
