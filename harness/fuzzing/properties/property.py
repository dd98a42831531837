"""A property: an invariant of generated streams, its trial and its counterexample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from harness.checks.invariants import Invariant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.engine.results import TargetResult
    from harness.generation.cases import Case
    from harness.model import JSON
    from harness.protocols.message import Message
    from harness.wire.script import Script

Severity: TypeAlias = Literal["must", "should"]


class Replay(Protocol):
    """Replays a stream to the target under test; the same stream of a case is replayed once."""

    def __call__(self, script: Script, *, protocol: str = "", variant: str = "") -> TargetResult:
        """Return what the target delivered.

        Args:
            script: the response that is sent.
            protocol: another protocol than the case's.
            variant: another way to get the same answer, a key of the target's ``variants``.
        """


class Trial(NamedTuple):
    """What a property is evaluated on.

    Args:
        case: a generated stream.
        replay: replays streams to the target.
    """

    case: Case
    replay: Replay


@dataclass(frozen=True)
class Counterexample:
    """One stream that violates a property.

    Args:
        script: what was sent.
        expected: what the property requires, by keys of ``must`` where there are such keys.
        actual: what was delivered instead.
        why: one sentence.
        protocol: the protocol of the stream, if it is not the case's.
        variant: the variant that violates the property, if it is not the target itself.
    """

    script: Script
    expected: Mapping[str, JSON] = field(default_factory=dict)
    actual: Mapping[str, JSON] = field(default_factory=dict)
    why: str = ""
    protocol: str = ""
    variant: str = ""

    @property
    def fingerprint(self) -> str:
        """What it shares with other counterexamples of one defect: the fields and the reason."""
        error = self.actual.get("error")
        kind = error.get("kind", "") if isinstance(error, dict) else ""
        reason = self.why.partition(":")[0]
        return " ".join(filter(None, (*sorted(self.expected), kind, reason)))


@dataclass(frozen=True)
class Property(Invariant[Trial, Counterexample]):
    """One invariant of generated streams, for any target.

    Its ``name`` is its id in reports and options; its ``sources`` are ids of docs/catalogue.md.

    Args:
        of_messages: whether it needs the message behind a stream; else it holds for walks as well.
        variant: the variant it compares the target with; it is skipped for a target without one.
        severity: a violated ``must`` decides the exit code, a violated ``should`` is shown.
    """

    of_messages: bool = False
    variant: str = ""
    severity: Severity = "must"


def message_of(case: Case) -> Message:
    """Return the message behind a case, as its protocol expresses it.

    Only a property ``of_messages`` may ask for it: a walk has none.
    """
    message = case.expressed
    assert message is not None  # noqa: S101 - a property of messages never gets a walk
    return message
