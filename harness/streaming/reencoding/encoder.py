"""From one frame of ours to the chunks it is in OpenAI's words; what must be remembered between.

Rules of this file: what is sent is legal by the protocol's own tables: the role first, one finish
reason that is true, the usage where it was asked for, one ``[DONE]`` and nothing after it; a run
that failed ends with one error object and never with a finish reason.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from harness.protocols.openai_chat import skeletons
from harness.protocols.openai_chat.vocabulary import REASONING, USAGE
from harness.protocols.paths import put
from harness.streaming.reencoding.vocabulary import word_of
from harness.streaming.serving.client_events import (
    DONE,
    INTERNAL,
    MESSAGE_TYPES,
    STREAM_INCOMPLETE,
    ClientEvent,
    text_of,
    write,
)
from harness.streaming.serving.client_events.vocabulary import USAGE_FIELDS
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON
    from harness.streaming.reencoding.vocabulary import Word

    Handler: TypeAlias = Callable[["Encoder", Any], list[bytes]]
    Teller: TypeAlias = Callable[["Encoder", Any], dict[str, JSON] | None]

_log = logging.getLogger(__name__)


class Encoder:
    """Writes one OpenAI stream.

    Args:
        model: its name, as the client asked for it.
        response_id: the id all chunks share.
        created: seconds since the epoch.
        shown: which of ``reasoning``, ``tool_calls`` and ``usage`` the client is to see.
    """

    def __init__(self, model: str, response_id: str, created: int, shown: frozenset[str]):
        self._model, self._response_id, self._shown = model, response_id, shown
        # The documents: every chunk but the last carries a usage of null, if it was asked for.
        usage = {"usage": None} if "usage" in shown else {}
        self._base: dict[str, JSON] = {"created": created, **usage}
        self._state: Literal["open", "finished", "failed", "done"] = "open"
        self._opened = self._refused = self._told = False
        self._untold = STREAM_INCOMPLETE.error_type, STREAM_INCOMPLETE.message
        self._usage: dict[str, JSON] = {}
        self._calls: dict[str, int] = {}  # message and call id -> index

    def take(self, frame: ClientEvent) -> list[bytes]:
        """Return what one frame is in OpenAI's words; after the end it is nothing."""
        if self._state == "done":
            return []
        return self.frames.get(frame.label, Encoder._foreign)(self, frame.body)

    def stop(self, reason: str, finish: str = "") -> list[bytes]:
        """Return the chunk that says why the run stopped; a stream has one at most.

        A run that failed has none: its error may still come, and knows more.
        """
        if self._state != "open":
            return []
        word = word_of(reason, finish)
        if word is None:
            self._state, self._untold = "failed", (reason, f"The run ended with {reason}.")
            return []
        sent = self._say({}, self._believable(word, finish))
        self._state = "finished"
        return sent

    def fail(self, error_type: str, message: str) -> list[bytes]:
        """Return the error object; a stream has one at most."""
        if self._told or self._state == "done":
            return []
        self._told, self._state = True, "failed"
        about = {"message": message, "type": error_type, "param": None, "code": None}
        return [write(ClientEvent(*skeletons.error(about)))]

    def end(self) -> list[bytes]:
        """Return what brings the stream to its end; nothing the second time."""
        if self._state == "done":
            return []
        if self._state == "finished":
            sent = [self._chunk({"usage": self._usage})] if self._usage else []
        else:
            sent = self.fail(*self._untold)
        self._state = "done"
        return [*sent, write(DONE)]

    # Frames

    def _message(self, body: Any) -> list[bytes]:
        tell = self.messages.get(body["message_type"])
        delta = tell(self, body) if tell and self._state == "open" else None
        return self._say(delta) if delta else []

    def _stop(self, body: Any) -> list[bytes]:
        return self.stop(str(body.get("stop_reason")), str(body.get("finish_reason") or ""))

    def _count(self, body: Any) -> list[bytes]:
        """Keep the usage; it is the last thing sent, whenever it came."""
        if "usage" in self._shown:
            for ours, path in USAGE.items():
                count = body.get(USAGE_FIELDS[ours])
                if count is not None:
                    put(self._usage, path, count)
        return []

    def _error(self, body: Any) -> list[bytes]:
        error_type, message = body.get("error_type"), body.get("message")
        return self.fail(str(error_type or INTERNAL.error_type), str(message or INTERNAL.message))

    def _ping(self, _: Any) -> list[bytes]:
        return [sse.comment("ping")]

    def _done(self, _: Any) -> list[bytes]:
        return self.end()

    def _foreign(self, body: Any) -> list[bytes]:
        _log.warning("a run sent what is no frame: %.80r", body)
        return []

    # Messages

    def _text(self, body: Any) -> dict[str, JSON] | None:
        words = text_of(body.get("content"))
        if not body.get("refusal"):
            return {"content": words} if words else None
        self._refused = True
        return {"refusal": words}

    def _reasoning(self, body: Any) -> dict[str, JSON] | None:
        words = text_of(body.get("reasoning"))
        return {REASONING[0]: words} if words and "reasoning" in self._shown else None

    def _call(self, body: Any) -> dict[str, JSON] | None:
        call = body.get("tool_call")
        if "tool_calls" not in self._shown or not isinstance(call, dict):
            return None
        call_id, name, arguments = (call.get(key) for key in ("tool_call_id", "name", "arguments"))
        key = f"{body.get('id')} {call_id}"  # two messages may use one id
        first = {} if key in self._calls else {"id": call_id, "name": name}
        index = self._calls.setdefault(key, len(self._calls))
        piece = {"index": index, **first, "arguments": arguments or ""}
        return {"tool_calls": [skeletons.fragment(piece)]}

    # Chunks

    def _believable(self, word: Word, finish: str) -> Word:
        """Take a word back that the client would not understand from what it was shown.

        Whoever is told of calls waits for them; and OpenAI's own refusals end as a plain stop,
        because their words say what they are.
        """
        unseen = word == "tool_calls" and not self._calls
        in_words = finish == "refusal" and self._refused
        return "stop" if unseen or in_words else word

    def _say(self, delta: dict[str, JSON], word: Word | None = None) -> list[bytes]:
        """Return the chunk of a delta, behind the one that opens the answer."""
        opening = [] if self._opened else [self._choice({"role": "assistant", "content": ""})]
        self._opened = True
        return [*opening, self._choice(delta, word)]

    def _choice(self, delta: dict[str, JSON], word: Word | None = None) -> bytes:
        return self._chunk({"choices": [skeletons.choice(delta, word)]})

    def _chunk(self, body: dict[str, JSON]) -> bytes:
        whole = {**self._base, **body}
        event = skeletons.chunk(whole, response_id=self._response_id, model=self._model)
        return write(ClientEvent(*event))

    frames: ClassVar[Mapping[str, Handler]] = {
        "message": _message,
        "stop_reason": _stop,
        "usage": _count,
        "error": _error,
        "ping": _ping,
        "done": _done,
    }
    messages: ClassVar[Mapping[str, Teller]] = {
        MESSAGE_TYPES["text"]: _text,
        MESSAGE_TYPES["reasoning"]: _reasoning,
        MESSAGE_TYPES["tool_call"]: _call,
        MESSAGE_TYPES["approval_request"]: _call,
    }
