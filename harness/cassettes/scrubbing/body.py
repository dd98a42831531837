"""A body scrubbed while it arrives, before any of it is stored.

The guarantee: the output of ``feed`` and ``close`` contains no secret that matches a pattern or
that was learned from the environment or a header: not in its bytes, not in its JSON texts without
their escapes (so not in JSON inside JSON either), and not in the texts that result from joining the
fragments of a stream, each by its own name. Two limits bound memory: fragments that are more than
``MAX_HELD`` bytes of stream apart are not joined, and a document larger than ``MAX_BLOCK`` is
searched as bytes, without removing escapes. A mask is as long as the secret, so all bytes keep
their position.

Theory of operation: the body is cut into frames, one per event. The texts of each event are fed to
the joined text of their name, which decides how far it is free of secrets that are still arriving.
A frame is returned once all its texts are decided, and frames are returned in order.

Rules of this file: where reads end does not affect what is masked: the events of a read are
searched together only to find that there is nothing, else one by one; nothing here knows a
provider.
"""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from harness.cassettes.scrubbing.events import UNFRAGMENTED, Events, texts_of_document
from harness.cassettes.scrubbing.incremental_text import IncrementalText
from harness.cassettes.scrubbing.json_texts import unescaped
from harness.cassettes.scrubbing.masking import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.cassettes.scrubbing.events import TextSpan
    from harness.cassettes.scrubbing.incremental_text import Decided, Span
    from harness.cassettes.scrubbing.json_texts import Name, Text
    from harness.cassettes.scrubbing.masking import Finder
    from harness.cassettes.scrubbing.patterns import Pattern

MAX_BLOCK = 8 * 1024 * 1024  # bytes of one event or document that is parsed
MAX_HELD = 1024 * 1024  # bytes of frames held back until a word ends
_BATCH_SIZE = 16 * 1024  # bytes searched together
_MAX_TEXTS = 512  # texts remembered by name

_EVENTS = re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:data|event|id|retry)?:")
_SNIFF_SIZE = 16  # bytes needed to tell a stream of events from a document
_BLANK = re.compile(rb"(?>\r\n|\r|\n){2,}")
_PLAIN_BLANK = re.compile(
    rb"\n\n+"
)  # the same for text without \r; it begins with a literal, so it is fast


class _Frame:
    """The bytes of one event, and the number of its texts that are not decided."""

    __slots__ = ("bytes", "undecided")

    def __init__(self, raw: bytes) -> None:
        self.bytes, self.undecided = bytearray(raw), 0


class _JoinedText:
    """One text of a stream, and its fragments that are not decided.

    Args:
        finder: finds secrets.
        on_masked: called with the kind of each secret that is masked.
    """

    def __init__(self, finder: Finder, on_masked: Callable[[str], None]) -> None:
        self._text, self._on_masked = IncrementalText(finder), on_masked
        self._fragments: deque[tuple[int, _Frame, int, Text]] = deque()
        self._undelivered: list[bytes] = []  # fragments not fed to the text yet
        self._size = 0

    @property
    def idle(self) -> bool:
        """Whether all its fragments are decided."""
        return not self._fragments

    def add(self, frame: _Frame, start: int, text: Text) -> None:
        """Add a fragment at an offset of a frame."""
        self._fragments.append((self._size, frame, start, text))
        self._size += len(text.content)
        frame.undecided += 1
        self._undelivered.append(text.content)

    def decide(self) -> None:
        """Decide as much as possible: all at once, unless a secret may be found."""
        fragments, self._undelivered = self._undelivered, []
        decided = self._text.feed_clean(fragments)
        for result in map(self._text.feed, fragments) if decided is None else (decided,):
            self._apply(result)

    def close(self) -> None:
        """Decide all fragments."""
        self._apply(self._text.close())

    def _apply(self, decided: Decided) -> None:
        for span in decided.secrets:
            overlapping = takewhile(partial(_starts_before, span.end), self._fragments)
            changed = [self._mask(span, *fragment) for fragment in overlapping]
            if any(changed):
                self._on_masked(span.name)
        while self._fragments and self._end() <= decided.upto:
            self._fragments.popleft()[1].undecided -= 1

    def _mask(
        self, span: Span, offset: int, frame: _Frame, offset_in_frame: int, text: Text
    ) -> bool:
        """Mask the part of a secret in a fragment; return whether that changed anything."""
        start, end = max(0, span.start - offset), min(len(text.content), span.end - offset)
        if start >= end:
            return False
        first, last = text.span(start, end)
        return mask(frame.bytes, offset_in_frame + first, offset_in_frame + last)

    def _end(self) -> int:
        offset, _, _, text = self._fragments[0]
        return offset + len(text.content)


