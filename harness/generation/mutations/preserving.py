"""Lawful changes of a campaign: each leaves what a stream says as it is.

What is lawful is a matter of the protocol *and* of the SDK that reads it, because a listener above
an SDK sees only what that lets through. ``PRESERVING`` says for each change which protocols it is
lawful in, and why not in the others; the SDKs' habits were measured (openai 3.52, anthropic 2.11,
google-genai 3.4).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.model import Event
from harness.protocols import NAMES
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.generation.byte_source import ByteSource
    from harness.generation.cases import Case
    from harness.wire.script import Script

    Change: TypeAlias = Callable[[Case, ByteSource], Script]


class Preserving(NamedTuple):
    """One lawful change.

    Args:
        change: case, tape -> the changed response.
        protocols: those it is lawful in.
        source: who says so, and what keeps it from the others.
    """

    change: Change
    protocols: tuple[str, ...]
    source: str


_PLANS = ("whole", "byte", "awkward", "edges")
_LINE = re.compile(rb"\r\n|\n")


def _byte_cuts(case: Case, tape: ByteSource) -> Script:
    kind = tape.below(len(_PLANS) + 2)
    if kind < len(_PLANS):
        return case.script._replace(cut=_PLANS[kind])
    if kind == len(_PLANS):
        return case.script._replace(cut=f"random:{tape.next()}")
    size = len(case.script.body)
    return case.script._replace(cut=f"offset:{1 + tape.below(max(size - 1, 1))}")


def _line_ends(case: Case, tape: ByteSource) -> Script:
    end = tape.choose((b"\r\n", b"\n"))
    return _frames(case, lambda frame: _LINE.sub(end, frame))


def _comments(case: Case, tape: ByteSource) -> Script:
    return _between(case, tape, sse.comment("keepalive"))


def _pings(case: Case, tape: ByteSource) -> Script:
    return _between(case, tape, sse.write("ping", '{"type":"ping"}'))


def _keepalives(case: Case, tape: ByteSource) -> Script:
    return _between(case, tape, sse.write("keepalive", '{"type":"keepalive"}'))


def _unknown_events(case: Case, tape: ByteSource) -> Script:
    word = tape.choose(("response.future_thing", "future_thing"))
    return _between(case, tape, sse.write(word, json.dumps({"type": word, "detail": {"a": 1}})))


def _ids(case: Case, _: ByteSource) -> Script:
    return _frames(case, lambda frame: b"id: 1\nretry: 9\n" + frame)


def _no_space(case: Case, _: ByteSource) -> Script:
    return _frames(case, lambda frame: frame.replace(b"data: ", b"data:", 1))


def _unknown_fields(case: Case, tape: ByteSource) -> Script:
    return _with_fields(case, {"x_future": tape.choose(({"a": 1}, None, "b", [1]))})


def _obfuscation(case: Case, tape: ByteSource) -> Script:
    return _with_fields(case, {"obfuscation": "x" * tape.below(9)})


def _frames(case: Case, change: Callable[[bytes], bytes]) -> Script:
    return case.script._replace(frames=tuple(map(change, case.script.frames)))


def _between(case: Case, tape: ByteSource, frame: bytes) -> Script:
    """Put a frame behind the first event, and wherever else the tape says."""
    frames: list[bytes] = []
    for place, own in enumerate(case.script.frames):
        frames.append(own)
        if place == 0 or tape.next() % 2:
            frames.append(frame)
    # What follows the last event may never be read.
    return case.script._replace(frames=tuple(frames))


def _with_fields(case: Case, fields: dict[str, object]) -> Script:
    """Lay fields over every event that is an object and no error."""
    changed = (
        Event(event.name, {**event.data, **fields})
        if isinstance(event.data, dict) and "error" not in event.data
        else event
        for event in case.events
    )
    return case.spoken(tuple(changed))


_OPENAI = ("openai_responses", "openai_chat")
_NOT_GEMINI = (*_OPENAI, "anthropic_messages")
_SSE = "https://html.spec.whatwg.org/multipage/server-sent-events.html"
_GENAI = "google-genai raises UnknownApiResponseError on any line that is not `data: `"

PRESERVING: Mapping[str, Preserving] = {
    "byte_cuts": Preserving(_byte_cuts, NAMES, "TCP delivers bytes, not events (TR-001)"),
    "line_ends": Preserving(_line_ends, NAMES, f"{_SSE}: a line ends at LF or CRLF"),
    "comments": Preserving(_comments, _NOT_GEMINI, f"{_SSE}; {_GENAI}"),
    "ids": Preserving(_ids, _NOT_GEMINI, f"{_SSE}; {_GENAI}"),
    "no_space": Preserving(_no_space, _NOT_GEMINI, f"{_SSE}; {_GENAI}"),
    "pings": Preserving(
        _pings,
        ("anthropic_messages",),
        "https://docs.claude.com/en/api/messages-streaming: pings may come anywhere; OpenAI sends "
        f"none, its SDK makes a bogus chunk of one; {_GENAI}",
    ),
    "keepalives": Preserving(
        _keepalives, ("openai_responses",), "recorded in long silences (OR-032); nobody else's"
    ),
    "unknown_events": Preserving(
        _unknown_events,
        ("openai_responses", "anthropic_messages"),
        "https://docs.claude.com/en/api/messages-streaming: new event types may be added; OR-031; "
        "Chat and Gemini have no event types",
    ),
    "unknown_fields": Preserving(
        _unknown_fields, NAMES, "all four providers add fields without a new version"
    ),
    "obfuscation": Preserving(
        _obfuscation,
        _OPENAI,
        "https://developers.openai.com/api/reference/resources/responses: include_obfuscation",
    ),
}


def preserving_in(protocol_name: str) -> tuple[str, ...]:
    """Return the names of the changes that are lawful in a protocol."""
    return tuple(name for name, change in PRESERVING.items() if protocol_name in change.protocols)
