"""From the shorthand of a scenario's ``stream`` to wire events.

An entry is a word and its payload. The words of a protocol's own events are in its skeletons; the
words that all protocols share are here:

``raw: TEXT``            the bytes of TEXT, sent as they are
``base64: TEXT``         the same for bytes that are not text
``json: VALUE``          a body that is not an event stream: the JSON text of VALUE
``comment: TEXT``        a comment line, as keepalives are sent
``event: {name, data}``  any event, data an object or verbatim text
``repeat: {times, entries}``  the entries, repeated

In a payload ``at`` fills the key fields of the event's machine, an object is merged into the
skeleton, and the value ``$absent`` takes a field out of it.
"""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from harness.errors import InputError, UnknownWordError
from harness.model import JSON, Event
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Skeleton: TypeAlias = Callable[[Any, dict[str, JSON]], Iterable[Event]]

ABSENT = "$absent"


class Entry(NamedTuple):
    """One entry of a scenario's ``stream``: a word, its payload, and its line in the file."""

    word: str
    payload: JSON = None
    line: int | None = None


def merge(skeleton: JSON, payload: JSON) -> JSON:
    """Lay a payload over a skeleton: objects merge key by key, anything else replaces.

    The value ``$absent`` removes its key.
    """
    if not isinstance(payload, dict):
        return payload
    under = skeleton if isinstance(skeleton, dict) else {}
    merged = {key: value for key, value in under.items() if payload.get(key) != ABSENT}
    for key, value in payload.items():
        if value != ABSENT:
            merged[key] = merge(merged.get(key), value)
    return merged


class Composer:
    """Writes one stream; a protocol subclasses it with its skeletons.

    ``skeletons`` maps a word to a method ``(self, payload) -> events``; ``scalar`` names, for words
    whose payload may be a bare value, the field that value fills. A composer numbers what it
    writes, so each stream needs a new one.
    """

    skeletons: ClassVar[Mapping[str, Skeleton]] = {}
    scalar: ClassVar[Mapping[str, str]] = {}

    def words(self) -> frozenset[str]:
        """Return every word that this composer knows."""
        return frozenset(self.skeletons) | frozenset(_SHARED)

    def compose(self, entries: Iterable[Entry]) -> Iterator[Event | bytes]:
        """Yield the events, and the bytes of what is not an event, in the order of the entries.

        Raises:
            InputError: a word is unknown or its payload has the wrong form; carries the line.
        """
        for entry in entries:
            try:
                yield from self._one(entry)
            except InputError as error:
                raise error if error.line else error.at("stream", entry.line) from None
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                message = (
                    f"{entry.word}: its payload does not fit ({type(error).__name__}: {error})"
                )
                raise InputError(message, path="stream", line=entry.line) from error

    def _one(self, entry: Entry) -> Iterator[Event | bytes]:
        shared = _SHARED.get(entry.word)
        if shared is not None:
            yield from shared(self, entry.payload)
            return
        skeleton = self.skeletons.get(entry.word)
        if skeleton is None:
            raise UnknownWordError("event", entry.word, self.words())
        yield from skeleton(self, self._payload(entry))

    def _payload(self, entry: Entry) -> dict[str, JSON]:
        if entry.payload is None:
            return {}
        if isinstance(entry.payload, dict):
            return deepcopy(entry.payload)  # a skeleton may take its payload apart
        if entry.word in self.scalar:
            return {self.scalar[entry.word]: entry.payload}
        raise InputError(f"{entry.word}: write its fields as a mapping", line=entry.line)


def _raw(_: Composer, payload: JSON) -> Iterator[Event | bytes]:
    yield str(payload).encode()


def _base64(_: Composer, payload: JSON) -> Iterator[Event | bytes]:
    yield base64.b64decode(payload, validate=True)


def _json(_: Composer, payload: JSON) -> Iterator[Event | bytes]:
    yield json.dumps(payload, ensure_ascii=False).encode()


def _comment(_: Composer, payload: JSON) -> Iterator[Event | bytes]:
    yield sse.comment(str(payload or ""))


def _event(_: Composer, payload: JSON) -> Iterator[Event | bytes]:
    data = payload["data"]
    known = isinstance(data, dict | str)
    yield Event(payload.get("name"), data if known else json.dumps(data, ensure_ascii=False))


def _repeat(composer: Composer, payload: JSON) -> Iterator[Event | bytes]:
    entries = [entry_of(entry) for entry in payload["entries"]]
    for _ in range(payload["times"]):
        yield from composer.compose(entries)


_SHARED: dict[str, Callable[[Composer, JSON], Iterator[Event | bytes]]] = {
    "raw": _raw,
    "base64": _base64,
    "json": _json,
    "comment": _comment,
    "event": _event,
    "repeat": _repeat,
}


def entry_of(value: JSON, line: int | None = None) -> Entry:
    """Read one entry: a bare word, or a mapping of one word to its payload.

    Raises:
        InputError: it is neither.
    """
    if isinstance(value, str):
        return Entry(value, None, line)
    if isinstance(value, dict) and len(value) == 1:
        [(word, payload)] = value.items()
        return Entry(str(word), payload, line)
    raise InputError("an entry is one word, or one word with its payload", line=line)
