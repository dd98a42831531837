"""Lawful mutations: changes to the bytes of a stream that must not change its outcome.

A scenario names them in ``holds_under``. Each is a pure function: script -> the scripts that have
to lead to the same outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.wire.script import Script

    Mutation: TypeAlias = Callable[[Script], Iterator[Script]]

_COMMENT = sse.comment("keepalive")
# A type from the future, with the fields an SDK looks at first; data-only protocols have no types.
_UNKNOWN = sse.write("response.future_thing", '{"type":"response.future_thing","detail":{"a":1}}')


def _any_byte_split(script: Script) -> Iterator[Script]:
    for cut in ("edges", "awkward", "random:1"):
        yield script._replace(cut=cut)


def _sse_comments(script: Script) -> Iterator[Script]:
    frames = [_COMMENT]
    for frame in script.frames:
        frames += [frame, _COMMENT]
    yield script._replace(frames=tuple(frames))


def _unknown_event_types(script: Script) -> Iterator[Script]:
    yield script._replace(frames=(*script.frames[:1], _UNKNOWN, *script.frames[1:]))


def _crlf(script: Script) -> Iterator[Script]:
    frames = (frame.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for frame in script.frames)
    yield script._replace(frames=tuple(frames))


MUTATIONS: Mapping[str, Mutation] = {
    "any_byte_split": _any_byte_split,
    "sse_comments": _sse_comments,
    "unknown_event_types": _unknown_event_types,
    "crlf": _crlf,
}
