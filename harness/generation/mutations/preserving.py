"""Preserving mutations: changes to a stream that must not change its outcome.

Which of them apply depends on the protocol, and on the SDK that decodes it, because a target above
an SDK sees only what the SDK lets through. Each protocol's ``noise`` names the mutations of a
campaign that are harmless in it, and why the others are not.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias

from harness.model import Event
from harness.protocols import protocol
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.generation.byte_source import ByteSource
    from harness.generation.cases import Case
    from harness.wire.script import Script

    Mutation: TypeAlias = Callable[[Script], Iterator[Script]]
    Change: TypeAlias = Callable[[Case, ByteSource], Script]

# The mutations of ``holds_under``: script -> the scripts that must lead to the same outcome.

_COMMENT = sse.comment("keepalive")
# A future event type, with the fields an SDK reads first. Data-only protocols have no event types.
_UNKNOWN = sse.write("response.future_thing", '{"type":"response.future_thing","detail":{"a":1}}')


def _any_byte_split(script: Script) -> Iterator[Script]:
    """The bytes may be split into reads anywhere (TR-001, TR-002)."""
    for cut in ("edges", "awkward", "random:1"):
        yield script._replace(cut=cut)


def _sse_comments(script: Script) -> Iterator[Script]:
    """Comments may be sent before, between and after the events (TR-006)."""
    frames = [_COMMENT]
    for frame in script.frames:
        frames += [frame, _COMMENT]
    yield script._replace(frames=tuple(frames))


def _unknown_event_types(script: Script) -> Iterator[Script]:
    """An event of an unknown type may follow the first event (OR-031)."""
    yield script._replace(frames=(*script.frames[:1], _UNKNOWN, *script.frames[1:]))


def _crlf(script: Script) -> Iterator[Script]:
    """Lines may end in CRLF (TR-003)."""
    frames = (frame.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for frame in script.frames)
    yield script._replace(frames=tuple(frames))


MUTATIONS: Mapping[str, Mutation] = {
    "any_byte_split": _any_byte_split,
    "sse_comments": _sse_comments,
    "unknown_event_types": _unknown_event_types,
    "crlf": _crlf,
}


# The mutations of a campaign.


_PLANS = ("whole", "byte", "awkward", "edges")
_LINE = re.compile(rb"\r\n|\n")


def _byte_cuts(case: Case, source: ByteSource) -> Script:
    kind = source.below(len(_PLANS) + 2)
    if kind < len(_PLANS):
        return case.script._replace(cut=_PLANS[kind])
    if kind == len(_PLANS):
        return case.script._replace(cut=f"random:{source.next()}")
    size = len(case.script.body)
    return case.script._replace(cut=f"offset:{1 + source.below(max(size - 1, 1))}")


def _line_ends(case: Case, source: ByteSource) -> Script:
    end = source.choose((b"\r\n", b"\n"))
    return _frames(case, lambda frame: _LINE.sub(end, frame))


def _comments(case: Case, source: ByteSource) -> Script:
    return _between(case, source, sse.comment("keepalive"))


def _pings(case: Case, source: ByteSource) -> Script:
    return _between(case, source, sse.write("ping", '{"type":"ping"}'))


def _keepalives(case: Case, source: ByteSource) -> Script:
    return _between(case, source, sse.write("keepalive", '{"type":"keepalive"}'))


def _unknown_events(case: Case, source: ByteSource) -> Script:
    event_type = source.choose(("response.future_thing", "future_thing"))
    return _between(
        case, source, sse.write(event_type, json.dumps({"type": event_type, "detail": {"a": 1}}))
    )


def _ids(case: Case, _: ByteSource) -> Script:
    return _frames(case, lambda frame: b"id: 1\nretry: 9\n" + frame)


def _no_space(case: Case, _: ByteSource) -> Script:
    return _frames(case, lambda frame: frame.replace(b"data: ", b"data:", 1))


def _unknown_fields(case: Case, source: ByteSource) -> Script:
    return _with_fields(case, {"x_future": source.choose(({"a": 1}, None, "b", [1]))})


def _obfuscation(case: Case, source: ByteSource) -> Script:
    return _with_fields(case, {"obfuscation": "x" * source.below(9)})


def _frames(case: Case, change: Callable[[bytes], bytes]) -> Script:
    return case.script._replace(frames=tuple(map(change, case.script.frames)))


def _between(case: Case, source: ByteSource, frame: bytes) -> Script:
    """Insert a frame after the first event, and after each other one that the choices pick."""
    frames: list[bytes] = []
    for place, own in enumerate(case.script.frames):
        frames.append(own)
        if place == 0 or source.next() % 2:
            frames.append(frame)
    # A client may never read what follows the last event.
    return case.script._replace(frames=tuple(frames))


def _with_fields(case: Case, fields: dict[str, object]) -> Script:
    """Add fields to every event that is a JSON object and not an error."""
    changed = (
        Event(event.name, {**event.data, **fields})
        if isinstance(event.data, dict) and "error" not in event.data
        else event
        for event in case.events
    )
    return case.script_of(tuple(changed))


PRESERVING: Mapping[str, Change] = {
    "byte_cuts": _byte_cuts,
    "line_ends": _line_ends,
    "comments": _comments,
    "ids": _ids,
    "no_space": _no_space,
    "pings": _pings,
    "keepalives": _keepalives,
    "unknown_events": _unknown_events,
    "unknown_fields": _unknown_fields,
    "obfuscation": _obfuscation,
}


def preserving_in(protocol_name: str) -> tuple[str, ...]:
    """Return the names of the mutations that preserve the meaning of a protocol's streams."""
    harmless = protocol(protocol_name).noise.harmless
    return tuple(name for name in PRESERVING if name in harmless)
