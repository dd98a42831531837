"""Corrupting mutations: what defective servers, proxies and networks do to a stream.

Each takes the events of a legal stream and a byte source, and returns what is sent instead. Few
properties still apply to such a stream, and they are the same for all of them: the target delivers
an outcome, no success without a terminal, and no executable call that the provider did not close.
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


def _drop(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    at = source.below(len(events))
    return (*events[:at], *events[at + 1 :])


def _repeat(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    at = source.below(len(events))
    return (*events[: at + 1], *events[at:])


def _swap(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    at = source.below(max(len(events) - 1, 1))
    return (*events[:at], *events[at : at + 2][::-1], *events[at + 2 :])


def _missing_terminal(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    return tuple(events[: len(events) - 1 - source.below(len(events))])


def _late_terminal(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    at = source.below(len(events))
    return (*events, events[at])


def _two_terminals(events: Sequence[Event], _: ByteSource, __: Protocol) -> Items:
    return (*events, *events[-1:])


def _foreign_index(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    """Move one event to an index that was never opened."""
    indexed = [at for at, event in enumerate(events) if _has_index(event.data)]
    if not indexed:
        return tuple(events)
    at = source.choose(indexed)
    return (
        *events[:at],
        Event(events[at].name, _with_unused_index(events[at].data)),
        *events[at + 1 :],
    )


def _null(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    """Replace a value by null."""
    at = source.below(len(events))
    data = events[at].data
    paths = _paths(data)
    if not isinstance(data, dict) or not paths:
        return tuple(events)
    changed = _with_null(data, source.choose(paths))
    return (*events[:at], Event(events[at].name, changed), *events[at + 1 :])


def _error(events: Sequence[Event], source: ByteSource, wire: Protocol) -> Items:
    at = source.below(len(events))
    return (*events[:at], wire.oracle.error)


def _cut(events: Sequence[Event], source: ByteSource, wire: Protocol) -> Items:
    """End the body after any byte."""
    body = b"".join(map(wire.frame, events))
    return (body[: source.below(len(body) or 1)],)


def _flip(events: Sequence[Event], source: ByteSource, wire: Protocol) -> Items:
    body = bytearray(b"".join(map(wire.frame, events)))
    if body:
        body[source.below(len(body))] ^= 1 << source.below(8)
    return (bytes(body),)


def _garbage(events: Sequence[Event], source: ByteSource, _: Protocol) -> Items:
    at = source.below(len(events))
    return (*events[:at], source.choose(GARBAGE), *events[at:])


def _nothing(_: Sequence[Event], source: ByteSource, __: Protocol) -> Items:
    return source.choose(((), (b": ping\n\n",), (b"\n\n",)))


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
# Mutations that keep what precedes them as it is: every executable call was in the message.
TRUNCATING = ("missing_terminal", "error", "cut")


def corrupt(name: str, events: Sequence[Event], source: ByteSource, wire: Protocol) -> Items:
    """Return what is sent in place of a legal stream.

    Args:
        name: a key of ``CORRUPTING``.
        events: the legal stream.
        source: decides where.
        wire: its protocol.
    """
    return CORRUPTING[name](events, source, wire) if events else ()


_INDEXES = frozenset({"index", "output_index", "content_index", "summary_index"})
_UNUSED_INDEX = 7  # no generated stream opens it


def _has_index(value: Any) -> bool:
    """Return whether an index stands anywhere in a value."""
    if isinstance(value, dict):
        return any(key in _INDEXES or _has_index(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_has_index, value))


def _with_unused_index(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _UNUSED_INDEX if key in _INDEXES else _with_unused_index(inner)
            for key, inner in value.items()
        }
    return [_with_unused_index(inner) for inner in value] if isinstance(value, list) else value


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
