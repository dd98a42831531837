"""Builds the client events of one run.

Rules of this file: an event is numbered when it is built, from 1, and built once; a ping has no
number of its own and repeats the last one; an event is a copy, so later changes of a chunk or a
usage do not change what was sent; a run that is not tracked has no id, and its events say null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID, uuid5

from harness.streaming.serving.client_events import vocabulary
from harness.streaming.serving.client_events.event import ClientEvent, client_event

if TYPE_CHECKING:
    from harness.model import JSON, Chunk, ChunkKind, FinishReason, Usage
    from harness.streaming.serving.client_events.vocabulary import Failure
    from harness.streaming.serving.runs.statuses import StopReason

Otid: TypeAlias = Callable[[str, int], str]

# Any namespace works, as long as it never changes.
_NAMESPACE = UUID("6f1d2c0e-8a55-5b7e-9c3a-2f4d7e90b1aa")


def otid(message_id: str, part: int) -> str:
    """Return the id of one logical message: of one part of a message.

    Clients use it to put the chunks of a part together. It depends on the message and the part
    only, so all chunks of a part have the same id, parallel tool calls have different ones, and a
    replay has the same ids again (defects D50, D51).

    Args:
        message_id: the message's own id.
        part: the part's position in the message, as in ``Chunk.part``.
    """
    return str(uuid5(_NAMESPACE, f"{part}:{message_id}"))


def _now() -> datetime:
    return datetime.now(UTC)


class ClientEventBuilder:
    """Builds and numbers the client events of one run.

    Args:
        run_id: the run, or None where runs are not tracked.
        otid: (message id, part) -> the id of one logical message.
        clock: returns the current time, with its time zone.
        numbered: whether each event gets a number of its own. Events that only one reader of a
            stored run receives repeat the last number, as pings do; otherwise a reader that resumes
            after them would miss stored events.
    """

    def __init__(
        self,
        run_id: str | None,
        otid: Otid,
        clock: Callable[[], datetime] = _now,
        *,
        numbered: bool = True,
    ) -> None:
        self._run_id, self._otid, self._clock, self._numbered = run_id, otid, clock, numbered
        self.last = 0  # the number of the event that was built last

    def message(self, chunk: Chunk, *, message_id: str, step_id: str) -> ClientEvent:
        """Return the event of a chunk of a message.

        Args:
            chunk: of one of the kinds in ``MESSAGE_TYPES``.
            message_id: the message that the model is writing.
            step_id: the step in which it writes it.
        """
        date = self._clock().astimezone(UTC).replace(microsecond=0)
        return self._event(
            vocabulary.MESSAGE_TYPES[chunk.kind],
            id=message_id,
            date=date.isoformat(),
            otid=self._otid(message_id, chunk.part or 0),
            step_id=step_id,
            **_FIELDS[chunk.kind](chunk),
        )

    def stop_reason(self, reason: StopReason, finish: FinishReason | None = None) -> ClientEvent:
        """Return the event with the run's stop reason.

        Args:
            reason: the run's stop reason.
            finish: the finish reason of the last step, if there was one; it distinguishes a
                content filter from a normal stop.
        """
        return self._event(vocabulary.STOP_REASON, stop_reason=reason, finish_reason=finish)

    def usage(self, usage: Usage, steps: int = 1, *, partial: bool = False) -> ClientEvent:
        """Return the event with the run's token counts.

        Args:
            usage: the reported counts.
            steps: the number of steps they are the sum of.
            partial: whether a step was aborted before its last count, so more may have been used.
        """
        fields = vocabulary.USAGE_FIELDS
        counts = {theirs: getattr(usage, ours) for ours, theirs in fields.items()}
        marked = {"partial": True} if partial else {}
        return self._event(vocabulary.USAGE, **counts, step_count=steps, **marked)

    def error(self, failure: Failure, detail: str | None = None) -> ClientEvent:
        """Return the event of an error.

        Args:
            failure: its type and its sentence for a person.
            detail: the message of the provider or of the exception.
        """
        return self._event(
            vocabulary.ERROR,
            error_type=failure.error_type,
            message=failure.message,
            detail=detail,
        )

    def ping(self) -> ClientEvent:
        """Return a ping, numbered as the event before it; 0 before the first."""
        return client_event(self._head(vocabulary.PING))

    def _event(self, message_type: str, **fields: JSON) -> ClientEvent:
        self.last += self._numbered
        return client_event({**self._head(message_type), **fields})

    def _head(self, message_type: str) -> dict[str, JSON]:
        return {"message_type": message_type, "run_id": self._run_id, "seq_id": self.last}


def _call(chunk: Chunk) -> dict[str, JSON]:
    """Write a call twice: old clients read the single field, new ones the list."""
    call = {"name": chunk.name, "arguments": chunk.arguments, "tool_call_id": chunk.id}
    return {"tool_call": call, "tool_calls": [dict(call)]}


_FIELDS: Mapping[ChunkKind, Callable[[Chunk], dict[str, JSON]]] = {
    "text": lambda chunk: {"content": chunk.text},
    "refusal": lambda chunk: {"content": chunk.text, "refusal": True},
    "reasoning": lambda chunk: {"reasoning": chunk.text},
    "redacted_reasoning": lambda chunk: {"state": "redacted", "hidden_reasoning": chunk.data},
    "tool_call": _call,
    "approval_request": _call,
}
