"""The legal order of a streamGenerateContent stream.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent: a stream of
GenerateContentResponse, each with the next parts of its candidates. A finish reason means that a
candidate is done; a blocked prompt has no candidates at all; there is no sentinel.
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc: the
arguments of a call may be streamed; while ``willContinue`` is true, its next piece follows.

One wire event makes several steps: the response, its parts in order, the finish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.protocols.gemini_generate.vocabulary import BESIDE, DATA
from harness.protocols.grammar import Grammar, Machine, Open, Step
from harness.protocols.paths import json_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model import JSON, Event
    from harness.protocols.grammar import Key

_AGAIN = (
    "recorded streams of older models repeat the finish reason on every chunk, and code execution "
    "goes on after one; the documents only say that a model without one has not stopped"
)

STREAM = Machine(
    "stream",
    {
        "not started": {"response": "open", "error": "failed"},
        "open": {"response": "open", "end": "ended", "block": "blocked", "error": "failed"},
        "ended": {
            "response": Open("ended", _AGAIN),
            "end": Open("ended", _AGAIN),
            "error": Open("failed", "the documents describe no error after a finish reason"),
        },
        "blocked": {},
        "failed": {},
    },
    may_end_in=frozenset({"ended"}),  # there is no sentinel
)

_WRITING = {
    **dict.fromkeys((*DATA, "thought", "signature"), "open"),
    "function_call.start": "call open",
    "finish": "finished",
}

CANDIDATE = Machine(
    "candidate",
    {
        "open": _WRITING,
        "call open": {"function_call.piece": "call open", "function_call.end": "open"},
        "finished": {label: Open(state, _AGAIN) for label, state in _WRITING.items()},
    },
    key=("index",),
    parent="stream",
    inside=frozenset({"open", "ended"}),
)

GRAMMAR = Grammar((STREAM, CANDIDATE), anywhere=frozenset({"usage"}))

_DATA_OF = {json_name(field): field for field in DATA}
_BESIDE = frozenset(map(json_name, BESIDE))


def read(event: Event) -> Sequence[Step]:
    """Return the steps of a response; what no table has keeps the provider's name as its label."""
    data = event.data
    if event.name is not None:
        return (Step(f"event: {event.name}"),)
    if not isinstance(data, dict):
        return (Step(f"data that is not an object ({data[:40]!r})"),)
    if data.get("error"):
        return (Step("error"),)
    steps = [Step("response")]
    if _object(data.get("promptFeedback")).get("blockReason"):
        steps.append(Step("block"))
    for candidate in _objects(data.get("candidates")):
        steps += _candidate(candidate)
    if data.get("usageMetadata"):
        steps.append(Step("usage"))
    return steps


def _candidate(candidate: dict[str, JSON]) -> Iterator[Step]:
    index = candidate.get("index")
    key: Key = (index if isinstance(index, int) else 0,)
    for part in _objects(_object(candidate.get("content")).get("parts")):
        yield Step(_label(part), key)
    if candidate.get("finishReason"):
        yield Step("finish", key)
        if key == (0,):  # the candidate every client reads
            yield Step("end")


def _label(part: dict[str, JSON]) -> str:
    """Return the label of a part: the one data field that it sets."""
    fields = [field for field in part if field not in _BESIDE]
    if not fields:
        return "signature" if part.get("thoughtSignature") else "part without data"
    known = [field for field in fields if field in _DATA_OF]
    if len(known) != 1:
        return f"part of {'+'.join(sorted(fields))}"
    label = _DATA_OF[known[0]]
    if label == "text" and part.get("thought"):
        return "thought"
    return _call_label(part[known[0]]) if label == "function_call" else label


def _call_label(call: JSON) -> str:
    fields = _object(call)
    if fields.get("name"):
        return "function_call.start" if fields.get("willContinue") else "function_call"
    return "function_call.piece" if fields.get("willContinue") else "function_call.end"


def _object(value: JSON) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: JSON) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
