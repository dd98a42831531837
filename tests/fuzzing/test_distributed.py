"""Shares of a campaign: what is found is told in order and once, and the time asked for is used."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.engine import workers as crew
from harness.fuzzing import distributed as whole_module
from harness.fuzzing.campaign import Settings
from harness.fuzzing.distributed import DistributedCampaign
from harness.fuzzing.property_list import select_properties
from harness.generation.example_database import Ledger
from harness.model import Outcome
from harness.protocols import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

    from harness.targets.base import Call

SECONDS = 3.0
TWO = ("openai_chat", "openai_responses")


class Chatty:
    """An interface that counts what it is asked, and may rest after the first question."""

    def __init__(self, *protocols: str, tires: float = 0.0) -> None:
        self.protocols, self.asked, self._tires = protocols, Counter[str](), tires
        self.__name__ = "chatty"

    async def __call__(self, call: Call) -> Outcome:
        self.asked[call.protocol] += 1
        await asyncio.sleep(self._tires if self.asked.total() == 1 else 0)
        return Outcome(ending="truncated", finish="unknown")


def settings(target: object, **options: Any) -> Settings:
    laws = select_properties(["no_silent_success", "prefix"])
    return Settings(**{"target": target, "laws": laws, "examples": None, **options})


def run(whole: DistributedCampaign, hands: Any = None) -> list[str]:
    return [failure.id for failure in whole.run(hands) if failure is not None]


def test_time_that_a_wire_leaves_over_goes_to_the_others() -> None:
    chatty = Chatty(NAMES[-1])
    whole = DistributedCampaign(settings(chatty, seconds=SECONDS))
    started = time.monotonic()
    assert run(whole) == []
    assert time.monotonic() - started > 0.9 * SECONDS  # its fair part alone is a quarter
    assert whole.tally.unspoken == set(NAMES[:-1])


def test_time_left_over_by_workers_is_worth_another_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_module, "SPARE", 0.3)
    whole = DistributedCampaign(settings(Chatty("openai_chat"), seconds=SECONDS))
    started = time.monotonic()
    run(whole, crew.alone)
    assert time.monotonic() - started > 0.8 * SECONDS


def test_every_wire_has_its_turn_whatever_the_first_one_took() -> None:
    chatty = Chatty(*NAMES, tires=SECONDS)
    run(DistributedCampaign(settings(chatty, seconds=SECONDS)))
    assert all(chatty.asked[name] > 2 for name in NAMES[1:])


def test_nobody_who_speaks_nothing_is_asked_for_ever() -> None:
    run(DistributedCampaign(settings(Chatty(), seconds=100.0)))


def test_what_was_found_is_told_in_the_order_of_the_shares_and_kept() -> None:
    async def hopeful(_: Call) -> Outcome:
        return Outcome(ending="complete", finish="stop")

    def backwards(work: Callable[[Any], Any], some: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        yield from reversed(list(crew.alone(work, some)))

    asked = settings(hopeful, protocols=TWO, examples=40)
    kept, other = Ledger({}), Ledger({})
    here = run(DistributedCampaign(asked, kept=kept))
    assert len(here) == 4
    assert run(DistributedCampaign(asked, kept=other), backwards) == here
    assert kept.changes() == other.changes() != ()
