"""A body scrubbed while it arrives, before any of it is kept.

The guarantee: what ``feed`` and ``close`` return holds no secret that ``patterns`` know or that the
environment or a header told, neither in its bytes, nor in a JSON text of it without its escapes
(nor, so, in JSON that lies in JSON), nor in the texts that come of joining the fragments of a
stream, each by its own name. Two bounds keep memory from growing with the body: fragments more than
``HELD`` bytes of stream apart are not joined, and of a document larger than ``BLOCK`` the bytes are
searched, but no escapes undone. A mask is as long as what it covers: all bytes keep their place.

Rules of this file: where reads end plays no part in what is masked: the events of a read are looked
at together only to learn that there is nothing, else one by one; frames leave in the order they
came, as soon as each text in them is decided; nothing here knows a provider.
"""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from harness.cassettes.scrubbing.events import WHOLE, Events, texts_of_document
from harness.cassettes.scrubbing.leaves import unescaped
from harness.cassettes.scrubbing.masking import mask
from harness.cassettes.scrubbing.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.cassettes.scrubbing.events import Place
    from harness.cassettes.scrubbing.leaves import Name, Text
    from harness.cassettes.scrubbing.masking import Finder
    from harness.cassettes.scrubbing.patterns import Pattern
    from harness.cassettes.scrubbing.tail import Decided, Span

BLOCK = 8 * 1024 * 1024  # bytes of one event or document that is taken apart
HELD = 1024 * 1024  # bytes of frames that wait for a word to end
_BATCH = 16 * 1024  # bytes that are looked at together
_TEXTS = 512  # names of texts that are remembered

_EVENTS = re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:data|event|id|retry)?:")
_SNIFFED = 16  # bytes that tell a stream of events from a document
_BLANK = re.compile(rb"(?>\r\n|\r|\n){2,}")
_PLAIN_BLANK = re.compile(
    rb"\n\n+"
)  # the same where no \r stands; begins with a letter, so runs fast


class _Frame:
    """The bytes of one event, and how many of its texts are not decided."""

    __slots__ = ("bytes", "waiting")

    def __init__(self, raw: bytes) -> None:
        self.bytes, self.waiting = bytearray(raw), 0


class _Joined:
    """One text of a stream, and the fragments of it that are not decided.

    Args:
        finder: finds secrets.
        note: is told the name of each that was masked.
    """

    def __init__(self, finder: Finder, note: Callable[[str], None]) -> None:
        self._tail, self._note = Tail(finder), note
        self._fragments: deque[tuple[int, _Frame, int, Text]] = deque()
        self._new: list[bytes] = []  # fragments that the tail did not see
        self._size = 0

    @property
    def idle(self) -> bool:
        """Whether nothing of it waits."""
        return not self._fragments

    def add(self, frame: _Frame, start: int, text: Text) -> None:
        """Take a fragment that stands at a place of a frame."""
        self._fragments.append((self._size, frame, start, text))
        self._size += len(text.content)
        frame.waiting += 1
        self._new.append(text.content)

    def decide(self) -> None:
        """Decide what can be: all at once, unless there is something to find."""
        new, self._new = self._new, []
        decided = self._tail.pass_over(new)
        for told in map(self._tail.feed, new) if decided is None else (decided,):
            self._settle(told)

    def close(self) -> None:
        """Decide what waits."""
        self._settle(self._tail.close())

    def _settle(self, decided: Decided) -> None:
        for span in decided.secrets:
            begun = takewhile(partial(_begins_before, span.end), self._fragments)
            changed = [self._mask(span, *fragment) for fragment in begun]
            if any(changed):
                self._note(span.name)
        while self._fragments and self._end() <= decided.upto:
            self._fragments.popleft()[1].waiting -= 1

    def _mask(self, span: Span, offset: int, frame: _Frame, place: int, text: Text) -> bool:
        """Mask what a fragment has of a secret; return whether that changed anything."""
        start, end = max(0, span.start - offset), min(len(text.content), span.end - offset)
        if start >= end:
            return False
        first, last = text.span(start, end)
        return mask(frame.bytes, place + first, place + last)

    def _end(self) -> int:
        offset, _, _, text = self._fragments[0]
        return offset + len(text.content)


