"""How a run ended: its stop reason, and what its client is told went wrong.

Rules of this file: one verdict a run; what the model did is told in the words of
``frames.FAILURES``, what an exception of the service means stands in ``REFUSALS``, and only what
neither knows is a fault of our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConversationBusyError, HarnessError, RunCancelled, StreamError
from harness.streaming.serving.client_events import STREAM_INCOMPLETE, Failure, failure_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON
    from harness.streaming.serving.runs.statuses import StopReason


class PendingApprovalError(HarnessError):
    """A call of the conversation waits for a person's word, so nothing else can be asked now."""

    def __init__(self) -> None:
        super().__init__("a tool call of this conversation waits for approval; answer it first")


# What is neither the model's fault nor a defect of ours (defect D80).
REFUSALS: Mapping[type[HarnessError], Failure] = {
    PendingApprovalError: Failure(
        "pending_approval", "error", "A tool call of this conversation waits for approval."
    ),
    ConversationBusyError: Failure(
        "conversation_busy", "error", "Another run is at work on this conversation."
    ),
}


@dataclass(frozen=True)
class RunEnd:
    """How a run ended.

    Args:
        reason: its stop reason.
        failure: what the client is told went wrong, None where nothing did.
        detail: what the provider or the exception itself said.
    """

    reason: StopReason
    failure: Failure | None = None
    detail: str | None = None

    def metadata(self) -> dict[str, JSON]:
        """Return what the run keeps of it."""
        if self.failure is None:
            return {}
        return {"error": {**self.failure._asdict(), "detail": self.detail}}


CANCELLED = RunEnd("cancelled")
INCOMPLETE = RunEnd(STREAM_INCOMPLETE.stop_reason, STREAM_INCOMPLETE)


def run_end_of(error: Exception) -> RunEnd:
    """Return how a run ends that raised something."""
    if isinstance(error, RunCancelled):
        return CANCELLED
    failure = REFUSALS.get(type(error))  # type: ignore[arg-type]  # a class that is no key is none of them
    if failure is None:
        failure = failure_of(error.info if isinstance(error, StreamError) else None)
    return RunEnd(failure.stop_reason, failure, str(error) or type(error).__name__)
