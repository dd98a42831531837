"""One client event, its bytes, and the legal order of a run's events.

Rules of this file: the bytes of client events are written and read here only; writing again what
``ClientEventReader`` read gives the same bytes; the type of an event is read from complete events
only, so text that looks like a terminal event, or one that was cut, is not taken for it; bytes and
str are read alike.

The order: messages, then exactly one stop reason, then the usage and an error at most once each and
in this order, then exactly one ``[DONE]``, and nothing after it, not even a ping.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.model import Event
from harness.protocols.events import data_text, event_of
from harness.protocols.grammar import Grammar, Machine, Step
from harness.protocols.openai_chat.vocabulary import DONE as DONE_WORD
from harness.streaming.serving.client_events import vocabulary
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model import JSON
    from harness.protocols.grammar import Violation

Body: TypeAlias = "dict[str, JSON] | str"

_SURROGATE = re.compile("[\ud800-\udfff]")
_ERROR_EVENT = "error"
_LABELS: Mapping[str, str] = {
    vocabulary.STOP_REASON: "stop_reason",
    vocabulary.USAGE: "usage",
    vocabulary.ERROR: "error",
    vocabulary.PING: "ping",
}


class ClientEvent(NamedTuple):
    """One event: the SSE event name, which only errors have, and its JSON object.

    A body that is a string is ``[DONE]``, or data that is not a client event.
    """

    event: str | None
    body: Body

    @property
    def label(self) -> str:
        """The type: message, ping, stop_reason, usage, error or done.

        For data that is not a client event it is a phrase that says why.
        """
        if isinstance(self.body, str):
            return "done" if self == DONE else f"data that is not an object ({self.body[:40]!r})"
        if self.event == _ERROR_EVENT:
            return "error"
        message_type = self.body.get("message_type")
        if not isinstance(message_type, str):
            return "object without a message_type"
        return _LABELS.get(message_type, "message")

    @property
    def seq_id(self) -> int | None:
        """Its number in the run, None if it has none."""
        seq_id = self.body.get("seq_id") if isinstance(self.body, dict) else None
        return seq_id if type(seq_id) is int else None


DONE = ClientEvent(None, DONE_WORD)


def client_event(body: dict[str, JSON]) -> ClientEvent:
    """Return the event of a JSON object; errors also get an SSE event name."""
    name = _ERROR_EVENT if body["message_type"] == vocabulary.ERROR else None
    return ClientEvent(name, body)


def numbered(event: ClientEvent, seq_id: int, run_id: str) -> ClientEvent:
    """Return the event with its number and its run, each only where it is missing."""
    if isinstance(event.body, str):
        return event
    given = {"seq_id": seq_id, "run_id": run_id}
    missing = {key: value for key, value in given.items() if event.body.get(key) is None}
    return event._replace(body={**event.body, **missing}) if missing else event


def text_of(content: JSON) -> str:
    """Return the text of a message's content: a string, or a list of parts, some of them texts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def write(event: ClientEvent) -> bytes:
    """Return the bytes of an event."""
    text = data_text(Event(*event))
    if _SURROGATE.search(text):
        # A provider may cut a delta within a surrogate pair; only a JSON escape can carry one half.
        text = json.dumps(event.body, separators=(",", ":"))
    return sse.write(event.event, text)


class ClientEventReader:
    """Reads client events from bytes or text that may be cut anywhere.

    ``seen`` holds the labels of all events so far, so ``"done" in reader.seen`` says whether the
    stream came to its end.

    Args:
        limit: the largest number of bytes of one event.
    """

    def __init__(self, limit: int = sse.DEFAULT_LIMIT):
        self._reader = sse.Reader(limit)
        self.seen: set[str] = set()

    def feed(self, piece: bytes | str) -> list[ClientEvent]:
        """Take the next piece and return the events it completes.

        Raises:
            FrameTooLargeError: an event grew over the limit.
        """
        data = piece.encode("utf-8", "replace") if isinstance(piece, str) else piece
        events = [_read(frame) for frame in self._reader.feed(data)]
        self.seen.update(event.label for event in events)
        return events

    def close(self) -> ClientEvent | None:
        """Return the event in which the stream broke off, or None; it is not added to ``seen``."""
        unfinished = self._reader.close()
        return None if unfinished is None else _read(unfinished)


def _read(frame: sse.Frame) -> ClientEvent:
    return ClientEvent(*event_of(frame.event, frame.data))


_RUN = Machine(
    "run",
    {
        "running": {"message": "running", "ping": "running", "stop_reason": "stopped"},
        "stopped": {"ping": "stopped", "usage": "counted", "error": "failed", "done": "ended"},
        "counted": {"ping": "counted", "error": "failed", "done": "ended"},
        "failed": {"ping": "failed", "done": "ended"},
        "ended": {},
    },
)
CLIENT_EVENTS = Grammar((_RUN,))


def client_event_violations(events: Iterable[ClientEvent]) -> list[Violation]:
    """Check the order of all events of a client; never raises."""
    return CLIENT_EVENTS.violations((Step(event.label),) for event in events)
