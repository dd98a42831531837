"""How a response with a given label is written in the shorthand of streamGenerateContent scenarios.

One response makes several steps of the grammar: the response itself, its parts, the finish. A walk
chooses among the parts; the entry that writes a part writes its response as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.composing import Entry
from harness.protocols.gemini_generate.grammar import CANDIDATE, STREAM
from harness.protocols.grammar import Step
from harness.protocols.protocol import Samples
from harness.protocols.sampling import TEXTS

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
