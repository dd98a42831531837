"""The toy wire language: ``begin``, ``text``, the three events of a call, ``end``, ``error``.

A stream is a begin; texts and calls, each call with an index, in any order and overlapping; then
an end with the reason and the usage. An error may take the place of anything.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import JSON, Event, FinishReason, Refusal, Text, ToolCall
from harness.protocols.composing import Composer, Entry, merge
from harness.protocols.generated import EVENT_STREAM, FRAGMENTS, TEXTS, TRANSPORT
from harness.protocols.grammar import Grammar, Machine, Open, Step
from harness.protocols.message import IN_ORDER, interleave
from harness.protocols.protocol import (
    Detection,
    Endpoint,
    Expressible,
    Framing,
    Noise,
    Oracle,
    Protocol,
    Samples,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.protocols.composing import Skeleton
    from harness.protocols.message import DeltaPlan, Message

NAME = "toy"
FINISH: Mapping[str, FinishReason] = {
    "done": "stop",
    "limit": "length",
    "calls": "tool_calls",
    "filtered": "content_filter",
}
USAGE: Mapping[str, str] = {"input": "tokens_in", "output": "tokens_out"}
_WORD = {finish: word for word, finish in FINISH.items()}

# --- Tables -------------------------------------------------------------------------------------

_AGAIN = "the toy's documents do not say whether a call may end twice"

GRAMMAR = Grammar(
    (
        Machine(
            "stream",
            {
                "not started": {"begin": "open", "error": "failed"},
                "open": {"text": "open", "end": "ended", "error": "failed"},
                "ended": {},
                "failed": {},
            },
        ),
        Machine(
            "call",
            {
                "absent": {"call.start": "open"},
                "open": {"call.arguments": "open", "call.end": "closed"},
                "closed": {"call.end": Open("closed", _AGAIN)},
            },
            key=("index",),
            parent="stream",
            inside=frozenset({"open"}),
            numbered=True,
        ),
    ),
    waits_for={"end": {"call": frozenset({"closed"})}},
)


def read(event: Event) -> Sequence[Step]:
    """Return the one step of an event."""
    if not isinstance(event.data, dict):
        return (Step(f"data that is not an object ({event.data[:40]!r})"),)
    label, index = str(event.data.get("type")), event.data.get("index")
    return (Step(label, (index if type(index) is int else -1,) if "call." in label else ()),)


# --- Shorthand ----------------------------------------------------------------------------------

_DEFAULTS: Mapping[str, dict[str, JSON]] = {
    "begin": {"id": "toy_1", "model": "toy-1"},
    "text": {"text": ""},
    "call.start": {"id": "call_1", "name": "get"},
    "call.arguments": {"fragment": ""},
    "call.end": {},
    "end": {"reason": "done", "usage": {"tokens_in": 10, "tokens_out": 5}},
    "error": {"code": "server_error", "message": "The toy had an error."},
}


def event(word: str, **fields: JSON) -> Event:
    """Return an event: the defaults of its type, and fields laid over them."""
    return Event(word, merge({"type": word, **_DEFAULTS[word]}, fields))


def _skeleton(word: str) -> Skeleton:
    def write(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
        [index] = payload.pop("at", [0])
        yield event(word, **({"index": index} if "call." in word else {}), **payload)

    return write


class ToyComposer(Composer):
    """Writes a toy stream: the words are the types of its events."""

    skeletons: ClassVar[Mapping[str, Skeleton]] = {word: _skeleton(word) for word in _DEFAULTS}
    scalar: ClassVar[Mapping[str, str]] = {"text": "text", "end": "reason", "error": "message"}


# --- Messages -----------------------------------------------------------------------------------


def encode(message: Message, plan: DeltaPlan = IN_ORDER) -> list[Event]:
    """Return the stream of a message; neighbouring calls may overlap."""
    events = [event("begin", id=message.response_id, model=message.model)]
    calls = iter(enumerate(part for part in message.content if isinstance(part, ToolCall)))
    for are_calls, parts in groupby(message.content, lambda part: isinstance(part, ToolCall)):
        if are_calls:
            events += interleave((_call(calls, plan) for _ in parts), plan)
        else:
            texts = (part.text for part in parts if isinstance(part, Text | Refusal))
            events += (event("text", text=piece) for text in texts for piece in plan.split(text))
    return events + _closing(message)


def _call(calls: Iterator[tuple[int, ToolCall]], plan: DeltaPlan) -> Iterator[Event]:
    index, call = next(calls)
    yield event("call.start", index=index, id=call.id, name=call.name)
    for piece in plan.split(call.arguments_raw):
        yield event("call.arguments", index=index, fragment=piece)
    yield event("call.end", index=index)


def _closing(message: Message) -> list[Event]:
    if message.ending == "truncated":
        return []
    if message.error is not None:
        return [event("error", message=message.error.message)]
    return [event("end", reason=_WORD.get(message.finish, "done"), usage=_usage(message))]


def _usage(message: Message) -> JSON:
    if message.usage is None:
        return None
    counts = message.usage.model_dump()
    return {path: counts[ours] for ours, path in USAGE.items() if counts[ours] is not None}


def response_body(message: Message) -> dict[str, JSON]:
    """Return the object of a request that is not streamed."""
    calls = [part for part in message.content if isinstance(part, ToolCall)]
    return {
        "type": "answer",
        "id": message.response_id,
        "model": message.model,
        "text": "".join(part.text for part in message.content if isinstance(part, Text | Refusal)),
        "calls": [{"id": c.id, "name": c.name, "arguments": c.arguments_raw} for c in calls],
        "reason": _WORD.get(message.finish, "done"),
        "usage": _usage(message),
    }


# --- Samples and oracle -------------------------------------------------------------------------


def _entry(step: Step, choose: Callable[[Sequence[JSON]], JSON]) -> Entry:
    drawn: Mapping[str, dict[str, JSON]] = {
        "text": {"text": choose(TEXTS)} if step.label == "text" else {},
        "call.arguments": {"fragment": choose(FRAGMENTS)} if step.label == "call.arguments" else {},
        "call.start": {"id": f"call_{step.key[0]}"} if step.label == "call.start" else {},
    }
    at = {"at": list(step.key)} if step.key else {}
    return Entry(step.label, {**at, **drawn.get(step.label, {})})


def _text(event: Event) -> str:
    known = isinstance(event.data, dict) and event.data.get("type") == "text"
    return str(event.data["text"]) if known and isinstance(event.data, dict) else ""


def _replace_finish(data: Mapping[str, JSON], word: str) -> dict[str, JSON] | None:
    return {"reason": word} if data.get("type") == "end" else None


PROTOCOL = Protocol(
    name=NAME,
    grammar=GRAMMAR,
    read=read,
    composer=ToyComposer,
    encode=encode,
    response_body=response_body,
    finish=FINISH,
    vocabulary={
        "event": frozenset(_DEFAULTS),
        "finish": frozenset(FINISH),
        "usage": frozenset(USAGE.values()),
    },
    request={"model": "toy-1", "prompt": "Hello"},
    framing=Framing(named_by_type=True),
    detection=Detection(
        event=lambda data: str(data.get("type")) in {"begin", "call.start"},
        path=re.compile("/toy$"),
    ),
    endpoint=Endpoint("toy", "https://toy.invalid/v1/toy", "https://toy.invalid/docs"),
    expressible=Expressible(
        usage=frozenset(USAGE),
        refusals=False,
        reasoning=False,
        instead={"refusal": "stop", "pause": "stop"},
    ),
    samples=Samples(_entry, early_ends=frozenset({"error"})),
    oracle=Oracle(
        text=_text,
        finished_by=(),
        replace_finish=_replace_finish,
        earlier_usage=lambda _, __: None,
        error=Event("error", {"type": "error", "code": "server_error", "message": "no"}),
    ),
    noise=Noise(
        harmless={**TRANSPORT, **EVENT_STREAM, "unknown_events": "the toy may add types"},
        harmful={
            "pings": "the toy has none",
            "keepalives": "the toy has none",
            "obfuscation": "the toy has no such field",
        },
    ),
)