class BodyScrubber:
    """Masks the secrets of one body.

    Args:
        finder: finds secrets.
        note: is told the name of each that was masked.
    """

    def __init__(self, finder: Finder, note: Callable[[str], None] = lambda _: None) -> None:
        self._finder, self._note = finder, note
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer that end no event
        self._frames: deque[_Frame] = deque()
        self._held = 0  # bytes of them
        self._texts: dict[Name, _Joined] = {}
        self._grown: dict[_Joined, None] = {}  # those with new fragments, in their order
        self._events = Events()
        self._take: Callable[[], None] = self._sniff

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes; return those that are decided, in their order."""
        for start in range(0, len(piece), _BATCH):
            self._buffer += piece[start : start + _BATCH]
            self._take()
        return self._ready()

    def close(self) -> bytes:
        """Return the rest: the body ended, in whatever way."""
        if len(self._buffer) < _SNIFFED:
            self._sniff(whole=True)
        if self._buffer:
            self._rest()
            self._buffer.clear()
        for text in self._texts.values():
            text.close()
        return self._ready()

    def _ready(self) -> bytes:
        ready = bytearray()
        while self._frames:
            if self._frames[0].waiting and self._held > HELD:
                self._decide()
            if self._frames[0].waiting:
                break
            frame = self._frames.popleft()
            self._held -= len(frame.bytes)
            ready += frame.bytes
        return bytes(ready)

    def _decide(self) -> None:
        for text in self._texts.values():
            text.close()

    def _sniff(self, *, whole: bool = False) -> None:
        """Choose how to take the body apart, by its first bytes."""
        if len(self._buffer) >= _SNIFFED or whole:
            events = _EVENTS.match(self._buffer)
            self._take = self._take_events if events else self._take_document
            self._take()

    def _take_events(self) -> None:
        blank = _BLANK if b"\r" in self._buffer else _PLAIN_BLANK
        blanks = blank.finditer(self._buffer, max(0, self._searched - 3))
        ends = [0, *(found.end() for found in blanks)]
        buffer = bytes(self._buffer[: ends[-1]])
        suspects = self._finder.suspects(buffer)
        for start, end in pairwise(ends):
            self._add(buffer[start:end], suspects, self._events.texts)
        self._grow()
        del self._buffer[: ends[-1]]
        self._searched = len(self._buffer)
        if self._searched > BLOCK:
            self._take = self._take_bytes

    def _take_document(self) -> None:
        """Wait for its end, unless it is too large to be taken apart."""
        if len(self._buffer) > BLOCK:
            self._take = self._take_bytes
            self._take()

    def _take_bytes(self) -> None:
        self._one(bytes(self._buffer), lambda raw: [((b"",), 0, len(raw))])
        self._buffer.clear()

    def _rest(self) -> None:
        """Take what the body ended with."""
        if self._take == self._take_events:
            self._one(bytes(self._buffer), self._events.texts)
        elif self._take == self._take_bytes:
            self._take_bytes()
        else:
            self._one(bytes(self._buffer), texts_of_document)

    def _one(self, raw: bytes, texts: Callable[[bytes], Iterable[Place]]) -> None:
        self._add(raw, self._finder.suspects(raw), texts)
        self._grow()

    def _add(
        self, raw: bytes, suspects: tuple[Pattern, ...], texts: Callable[[bytes], Iterable[Place]]
    ) -> None:
        frame = _Frame(raw)
        self._frames.append(frame)
        self._held += len(raw)
        for found in self._finder.find(raw, suspects) if suspects else ():
            if mask(frame.bytes, found.start, found.end):
                self._note(found.name)
        for name, start, end in texts(raw):
            if start < end:
                self._text(frame, name, start, unescaped(raw[start:end]))

    def _text(self, frame: _Frame, name: Name, start: int, text: Text) -> None:
        if name and name[-1] in WHOLE:
            for found in self._finder.find(text.content) if text.places else ():
                first, last = text.span(found.start, found.end)
                if mask(frame.bytes, start + first, start + last):
                    self._note(found.name)
            return
        if name not in self._texts:
            self._forget()
            self._texts[name] = _Joined(self._finder, self._note)
        joined = self._texts[name]
        joined.add(frame, start, text)
        self._grown[joined] = None

    def _grow(self) -> None:
        """Decide what the new fragments allow."""
        for text in self._grown:
            text.decide()
        self._grown.clear()

    def _forget(self) -> None:
        """Drop the texts that wait for nothing, when there are too many."""
        if len(self._texts) >= _TEXTS:
            self._grow()
            self._texts = {name: text for name, text in self._texts.items() if not text.idle}


def _begins_before(end: int, fragment: tuple[int, _Frame, int, Text]) -> bool:
    return fragment[0] < end
