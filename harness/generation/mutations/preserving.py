"""Changes of generated streams that keep their meaning.

Whether a change keeps it depends on the protocol, and on the SDK that reads it, because a listener
above an SDK sees only what that lets through. Each protocol's ``noise`` names the changes that are
harmless in it, and why the others are not.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias

from harness.model import Event
from harness.protocols import protocol
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.generation.byte_source import ByteSource
    from harness.generation.cases import Case
    from harness.wire.script import Script

    Change: TypeAlias = Callable[[Case, ByteSource], Script]


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
    """Return the names of the changes that keep the meaning of a stream in a protocol."""
    harmless = protocol(protocol_name).noise.harmless
    return tuple(name for name in PRESERVING if name in harmless)
