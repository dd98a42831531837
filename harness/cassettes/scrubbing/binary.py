"""A body of AWS's binary events scrubbed while it arrives: base64 texts under checksums.

Rules of this file: a mask is as long as the secret, so every byte keeps its position; a message
without secrets keeps its bytes, any other gets a new checksum; the texts of all messages are
scrubbed as the events of one stream, so fragments are joined; what cannot be read is not returned.
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


class _PendingMessage(NamedTuple):
    """A message whose text is not decided yet.

    ``raw`` is the message as received; ``before`` and ``after`` are the bytes around the text,
    already scrubbed; ``is_base64`` says whether the text is in base64.
    """

    raw: bytes
    before: bytes
    text: bytes
    after: bytes
    is_base64: bool

    def as_event(self) -> bytes:
        """Return the text as a server-sent event."""
        return _DATA + self.text + _END

    def from_event(self, event: bytes) -> bytes:
        """Return the message's bytes with the text of a scrubbed event."""
        text = event[len(_DATA) : -len(_END)]
        content = self.before + (b64encode(text) if self.is_base64 else text) + self.after
        return self.raw if self.raw.startswith(content) else event_stream.with_checksum(content)


class BinaryScrubber:
    """Masks the secrets of one body of binary events.

    Args:
        finder: finds secrets.
        on_masked: called with the kind of each secret that is masked.
    """

    def __init__(self, finder: Finder, on_masked: Callable[[str], None]) -> None:
        self._finder, self._on_masked = finder, on_masked
        self._reader = event_stream.Reader()
        self._texts = BodyScrubber(finder, on_masked)
        self._pending: deque[_PendingMessage] = deque()
        self._decided = bytearray()  # decided texts of the pending messages

    def feed(self, piece: bytes) -> bytes:
        """Read the next bytes; return the messages that are decided.

        Raises:
            WireError: the bytes are not such events, or the text of one cannot be replaced.
        """
        for message, raw in self._reader.feed_with_bytes(piece):
            pending = self._read(message, raw)
            self._pending.append(pending)
            self._decided += self._texts.feed(pending.as_event())
        return self._take_decided()

    def close(self) -> bytes:
        """Return the remaining messages, without an incomplete one."""
        self._decided += self._texts.close()
        return self._take_decided()

    def check(self) -> None:
        """Check that the body did not end inside a message.

        Raises:
            WireError: it did.
        """
        self._reader.close()

    def _take_decided(self) -> bytes:
        decided = bytearray()
        while self._pending and len(self._decided) >= (size := len(self._pending[0].as_event())):
            decided += self._pending.popleft().from_event(bytes(self._decided[:size]))
            del self._decided[:size]
        return bytes(decided)

    def _read(self, message: Message, raw: bytes) -> _PendingMessage:
        prelude, headers, payload = event_stream.split(raw)
        for value in message.headers.values():
            content = value.encode() if isinstance(value, str) else value
            if isinstance(content, bytes) and content:
                headers = headers.replace(content, self._mask_secrets(content))
        inner = _inner_event(payload)
        if inner is None:
            return _PendingMessage(raw, prelude + headers, payload, b"", is_base64=False)
        before, quoted, after = payload.partition(b'"%b"' % b64encode(inner))
        if not quoted or quoted in after:
            problem = "the base64 of an event is not in its canonical form and cannot be masked"
            raise WireError(f"AWS event stream: {problem}")
        return _PendingMessage(
            raw,
            prelude + headers + self._mask_secrets(before) + b'"',
            inner,
            b'"' + self._mask_secrets(after),
            is_base64=True,
        )

    def _mask_secrets(self, text: bytes) -> bytes:
        """Return a complete text without its secrets."""
        content = bytearray(text)
        for found in self._finder.find(text):
            if mask(content, found.start, found.end):
                self._on_masked(found.name)
        return bytes(content)


def _inner_event(payload: bytes) -> bytes | None:
    """Return the event inside a payload, None if the payload itself is the event."""
    try:
        return b64decode(json.loads(payload)["bytes"], validate=True) or None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
