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
    """Compare the declared order with the protocol's tables; a missing end does not count."""
    found = [v for v in protocol(scenario.protocol).violations(events) if v.event >= 0]
    violation = next((v.sentence for v in found if v.severity == "violation"), None)
    if scenario.order == "legal" and violation:
        yield _placed(scenario, InputError(f"order is not legal: {violation}"), "order")
    if scenario.order == "illegal" and not violation:
        yield _placed(
            scenario, InputError("order is marked illegal, but the grammar accepts it"), "order"
        )


def _placed(scenario: Scenario, error: InputError, *key: str | int) -> InputError:
    return error.at(scenario.path, scenario.lines.at(*key))
