"""A second, deliberately simple reading of a Gemini body: what no interface may lose.

It knows nothing of order, signatures or ids: it only adds up what stands in the JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARTIAL_VALUES = ("stringValue", "numberValue", "boolValue")


@dataclass
class Reading:
    """What one body holds."""

    text: str = ""
    thoughts: str = ""
    signatures: list[str] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    finish: Any = None

    @property
    def finished(self) -> bool:
        """Whether the provider gave a reason for its end."""
        return self.finish is not None


def read(body: bytes) -> Reading:
    """Add up every response of a body, an event stream or a JSON array."""
    reading = Reading()
    for response in _responses(body):
        usage = response.get("usageMetadata") or {}
        reading.counts |= {name: n for name, n in usage.items() if isinstance(n, int)}
        feedback = response.get("promptFeedback") or {}
        reading.finish = feedback.get("blockReason") or reading.finish
        for candidate in response.get("candidates") or []:
            reading.finish = candidate.get("finishReason") or reading.finish
            for part in (candidate.get("content") or {}).get("parts") or []:
                _add(reading, part)
    return reading


def _responses(body: bytes) -> Iterator[dict[str, Any]]:
    text = body.decode()
    if text.lstrip()[:1] in "[{":
        found = json.loads(text)
        yield from found if isinstance(found, list) else [found]
        return
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:"):
            yield json.loads(line[5:])


def _add(reading: Reading, part: Mapping[str, Any]) -> None:
    if "thoughtSignature" in part:
        reading.signatures.append(part["thoughtSignature"])
    if "text" in part and part.get("thought"):
        reading.thoughts += part["text"]
    elif "text" in part:
        reading.text += part["text"]
    elif "functionCall" in part:
        _add_call(reading, part["functionCall"])
    else:
        reading.others += [name for name in part if name not in {"thoughtSignature", "thought"}]


def _add_call(reading: Reading, call: Mapping[str, Any]) -> None:
    """Add a call; partial arguments are joined under their JSON paths."""
    if "name" in call:
        reading.calls.append((call["name"], dict(call.get("args") or {})))
    for piece in call.get("partialArgs", []):
        arguments, path = reading.calls[-1][1], piece["jsonPath"]
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
