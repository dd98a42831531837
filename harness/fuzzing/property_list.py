"""Every law a campaign knows: those of ``harness.generation``, and those of every outcome.

What ``harness.checks`` knows of an outcome holds whatever was sent, so a campaign holds it against
lawful and unlawful streams alike.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.checks.invariants import INVARIANTS as CHECKS
from harness.checks.next_request import ACCEPTED, next_request
from harness.errors import UnknownWordError
from harness.fuzzing.properties import PROPERTIES as OVER_STREAMS
from harness.fuzzing.properties import Broken, Property
from harness.generation.byte_source import ByteSource
from harness.generation.mutations.corrupting import CORRUPTING, corrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from harness.checks.invariants import Invariant as Check
    from harness.fuzzing.properties import Deliver
    from harness.generation.cases import Case
    from harness.model import Event, FinishReason, Outcome
    from harness.wire.script import Script

    Wrong: TypeAlias = Callable[[Script, Outcome, Mapping[str, FinishReason]], Broken | None]


def _of_outcomes(check: Check) -> Property:
    return Property(check.name, check.says, (), partial(_judge, partial(_wrong, check)))


def _judge(wrong: Wrong, case: Case, tell: Deliver) -> Broken | None:
    """Judge what came of the stream itself, or of a spoiled one, as the dice say."""
    tape = ByteSource(case.dice)
    items: tuple[Event | bytes, ...] = case.events
    if tape.next() % 2:
        items = corrupt(tape.choose(tuple(CORRUPTING)), case.events, tape, case.protocol)
    script = case.spoken(items)
    return wrong(script, tell(script).outcome, case.protocol.finish)


def _wrong(
    check: Check, script: Script, outcome: Outcome, words: Mapping[str, FinishReason]
) -> Broken | None:
    wrong = check.broken(outcome, words)
    return Broken(script, {}, {check.name: wrong}, f"{check.name}: {wrong}") if wrong else None


def _refused(script: Script, outcome: Outcome, _: Mapping[str, FinishReason]) -> Broken | None:
    said = next_request(outcome)
    if said == ACCEPTED:
        return None
    return Broken(script, {"next_request": ACCEPTED}, {"next_request": said}, said)


HISTORY = Property(
    "history",
    "what was delivered, sent back with answers to its calls, is a request the API accepts",
    ("CA-006", "AN-026"),
    partial(_judge, _refused),
)
PROPERTIES: tuple[Property, ...] = (*OVER_STREAMS, *map(_of_outcomes, CHECKS), HISTORY)


def select_properties(names: Sequence[str]) -> tuple[Property, ...]:
    """Return the laws of these names; none means all.

    Raises:
        UnknownWordError: no law has that name.
    """
    known = {law.name: law for law in PROPERTIES}
    for name in names:
        if name not in known:
            raise UnknownWordError("law", name, known)
    return tuple(law for law in PROPERTIES if not names or law.name in names)
