"""Generated Gemini streams: how a step is written in the shorthand, and what responses mean.

One response makes several steps of the grammar: the response itself, its parts, the finish. A walk
chooses among the parts; the entry that writes a part writes its response as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Event
from harness.protocols.composing import Entry
from harness.protocols.gemini_generate.grammar import CANDIDATE, STREAM
from harness.protocols.generated import TEXTS
from harness.protocols.grammar import Step
from harness.protocols.protocol import Oracle, Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model import JSON
    from harness.protocols.grammar import Position

_CALLS: Mapping[str, JSON] = {
    "function_call": {"name": "get", "args": {"a": 1}},
    "function_call.start": {"name": "get", "willContinue": True},
    "function_call.piece": {"willContinue": True},
    "function_call.end": {},
}
_ENTRIES: Mapping[str, tuple[str, JSON]] = {
    **{label: ("function_call", call) for label, call in _CALLS.items()},
    "signature": ("parts", [{"thoughtSignature": "c2ln"}]),
    "block": ("block", "SAFETY"),
    "error": ("error", {"code": 500, "message": "no", "status": "INTERNAL"}),
    "usage": ("usage", {"promptTokenCount": 1, "totalTokenCount": 1}),
    "executable_code": ("executable_code", {"language": "PYTHON", "code": "1"}),
    "code_execution_result": ("code_execution_result", {"outcome": "OUTCOME_OK", "output": "1"}),
    "inline_data": ("inline_data", {"mimeType": "image/png", "data": "AAAA"}),
    "file_data": ("file_data", {"mimeType": "image/png", "fileUri": "x"}),
    "tool_call": ("tool_call", {}),
    "tool_response": ("tool_response", {}),
    "finish": ("finish", "STOP"),
}
_FIRST = (0,)  # the candidate that every client reads


def entry(step: Step, choose: Callable[[Sequence[JSON]], JSON]) -> Entry:
    """Return the entry that writes a response with a step."""
    if step.label in _ENTRIES:
        return Entry(*_ENTRIES[step.label])
    return Entry(step.label, choose(TEXTS))


def moves(position: Position) -> Sequence[Step]:
    """Return what the next response may hold."""
    stream = position.state(STREAM.name)
    if stream not in {"not started", "open", "ended"}:
        return []
    state = position.state(CANDIDATE.name, _FIRST)
    parts = [Step(label, _FIRST) for label in CANDIDATE.table[state]]
    alone = [] if stream == "ended" else [Step("block"), Step("error")]
    return [*parts, *alone]


def way_home(position: Position) -> Step:
    """Return the step that leads towards the end of the stream."""
    call_open = position.state(CANDIDATE.name, _FIRST) == "call open"
    return Step("function_call.end" if call_open else "finish", _FIRST)


SAMPLES = Samples(entry, early_ends=frozenset({"error", "block"}), moves=moves, way_home=way_home)


def text(event: Event) -> str:
    """Return the text of the answer that a response carries."""
    candidates = event.data.get("candidates", []) if isinstance(event.data, dict) else []
    parts = [part for one in candidates for part in one["content"]["parts"]]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def replace_finish(data: Mapping[str, JSON], word: str) -> dict[str, JSON] | None:
    """Return the candidates of a response with another finish reason; Google writes capitals."""
    candidates = data.get("candidates")
    if not candidates or not candidates[0].get("finishReason"):
        return None
    return {"candidates": [{**candidates[0], "finishReason": word.upper()}]}


def earlier_usage(event: Event, scaled: Callable[[JSON], JSON]) -> Event | None:
    """Return a response without a finish that reports smaller counts, as every response may."""
    if not isinstance(event.data, dict) or "usageMetadata" not in event.data:
        return None
    counts = {"usageMetadata": scaled(event.data["usageMetadata"])}
    return Event(event.name, {**event.data, **counts, "candidates": _UNFINISHED})


_UNFINISHED: JSON = [{"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0}]

ORACLE = Oracle(
    text,
    finished_by=("end",),
    replace_finish=replace_finish,
    earlier_usage=earlier_usage,
    error=Event(None, {"error": {"code": 500, "message": "no", "status": "INTERNAL"}}),
)
