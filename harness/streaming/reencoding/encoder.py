"""Turns client events into OpenAI Chat Completions chunks, with the state between them.

Rule of this file: the stream is legal by the grammar of the protocol: the role first, one finish
reason that is true, the usage if it was requested, one ``[DONE]`` and nothing after it. A run that
failed ends with one error object and never with a finish reason.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events
(choices, finish_reason)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from harness.protocols.openai_chat import skeletons
from harness.protocols.openai_chat.vocabulary import REASONING, USAGE
from harness.protocols.paths import put
from harness.streaming.serving.client_events import (
    DONE,
    INTERNAL,
    MESSAGE_TYPES,
    STREAM_INCOMPLETE,
    USAGE_FIELDS,
    ClientEvent,
    text_of,
    write,
)
from harness.wire import sse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON

    EventHandler: TypeAlias = Callable[["Encoder", Any], list[bytes]]
    MessageHandler: TypeAlias = Callable[["Encoder", Any], dict[str, JSON] | None]

ChatFinish: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]

_log = logging.getLogger(__name__)

# Stop reason of the run -> OpenAI's finish reason; None: the run failed, and OpenAI reports that
# with an error object. `length` is the only value that says that the answer is not complete, so it
# is used for everything that ended early without an error.
CHAT_FINISH_OF_STOP_REASON: Mapping[str, ChatFinish | None] = {
    "end_turn": "stop",
    "tool_rule": "stop",
    "requires_approval": "tool_calls",
    "max_steps": "length",
    "max_tokens_exceeded": "length",
    "cancelled": "length",
    "error": None,
    "llm_api_error": None,
    "invalid_llm_response": None,
    "invalid_tool_call": None,
    "no_tool_call": None,
    "insufficient_credits": None,
    "context_window_overflow_in_system_prompt": None,
}

# Finish reason of the last step -> OpenAI's, where the run's stop reason is only `stop`. A refusal
# without a refusal text is a filter: https://docs.claude.com/en/api/handling-stop-reasons
CHAT_FINISH_OF_FINISH_REASON: Mapping[str, ChatFinish | None] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "length",
    "error": None,
    "cancelled": "length",
    "unknown": None,
}


def chat_finish(stop_reason: str, finish: str) -> ChatFinish | None:
    """Return OpenAI's finish reason for a run; None if the run failed or the reason is unknown.

    Args:
        stop_reason: the run's stop reason.
        finish: the finish reason of its last step, or ""; it only refines a plain stop.
    """
    reason = CHAT_FINISH_OF_STOP_REASON.get(stop_reason)
    return CHAT_FINISH_OF_FINISH_REASON.get(finish) if finish and reason == "stop" else reason


class Encoder:
    """Encodes one OpenAI stream.

    Args:
        model: the name of the model, as the client requested it.
        response_id: the id of all chunks.
        created: seconds since the epoch.
        included: which of ``reasoning``, ``tool_calls`` and ``usage`` the client receives.
    """

    def __init__(self, model: str, response_id: str, created: int, included: frozenset[str]):
        self._model, self._response_id, self._included = model, response_id, included
        # By the documents, every chunk but the last has a usage of null if usage was requested.
        usage = {"usage": None} if "usage" in included else {}
        self._base: dict[str, JSON] = {"created": created, **usage}
        self._state: Literal["open", "finished", "failed", "done"] = "open"
        self._opened = self._refused = self._error_sent = False
        self._pending_error = STREAM_INCOMPLETE.error_type, STREAM_INCOMPLETE.message
        self._usage: dict[str, JSON] = {}
        self._calls: dict[str, int] = {}  # message and call id -> index

    def add(self, event: ClientEvent) -> list[bytes]:
        """Return the chunks of a client event; none after the end."""
        if self._state == "done":
            return []
        return self.handlers.get(event.label, Encoder._unknown)(self, event.body)

    def stop(self, reason: str, finish: str = "") -> list[bytes]:
        """Return the chunk with the finish reason; a stream has one at most.

        A run that failed has none: its error event may still come, and has the details.
        """
        if self._state != "open":
            return []
        finish_reason = chat_finish(reason, finish)
        if finish_reason is None:
            self._state = "failed"
            self._pending_error = reason, f"The run ended with {reason}."
            return []
        chunks = self._delta({}, self._visible(finish_reason, finish))
        self._state = "finished"
        return chunks

    def fail(self, error_type: str, message: str) -> list[bytes]:
        """Return the error object; a stream has one at most."""
        if self._error_sent or self._state == "done":
            return []
        self._error_sent, self._state = True, "failed"
        error = {"message": message, "type": error_type, "param": None, "code": None}
        return [write(ClientEvent(*skeletons.error(error)))]

    def end(self) -> list[bytes]:
        """Return the last chunks of the stream; none the second time."""
        if self._state == "done":
            return []
        if self._state == "finished":
            chunks = [self._chunk({"usage": self._usage})] if self._usage else []
        else:
            chunks = self.fail(*self._pending_error)
        self._state = "done"
        return [*chunks, write(DONE)]

    # Events

    def _message(self, body: Any) -> list[bytes]:
        handler = self.message_handlers.get(body["message_type"])
        delta = handler(self, body) if handler and self._state == "open" else None
        return self._delta(delta) if delta else []

    def _stop(self, body: Any) -> list[bytes]:
        return self.stop(str(body.get("stop_reason")), str(body.get("finish_reason") or ""))

    def _record_usage(self, body: Any) -> list[bytes]:
        """Store the usage; it is sent last, whenever it came."""
        if "usage" in self._included:
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

    def _unknown(self, body: Any) -> list[bytes]:
        _log.warning("a run sent data that is not a client event: %.80r", body)
        return []

    # Messages

    def _text(self, body: Any) -> dict[str, JSON] | None:
        text = text_of(body.get("content"))
        if not body.get("refusal"):
            return {"content": text} if text else None
        self._refused = True
        return {"refusal": text}

    def _reasoning(self, body: Any) -> dict[str, JSON] | None:
        text = text_of(body.get("reasoning"))
        return {REASONING[0]: text} if text and "reasoning" in self._included else None

    def _call(self, body: Any) -> dict[str, JSON] | None:
        call = body.get("tool_call")
        if "tool_calls" not in self._included or not isinstance(call, dict):
            return None
        call_id, name, arguments = (call.get(key) for key in ("tool_call_id", "name", "arguments"))
        key = f"{body.get('id')} {call_id}"  # two messages may use the same call id
        first = {} if key in self._calls else {"id": call_id, "name": name}
        index = self._calls.setdefault(key, len(self._calls))
        fragment = {"index": index, **first, "arguments": arguments or ""}
        return {"tool_calls": [skeletons.fragment(fragment)]}

    # Chunks

    def _visible(self, finish_reason: ChatFinish, finish: str) -> ChatFinish:
        """Return `stop` for a finish reason that does not fit what the client received.

        A client waits for the calls that `tool_calls` announces, so it must have received them. And
        OpenAI's own refusals end with `stop`, because they have a refusal text.
        """
        calls_not_sent = finish_reason == "tool_calls" and not self._calls
        refusal_sent = finish == "refusal" and self._refused
        return "stop" if calls_not_sent or refusal_sent else finish_reason

    def _delta(
        self, delta: dict[str, JSON], finish_reason: ChatFinish | None = None
    ) -> list[bytes]:
        """Return the chunk of a delta, after the opening chunk if it is the first."""
        opening = [] if self._opened else [self._choice({"role": "assistant", "content": ""})]
        self._opened = True
        return [*opening, self._choice(delta, finish_reason)]

    def _choice(self, delta: dict[str, JSON], finish_reason: ChatFinish | None = None) -> bytes:
        return self._chunk({"choices": [skeletons.choice(delta, finish_reason)]})

    def _chunk(self, body: dict[str, JSON]) -> bytes:
        fields = {**self._base, **body}
        event = skeletons.chunk(fields, response_id=self._response_id, model=self._model)
        return write(ClientEvent(*event))

    handlers: ClassVar[Mapping[str, EventHandler]] = {
        "message": _message,
        "stop_reason": _stop,
        "usage": _record_usage,
        "error": _error,
        "ping": _ping,
        "done": _done,
    }
    message_handlers: ClassVar[Mapping[str, MessageHandler]] = {
        MESSAGE_TYPES["text"]: _text,
        MESSAGE_TYPES["reasoning"]: _reasoning,
        MESSAGE_TYPES["tool_call"]: _call,
        MESSAGE_TYPES["approval_request"]: _call,
    }
