"""A body of AWS's binary events scrubbed while it arrives: texts in base64, under checksums.

Rules of this file: masks are as long as what they cover, so every byte keeps its place; a message
in which nothing was found keeps its bytes, any other is sealed anew; the texts of all messages are
scrubbed as the events of one stream, so fragments are joined; what cannot be read is not let out.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.scrubbing.body import BodyScrubber
from harness.cassettes.scrubbing.masking import mask
from harness.errors import WireError
from harness.wire import event_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.scrubbing.masking import Finder
    from harness.wire.event_stream import Message

_DATA, _END = b"data: ", b"\n\n"


class _Waiting(NamedTuple):
    """A message that is not decided: its own bytes, what it may become, and the text in it.

    ``before`` and ``after`` are what stands around the text, already without secrets; ``coded``
    says whether the text is in base64.
    """

    raw: bytes
    before: bytes
    text: bytes
    after: bytes
    coded: bool

    def told(self) -> bytes:
        """Return the text as an event of a stream."""
        return _DATA + self.text + _END

    def written(self, told: bytes) -> bytes:
        """Return the message's bytes with the text as it was given back."""
        text = told[len(_DATA) : -len(_END)]
        written = self.before + (b64encode(text) if self.coded else text) + self.after
        return self.raw if self.raw.startswith(written) else event_stream.with_checksum(written)


class BinaryScrubber:
    """Masks the secrets of one body of binary events.

    Args:
        finder: finds secrets.
        note: is told the name of each that was masked.
    """

    def __init__(self, finder: Finder, note: Callable[[str], None]) -> None:
        self._finder, self._note = finder, note
        self._reader = event_stream.Reader()
        self._texts = BodyScrubber(finder, note)
        self._waiting: deque[_Waiting] = deque()
        self._decided = bytearray()  # texts that are, of the messages that wait

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes; return the messages that are decided.

        Raises:
            WireError: the bytes are no such events, or none whose text can be told and written.
        """
        for message, raw in self._reader.take(piece):
            waiting = self._read(message, raw)
            self._waiting.append(waiting)
            self._decided += self._texts.feed(waiting.told())
        return self._ready()

    def close(self) -> bytes:
        """Return the rest, without a message that broke off: the body ended, in whatever way."""
        self._decided += self._texts.close()
        return self._ready()

    def check(self) -> None:
        """Check that no message broke off.

        Raises:
            WireError: one did.
        """
        self._reader.close()

    def _ready(self) -> bytes:
        ready = bytearray()
        while self._waiting and len(self._decided) >= (size := len(self._waiting[0].told())):
            ready += self._waiting.popleft().written(bytes(self._decided[:size]))
            del self._decided[:size]
        return bytes(ready)

    def _read(self, message: Message, raw: bytes) -> _Waiting:
        prelude, headers, payload = event_stream.split(raw)
        for value in message.headers.values():
            if isinstance(value, str | bytes):
                bare = value.encode() if isinstance(value, str) else value
                headers = headers.replace(bare, self._scrubbed(bare)) if bare else headers
        inner = _inner(payload)
        if inner is None:
            return _Waiting(raw, prelude + headers, payload, b"", coded=False)
        before, quoted, after = payload.partition(b'"%b"' % b64encode(inner))
        if not quoted or quoted in after:
            words = "the base64 of an event is written in a way of its own"
            raise WireError(f"AWS event stream: {words}")
        return _Waiting(
            raw,
            prelude + headers + self._scrubbed(before) + b'"',
            inner,
            b'"' + self._scrubbed(after),
            coded=True,
        )

    def _scrubbed(self, text: bytes) -> bytes:
        """Return a short text that stands for itself without its secrets."""
        content = bytearray(text)
        for found in self._finder.find(text):
            if mask(content, found.start, found.end):
                self._note(found.name)
        return bytes(content)


def _inner(payload: bytes) -> bytes | None:
    """Return the event inside a payload, None where the payload is the event."""
    try:
        return b64decode(json.loads(payload)["bytes"], validate=True) or None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
