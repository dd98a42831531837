"""Every law a campaign knows: those of ``harness.fuzz``, and those of every outcome.

What ``harness.checks`` knows of an outcome holds whatever was sent, so a campaign holds it against
lawful and unlawful streams alike.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.checks.laws import LAWS as CHECKS
from harness.checks.next_request import ACCEPTED, next_request
from harness.errors import UnknownWordError
from harness.fuzz.laws import LAWS as OVER_STREAMS
from harness.fuzz.laws import Broken, Law
from harness.fuzz.mutations.unlawful import UNLAWFUL, spoil
from harness.fuzz.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from harness.checks.laws import Law as Check
    from harness.fuzz.cases import Case
    from harness.fuzz.laws import Tell
    from harness.model import Event, FinishReason, Outcome
    from harness.wire.script import Script

    Wrong: TypeAlias = Callable[[Script, Outcome, Mapping[str, FinishReason]], Broken | None]


def _of_outcomes(check: Check) -> Law:
    return Law(check.name, check.says, (), partial(_judge, partial(_wrong, check)))


def _judge(wrong: Wrong, case: Case, tell: Tell) -> Broken | None:
    """Judge what came of the stream itself, or of a spoiled one, as the dice say."""
    tape = Tape(case.dice)
    items: tuple[Event | bytes, ...] = case.events
    if tape.next() % 2:
        items = spoil(tape.choose(tuple(UNLAWFUL)), case.events, tape, case.protocol)
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


HISTORY = Law(
    "history",
    "what was delivered, sent back with answers to its calls, is a request the API accepts",
    ("CA-006", "AN-026"),
    partial(_judge, _refused),
)
LAWS: tuple[Law, ...] = (*OVER_STREAMS, *map(_of_outcomes, CHECKS), HISTORY)


def chosen(names: Sequence[str]) -> tuple[Law, ...]:
    """Return the laws of these names; none means all.

    Raises:
        UnknownWordError: no law has that name.
    """
    known = {law.name: law for law in LAWS}
    for name in names:
        if name not in known:
            raise UnknownWordError("law", name, known)
    return tuple(law for law in LAWS if not names or law.name in names)
