"""One provider wire language, as a value: everything the other rooms ask of a protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.model import Event, repair_surrogates
from harness.protocols import bedrock
from harness.wire import json_array, sse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.model import JSON, FinishReason
    from harness.protocols.composing import Composer
    from harness.protocols.grammar import Grammar, Step, Violation
    from harness.protocols.message import DeltaPlan, Message

_BINARY = b"\0"  # the highest byte of a length; no text begins with it


@dataclass(frozen=True)
class Protocol:
    """The tables of one protocol and what is derived from them.

    Args:
        name: its word, e.g. ``openai_chat``.
        grammar: its legal order.
        read: what an event means to the grammar; never raises, whatever the event holds.
        composer: makes the writer of a scenario's short hand.
        encode: message -> its legal event stream, woven as the caller wants.
        response_body: finished message -> the JSON body that says it where no stream is asked for.
        finish: the provider's own finish words -> ours (the table cites its source).
        vocabulary: category (event, item, part, block, delta, finish, usage …) -> the words the
            tables know.
        unmodelled: category -> word -> the reason why no table holds it.
        request: what a client asks where a scenario does not say: keyword arguments of the SDK.
        line_end: the line end the provider itself uses.
    """

    name: str
    grammar: Grammar
    read: Callable[[Event], Sequence[Step]]
    composer: Callable[[], Composer]
    encode: Callable[[Message, DeltaPlan], list[Event]]
    response_body: Callable[[Message], dict[str, JSON]]
    finish: Mapping[str, FinishReason]
    vocabulary: Mapping[str, frozenset[str]]
    unmodelled: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    request: Mapping[str, JSON] = field(default_factory=dict)
    line_end: str = "\n"

    def frame(self, event: Event) -> bytes:
        """Return the bytes of one event as this protocol's provider sends them."""
        return sse.write(event.name, data_text(event), self.line_end)

    def violations(self, events: Iterable[Event]) -> list[Violation]:
        """Judge a whole stream against the tables; never raises."""
        return self.grammar.violations(self.read(event) for event in events)


_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ASCII = json.JSONEncoder(separators=(",", ":")).encode


def data_text(event: Event) -> str:
    """Return an event's data as it stands on the wire."""
    if isinstance(event.data, str):
        return event.data
    return compact(event.data)


def compact(value: JSON) -> str:
    """Return the text of a JSON value as providers write it.

    Half a character, for which UTF-8 has no bytes, makes the whole text ASCII.
    """
    text = _TEXT(value)
    return text if text.isascii() or repair_surrogates(text) == text else _ASCII(value)


def event_of(name: str | None, data: str) -> Event:
    """Return the event of one frame; data that is no JSON object stays text."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return Event(name, data)
    return Event(name, value if isinstance(value, dict) else data)


def events_of(pieces: Iterable[bytes]) -> Iterator[Event]:
    """Read a recorded body, cut anywhere, into events: SSE, one JSON array, or Bedrock's framing.

    Raises:
        WireError: the bytes are neither, or an event is over the limit.
    """
    source = iter(pieces)
    first = next((piece for piece in source if piece.strip()), b"")
    if first.lstrip()[:1] in {b"[", b"{"}:
        yield from _array_events(first, source)
        return
    if first[:1] == _BINARY:
        for name, data in bedrock.reading(_chain(first, source)):
            yield event_of(name, data)
        return
    reader = sse.Reader()
    for piece in _chain(first, source):
        for frame in reader.feed(piece):
            yield event_of(frame.event, frame.data)
    unfinished = reader.close()
    if unfinished is not None:
        yield event_of(unfinished.event, unfinished.data)


def _array_events(first: bytes, rest: Iterator[bytes]) -> Iterator[Event]:
    reader = json_array.Reader()
    for piece in _chain(first, rest):
        for text in reader.feed(piece):
            yield event_of(None, text)
    reader.close()


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
