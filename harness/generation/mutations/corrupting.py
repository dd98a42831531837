"""Unlawful changes: what broken servers, proxies and networks do to a stream.

Each takes the events of a legal stream and a tape, and returns what is sent instead. What a law may
still ask of such a stream is little, and the same for all: an outcome, no success that nobody
reported, no call that nobody finished.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.model import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.generation.byte_source import ByteSource
    from harness.protocols.protocol import Protocol

    Items: TypeAlias = tuple[Event | bytes, ...]
    Change: TypeAlias = Callable[[Sequence[Event], ByteSource, Protocol], Items]


def _drop(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    at = tape.below(len(events))
    return (*events[:at], *events[at + 1 :])


def _repeat(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    at = tape.below(len(events))
    return (*events[: at + 1], *events[at:])


def _swap(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    at = tape.below(max(len(events) - 1, 1))
    return (*events[:at], *events[at : at + 2][::-1], *events[at + 2 :])


def _missing_terminal(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    return tuple(events[: len(events) - 1 - tape.below(len(events))])


def _late_terminal(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    at = tape.below(len(events))
    return (*events, events[at])


def _two_terminals(events: Sequence[Event], _: ByteSource, __: Protocol) -> Items:
    return (*events, *events[-1:])


def _foreign_index(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    """Move one event to an index nobody opened."""
    indexed = [at for at, event in enumerate(events) if any(_indexes(event.data))]
    if not indexed:
        return tuple(events)
    at = tape.choose(indexed)
    return (*events[:at], Event(events[at].name, _moved(events[at].data)), *events[at + 1 :])


def _null(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    """Put null where a value belongs."""
    at = tape.below(len(events))
    data = events[at].data
    paths = _paths(data)
    if not isinstance(data, dict) or not paths:
        return tuple(events)
    changed = _with_null(data, tape.choose(paths))
    return (*events[:at], Event(events[at].name, changed), *events[at + 1 :])


def _error(events: Sequence[Event], tape: ByteSource, spoken: Protocol) -> Items:
    at = tape.below(len(events))
    return (*events[:at], spoken.oracle.error)


def _cut(events: Sequence[Event], tape: ByteSource, spoken: Protocol) -> Items:
    """Break off after some byte."""
    body = b"".join(map(spoken.frame, events))
    return (body[: tape.below(len(body) or 1)],)


def _flip(events: Sequence[Event], tape: ByteSource, spoken: Protocol) -> Items:
    body = bytearray(b"".join(map(spoken.frame, events)))
    if body:
        body[tape.below(len(body))] ^= 1 << tape.below(8)
    return (bytes(body),)


def _garbage(events: Sequence[Event], tape: ByteSource, _: Protocol) -> Items:
    at = tape.below(len(events))
    return (*events[:at], tape.choose(GARBAGE), *events[at:])


def _nothing(_: Sequence[Event], tape: ByteSource, __: Protocol) -> Items:
    return tape.choose(((), (b": ping\n\n",), (b"\n\n",)))


GARBAGE = (
    b"data: {\n\n",
    b"data: null\n\n",
    b"data: []\n\n",
    b"data: 1\n\n",
    b"data:\n\n",
    b"\x00\xff\xfe\n\n",
    b"<html>502 Bad Gateway</html>\n\n",
    b"event: \n\n",
)

CORRUPTING: Mapping[str, Change] = {
    "missing_terminal": _missing_terminal,
    "drop": _drop,
    "repeat": _repeat,
    "swap": _swap,
    "late_terminal": _late_terminal,
    "two_terminals": _two_terminals,
    "foreign_index": _foreign_index,
    "null": _null,
    "error": _error,
    "cut": _cut,
    "flip": _flip,
    "garbage": _garbage,
    "nothing": _nothing,
}
# Changes that take nothing from what was said before them and add nothing to it: what may be
# executed of them was in the message.
BREAK_OFF = ("missing_terminal", "error", "cut")


def corrupt(name: str, events: Sequence[Event], tape: ByteSource, spoken: Protocol) -> Items:
    """Return what is sent in place of a legal stream.

    Args:
        name: a word of ``CORRUPTING``.
        events: the legal stream.
        tape: decides where.
        spoken: its protocol.
    """
    return CORRUPTING[name](events, tape, spoken) if events else ()


_INDEXES = frozenset({"index", "output_index", "content_index", "summary_index"})
FAR = 7  # an index nobody opens


def _indexes(value: Any) -> Sequence[bool]:
    """Say for each index in a value that it is one."""
    if isinstance(value, dict):
        own = [True for key in value if key in _INDEXES]
        return own + [found for inner in value.values() for found in _indexes(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in _indexes(inner)]
    return []


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: FAR if key in _INDEXES else _moved(inner) for key, inner in value.items()}
    return [_moved(inner) for inner in value] if isinstance(value, list) else value


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Sequence[tuple[Any, ...]]:
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())
    else:
        pairs = list(enumerate(value)) if isinstance(value, list) else []
    own = [(*above, key) for key, _ in pairs]
    return own + [path for key, inner in pairs for path in _paths(inner, (*above, key))]


def _with_null(data: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(data))
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = None
    return changed
