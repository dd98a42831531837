"""How a run ended: its stop reason, its error, and the usage of its steps.

A run has exactly one end. Errors of the model are mapped by ``client_events.FAILURES``, exceptions
of the service by ``REFUSALS``; everything else is an internal error.

Usage: the counts within a step are cumulative, so the last ones count; steps are added up. None
stays "not reported" and 0 "reported zero". What a cancelled step used until then counts too and is
marked as partial (catalogue CA-021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConversationBusyError, HarnessError, RunCancelled, StreamError
from harness.model import Usage
from harness.streaming.interfaces.base import USAGE_PARTIAL
from harness.streaming.serving.client_events import STREAM_INCOMPLETE, Failure, failure_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON, FinishReason, Outcome
    from harness.streaming.serving.agent import AgentChunk
    from harness.streaming.serving.runs.statuses import StopReason


class PendingApprovalError(HarnessError):
    """A tool call of the conversation waits for approval, so no new request is accepted."""

    def __init__(self) -> None:
        super().__init__("a tool call of this conversation waits for approval; answer it first")


# Exceptions that are neither the model's fault nor an internal error (defect D80).
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
        failure: the error that its client receives, None if there is none.
        detail: the message of the provider or of the exception.
    """

    reason: StopReason
    failure: Failure | None = None
    detail: str | None = None

    def metadata(self) -> dict[str, JSON]:
        """Return what is stored with the run."""
        if self.failure is None:
            return {}
        return {"error": {**self.failure._asdict(), "detail": self.detail}}


CANCELLED = RunEnd("cancelled")
INCOMPLETE = RunEnd(STREAM_INCOMPLETE.stop_reason, STREAM_INCOMPLETE)


def run_end_of(error: Exception) -> RunEnd:
    """Return how a run ends whose agent raised an exception."""
    if isinstance(error, RunCancelled):
        return CANCELLED
    failure = REFUSALS.get(type(error))  # type: ignore[arg-type]  # any class may be looked up
    if failure is None:
        failure = failure_of(error.info if isinstance(error, StreamError) else None)
    return RunEnd(failure.stop_reason, failure, str(error) or type(error).__name__)


@dataclass
class _Step:
    finish: FinishReason | None = None
    usage: Usage | None = None


class UsageTotals:
    """The usage and finish reasons of the steps so far.

    ``partial`` is True when a step may have used more than it reported.
    """

    def __init__(self) -> None:
        self.partial = False
        self._steps: dict[str, _Step] = {}

    def add_chunk(self, item: AgentChunk) -> None:
        """Record the finish reason and the usage that a chunk carries."""
        step = self._steps.setdefault(item.step_id, _Step())
        step.finish = item.chunk.finish or step.finish
        step.usage = item.chunk.usage or step.usage

    def add_outcome(self, step_id: str, outcome: Outcome) -> None:
        """Record the outcome of a step that is over, however it ended."""
        step = self._steps.setdefault(step_id, _Step())
        step.finish = outcome.finish
        step.usage = outcome.usage or step.usage
        unreported = outcome.ending == "cancelled" and outcome.usage is None
        self.partial |= unreported or USAGE_PARTIAL in outcome.notes

    @property
    def steps(self) -> int:
        """The number of steps that yielded a chunk or an outcome."""
        return len(self._steps)

    @property
    def finish(self) -> FinishReason | None:
        """The finish reason of the last step, None if it has none."""
        last = next(reversed(self._steps.values()), None)
        return None if last is None else last.finish

    @property
    def usage(self) -> Usage | None:
        """The sum over all steps, None if no step reported any usage."""
        reported = [step.usage for step in self._steps.values() if step.usage is not None]
        return _sum(reported) if reported else None


def _sum(usages: list[Usage]) -> Usage:
    columns = {name: [getattr(usage, name) for usage in usages] for name in Usage.model_fields}
    reported = {name: [n for n in counts if n is not None] for name, counts in columns.items()}
    return Usage(**{name: sum(counts) for name, counts in reported.items() if counts})