class BodyScrubber:
    """Masks the secrets of one body.

    Args:
        finder: finds secrets.
        on_masked: called with the kind of each secret that is masked.
    """

    def __init__(self, finder: Finder, on_masked: Callable[[str], None] = lambda _: None) -> None:
        self._finder, self._on_masked = finder, on_masked
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer that contain no end of an event
        self._frames: deque[_Frame] = deque()
        self._held_size = 0  # bytes in frames
        self._texts: dict[Name, _JoinedText] = {}
        self._changed: dict[_JoinedText, None] = {}  # texts with new fragments, in order
        self._events = Events()
        self._parse: Callable[[], None] = self._sniff

    def feed(self, piece: bytes) -> bytes:
        """Read the next bytes; return those that are decided, in order."""
        for start in range(0, len(piece), _BATCH_SIZE):
            self._buffer += piece[start : start + _BATCH_SIZE]
            self._parse()
        return self._take_decided()

    def close(self) -> bytes:
        """Return the remaining bytes at the end of the body."""
        if len(self._buffer) < _SNIFF_SIZE:
            self._sniff(complete=True)
        if self._buffer:
            self._parse_rest()
            self._buffer.clear()
        for text in self._texts.values():
            text.close()
        return self._take_decided()

    def _take_decided(self) -> bytes:
        decided_bytes = bytearray()
        while self._frames:
            if self._frames[0].undecided and self._held_size > MAX_HELD:
                self._decide()
            if self._frames[0].undecided:
                break
            frame = self._frames.popleft()
            self._held_size -= len(frame.bytes)
            decided_bytes += frame.bytes
        return bytes(decided_bytes)

    def _decide(self) -> None:
        for text in self._texts.values():
            text.close()

    def _sniff(self, *, complete: bool = False) -> None:
        """Choose how to parse the body, by its first bytes."""
        if len(self._buffer) >= _SNIFF_SIZE or complete:
            events = _EVENTS.match(self._buffer)
            self._parse = self._parse_events if events else self._parse_document
            self._parse()

    def _parse_events(self) -> None:
        blank = _BLANK if b"\r" in self._buffer else _PLAIN_BLANK
        blanks = blank.finditer(self._buffer, max(0, self._searched - 3))
        ends = [0, *(found.end() for found in blanks)]
        buffer = bytes(self._buffer[: ends[-1]])
        candidates = self._finder.candidates(buffer)
        for start, end in pairwise(ends):
            self._add(buffer[start:end], candidates, self._events.texts)
        self._decide_new()
        del self._buffer[: ends[-1]]
        self._searched = len(self._buffer)
        if self._searched > MAX_BLOCK:
            self._parse = self._parse_bytes

    def _parse_document(self) -> None:
        """Wait for the end of the document, unless it is too large to be parsed."""
        if len(self._buffer) > MAX_BLOCK:
            self._parse = self._parse_bytes
            self._parse()

    def _parse_bytes(self) -> None:
        self._add_one(bytes(self._buffer), lambda raw: [((b"",), 0, len(raw))])
        self._buffer.clear()

    def _parse_rest(self) -> None:
        """Parse what remains at the end of the body."""
        if self._parse == self._parse_events:
            self._add_one(bytes(self._buffer), self._events.texts)
        elif self._parse == self._parse_bytes:
            self._parse_bytes()
        else:
            self._add_one(bytes(self._buffer), texts_of_document)

    def _add_one(self, raw: bytes, texts: Callable[[bytes], Iterable[TextSpan]]) -> None:
        self._add(raw, self._finder.candidates(raw), texts)
        self._decide_new()

    def _add(
        self,
        raw: bytes,
        candidates: tuple[Pattern, ...],
        texts: Callable[[bytes], Iterable[TextSpan]],
    ) -> None:
        frame = _Frame(raw)
        self._frames.append(frame)
        self._held_size += len(raw)
        for found in self._finder.find(raw, candidates) if candidates else ():
            if mask(frame.bytes, found.start, found.end):
                self._on_masked(found.name)
        for name, start, end in texts(raw):
            if start < end:
                self._text(frame, name, start, unescaped(raw[start:end]))

    def _text(self, frame: _Frame, name: Name, start: int, text: Text) -> None:
        if name and name[-1] in UNFRAGMENTED:
            for found in self._finder.find(text.content) if text.offsets else ():
                first, last = text.span(found.start, found.end)
                if mask(frame.bytes, start + first, start + last):
                    self._on_masked(found.name)
            return
        if name not in self._texts:
            self._drop_idle()
            self._texts[name] = _JoinedText(self._finder, self._on_masked)
        joined = self._texts[name]
        joined.add(frame, start, text)
        self._changed[joined] = None

    def _decide_new(self) -> None:
        """Decide the texts that have new fragments."""
        for text in self._changed:
            text.decide()
        self._changed.clear()

    def _drop_idle(self) -> None:
        """Drop the texts without undecided fragments, if there are too many."""
        if len(self._texts) >= _MAX_TEXTS:
            self._decide_new()
            self._texts = {name: text for name, text in self._texts.items() if not text.idle}


def _starts_before(end: int, fragment: tuple[int, _Frame, int, Text]) -> bool:
    return fragment[0] < end
