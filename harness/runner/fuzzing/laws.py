"""Every law a campaign knows: those of ``harness.fuzz``, and those of every outcome.

The laws of ``harness.checks`` hold whatever was sent, so a campaign holds them against lawful and
unlawful streams alike.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.checks.laws import LAWS as CHECKS
from harness.errors import UnknownWordError
from harness.fuzz.laws import LAWS as OVER_STREAMS
from harness.fuzz.laws import Broken, Law
from harness.fuzz.mutations.unlawful import UNLAWFUL, spoil
from harness.fuzz.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.checks.laws import Law as Check
    from harness.fuzz.cases import Case
    from harness.fuzz.laws import Tell


def _of_outcomes(check: Check) -> Law:
    return Law(check.name, check.says, (), partial(_judge, check))


def _judge(check: Check, case: Case, tell: Tell) -> Broken | None:
    """Judge what came of the stream itself, or of a spoiled one, as the dice say."""
    tape = Tape(case.dice)
    items: tuple[object, ...] = case.events
    if tape.next() % 2:
        items = spoil(tape.choose(tuple(UNLAWFUL)), case.events, tape, case.protocol)
    script = case.spoken(items)  # type: ignore[arg-type]
    told = tell(script)
    wrong = check.broken(told.outcome, case.protocol.finish)
    return Broken(script, {}, {check.name: wrong}, f"{check.name}: {wrong}") if wrong else None


LAWS: tuple[Law, ...] = (*OVER_STREAMS, *map(_of_outcomes, CHECKS))


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
