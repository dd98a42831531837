"""One frame and its bytes: the only place where a run's bytes are written and read.

Rules of this file: ``ClientEventReader`` reads back what ``write`` wrote, byte for byte when
written again; a frame is known by its message type once it is whole, so words that look like a
terminal, or a terminal that came by halves, are none; bytes and str are read alike.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.model import Event
from harness.protocols.events import data_text, event_of
from harness.protocols.openai_chat.vocabulary import DONE as DONE_WORD
from harness.streaming.serving.client_events import vocabulary as words
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON

Body: TypeAlias = "dict[str, JSON] | str"

_SURROGATE = re.compile("[\ud800-\udfff]")
_ERROR_EVENT = "error"
_LABELS: Mapping[str, str] = {
    words.STOP_REASON: "stop_reason",
    words.USAGE: "usage",
    words.ERROR: "error",
    words.PING: "ping",
}


class ClientEvent(NamedTuple):
    """One frame: the SSE event name, which only errors have, and its JSON object.

    A body that is text is ``[DONE]``, or something that is no frame of ours.
    """

    event: str | None
    body: Body

    @property
    def label(self) -> str:
        """What it is: message, ping, stop_reason, usage, error or done.

        What is no frame of ours is called by a sentence that says so.
        """
        if isinstance(self.body, str):
            return "done" if self == DONE else f"data that is no object ({self.body[:40]!r})"
        if self.event == _ERROR_EVENT:
            return "error"
        message_type = self.body.get("message_type")
        if not isinstance(message_type, str):
            return "object without a message_type"
        return _LABELS.get(message_type, "message")

    @property
    def seq_id(self) -> int | None:
        """Its number in the run, where it carries one."""
        found = self.body.get("seq_id") if isinstance(self.body, dict) else None
        return found if type(found) is int else None


DONE = ClientEvent(None, DONE_WORD)


def client_event(body: dict[str, JSON]) -> ClientEvent:
    """Return the frame of an object of ours; an error is named in the event too."""
    return ClientEvent(_ERROR_EVENT if body["message_type"] == words.ERROR else None, body)


def numbered(frame: ClientEvent, seq_id: int, run_id: str) -> ClientEvent:
    """Return the frame with its number and its run, where it carries none."""
    if isinstance(frame.body, str):
        return frame
    given = {"seq_id": seq_id, "run_id": run_id}
    missing = {key: value for key, value in given.items() if frame.body.get(key) is None}
    return frame._replace(body={**frame.body, **missing}) if missing else frame


def text_of(content: JSON) -> str:
    """Return the words of a message's content: text, or a list of parts of which some are text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def write(frame: ClientEvent) -> bytes:
    """Return the bytes of a frame."""
    text = data_text(Event(*frame))
    if _SURROGATE.search(text):
        # Half of a pair, which a provider may cut a delta in: only JSON's escape can carry it.
        text = json.dumps(frame.body, separators=(",", ":"))
    return sse.write(frame.event, text)


class ClientEventReader:
    """Turns what was sent, cut anywhere, back into frames.

    ``seen`` holds the label of every frame that has come, so ``"done" in reader.seen`` tells
    whether a stream was brought to its end.

    Args:
        limit: the most bytes one frame may hold.
    """

    def __init__(self, limit: int = sse.DEFAULT_LIMIT):
        self._reader = sse.Reader(limit)
        self.seen: set[str] = set()

    def feed(self, piece: bytes | str) -> list[ClientEvent]:
        """Take the next piece and return the frames it completes.

        Raises:
            FrameTooLargeError: a frame grew over the limit.
        """
        data = piece.encode("utf-8", "replace") if isinstance(piece, str) else piece
        frames = [_read(frame) for frame in self._reader.feed(data)]
        self.seen.update(frame.label for frame in frames)
        return frames

    def close(self) -> ClientEvent | None:
        """Return the frame the stream broke off in, or None; it was never sent, so never seen."""
        unfinished = self._reader.close()
        return None if unfinished is None else _read(unfinished)


def _read(frame: sse.Frame) -> ClientEvent:
    return ClientEvent(*event_of(frame.event, frame.data))
