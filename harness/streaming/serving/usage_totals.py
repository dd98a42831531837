"""Counts what the steps of a run report beside their messages.

Rules of this file: a step's usage is cumulative, so its last word counts; steps are added up; None
stays not reported, 0 reported zero; what a cancelled step had used by then counts, and is called
partial (catalogue CA-021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model import Usage
from harness.streaming.interfaces.base import USAGE_PARTIAL

if TYPE_CHECKING:
    from harness.model import FinishReason, Outcome
    from harness.streaming.serving.agent import AgentChunk


@dataclass
class _Step:
    finish: FinishReason | None = None
    usage: Usage | None = None


class UsageTotals:
    """What came of the steps so far; ``partial`` says that one of them may have used more."""

    def __init__(self) -> None:
        self.partial = False
        self._steps: dict[str, _Step] = {}

    def take(self, said: AgentChunk) -> None:
        """Read what a chunk says about its step."""
        step = self._steps.setdefault(said.step_id, _Step())
        step.finish = said.chunk.finish or step.finish
        step.usage = said.chunk.usage or step.usage

    def account(self, step_id: str, outcome: Outcome) -> None:
        """Read what came of a step that is over, whoever ended it."""
        step = self._steps.setdefault(step_id, _Step())
        step.finish = outcome.finish
        step.usage = outcome.usage or step.usage
        uncounted = outcome.ending == "cancelled" and outcome.usage is None
        self.partial |= uncounted or USAGE_PARTIAL in outcome.notes

    @property
    def steps(self) -> int:
        """How many steps have said anything."""
        return len(self._steps)

    @property
    def finish(self) -> FinishReason | None:
        """Why the last step stopped, None where it did not say."""
        last = next(reversed(self._steps.values()), None)
        return None if last is None else last.finish

    @property
    def usage(self) -> Usage | None:
        """The counts of all steps together, None where none reported any."""
        reported = [step.usage for step in self._steps.values() if step.usage is not None]
        return _sum(reported) if reported else None


def _sum(usages: list[Usage]) -> Usage:
    columns = {name: [getattr(usage, name) for usage in usages] for name in Usage.model_fields}
    known = {name: [n for n in counts if n is not None] for name, counts in columns.items()}
    return Usage(**{name: sum(counts) for name, counts in known.items() if counts})
