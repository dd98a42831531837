"""Makes the frames of one run.

Rules of this file: a frame is numbered when it is made, from 1, and made once; a ping has no number
of its own and repeats the last; a frame is a copy, so nothing that happens to a chunk or a usage
afterwards changes what was sent; a run that is not tracked has no id, and its frames say null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from harness.streaming.serving.client_events import vocabulary as words
from harness.streaming.serving.client_events.event import ClientEvent, client_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON, Chunk, ChunkKind, FinishReason, Usage
    from harness.streaming.serving.client_events.vocabulary import Failure
    from harness.streaming.serving.runs.statuses import StopReason

    Otid: TypeAlias = Callable[[str, int], str]


def _now() -> datetime:
    return datetime.now(UTC)


class ClientEventBuilder:
    """Makes and numbers the frames of one run.

    Args:
        run_id: the run, or None where runs are not tracked.
        otid: (message id, part) -> the id of one logical message.
        clock: the time now, with its zone.
        kept: whether the frames are the run's; a frame that is only said to one of its readers has
            no number of its own, as a ping has none, or whoever resumes behind it would lose some.
    """

    def __init__(
        self,
        run_id: str | None,
        otid: Otid,
        clock: Callable[[], datetime] = _now,
        *,
        kept: bool = True,
    ) -> None:
        self._run_id, self._otid, self._clock, self._kept = run_id, otid, clock, kept
        self.last = 0  # the number of the frame made last

    def message(self, chunk: Chunk, *, message_id: str, step_id: str) -> ClientEvent:
        """Return the frame of a piece of a message.

        Args:
            chunk: of one of the kinds in ``MESSAGE_TYPES``.
            message_id: the message the model is writing.
            step_id: the step it writes it in.
        """
        date = self._clock().astimezone(UTC).replace(microsecond=0)
        return self._frame(
            words.MESSAGE_TYPES[chunk.kind],
            id=message_id,
            date=date.isoformat(),
            otid=self._otid(message_id, chunk.part or 0),
            step_id=step_id,
            **_FIELDS[chunk.kind](chunk),
        )

    def stop_reason(self, reason: StopReason, finish: FinishReason | None = None) -> ClientEvent:
        """Return the frame that says why the run stopped.

        Args:
            reason: the run's.
            finish: the last step's, where there was one: it tells a filter from a full stop.
        """
        return self._frame(words.STOP_REASON, stop_reason=reason, finish_reason=finish)

    def usage(self, usage: Usage, steps: int = 1, *, partial: bool = False) -> ClientEvent:
        """Return the frame of a run's token counts.

        Args:
            usage: what was reported.
            steps: how many steps it is the sum of.
            partial: whether a step was left before its last count, so more may have been used.
        """
        counts = {theirs: getattr(usage, ours) for ours, theirs in words.USAGE_FIELDS.items()}
        marked = {"partial": True} if partial else {}
        return self._frame(words.USAGE, **counts, step_count=steps, **marked)

    def error(self, failure: Failure, detail: str | None = None) -> ClientEvent:
        """Return the frame of an error.

        Args:
            failure: its type and the sentence for a person.
            detail: what the provider or the exception itself said.
        """
        said = {"error_type": failure.error_type, "message": failure.message, "detail": detail}
        return self._frame(words.ERROR, **said)

    def ping(self) -> ClientEvent:
        """Return a sign of life; its number is that of the frame before it, 0 before the first."""
        return client_event(self._head(words.PING))

    def _frame(self, message_type: str, **fields: JSON) -> ClientEvent:
        self.last += self._kept
        return client_event({**self._head(message_type), **fields})

    def _head(self, message_type: str) -> dict[str, JSON]:
        return {"message_type": message_type, "run_id": self._run_id, "seq_id": self.last}


def _call(chunk: Chunk) -> dict[str, JSON]:
    """Write a call twice: old clients read the one field, new ones the list."""
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
