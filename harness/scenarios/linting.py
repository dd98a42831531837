"""What is wrong with a scenario beyond its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import InputError, UnknownWordError
from harness.model import Event
from harness.protocols import protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.scenarios.scenario import Scenario


def lint(
    scenario: Scenario, checks: Collection[str], mutations: Collection[str]
) -> Iterator[InputError]:
    """Yield what is wrong with a scenario beyond its form.

    Args:
        scenario: the scenario.
        checks: every key that ``must`` and ``should`` may hold.
        mutations: every name that ``holds_under`` may hold.
    """
    for block in ("must", "should"):
        for key in getattr(scenario, block):
            if key not in checks:
                yield _placed(scenario, UnknownWordError("check", key, checks), block, key)
    for place, name in enumerate(scenario.holds_under):
        if name not in mutations:
            error = UnknownWordError("mutation", name, mutations)
            yield _placed(scenario, error, "holds_under", place)
    try:
        events = [item for item in scenario.wire() if isinstance(item, Event)]
    except InputError as error:
        yield error
    else:
        yield from _order(scenario, events)


def _order(scenario: Scenario, events: Sequence[Event]) -> Iterator[InputError]:
    """Hold the declared order against the protocol's tables; a missing end is no order."""
    found = [v for v in protocol(scenario.protocol).violations(events) if v.event >= 0]
    broken = next((v.sentence for v in found if v.severity == "violation"), None)
    if scenario.order == "legal" and broken:
        yield _placed(scenario, InputError(f"order is not legal: {broken}"), "order")
    if scenario.order == "illegal" and not broken:
        yield _placed(scenario, InputError("order says illegal, no table objects"), "order")


def _placed(scenario: Scenario, error: InputError, *key: str | int) -> InputError:
    return error.at(scenario.path, scenario.lines.at(*key))
