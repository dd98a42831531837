"""Work units of a campaign: failures come in order and once, and the time limit is used fully."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.engine import workers
from harness.fuzzing import distributed
from harness.fuzzing.distributed import DistributedCampaign
from harness.fuzzing.properties import select_properties
from harness.fuzzing.settings import Settings
from harness.generation.example_database import TrackingDatabase
from harness.model import Outcome
from harness.protocols import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

    from harness.targets.base import Call

SECONDS = 3.0
TWO = ("openai_chat", "openai_responses")


class CountingTarget:
    """A target that counts its calls by protocol, and may pause in the first one."""

    def __init__(self, *protocols: str, first_call_takes: float = 0.0) -> None:
        self.protocols, self.calls = protocols, Counter[str]()
        self._first_call_takes = first_call_takes
        self.__name__ = "counting"

    async def __call__(self, call: Call) -> Outcome:
        self.calls[call.protocol] += 1
        await asyncio.sleep(self._first_call_takes if self.calls.total() == 1 else 0)
        return Outcome(ending="truncated", finish="unknown")


def settings(target: object, **options: Any) -> Settings:
    properties = select_properties(["no_silent_success", "prefix"])
    return Settings(**{"target": target, "properties": properties, "examples": None, **options})


def run(campaign: DistributedCampaign, pool: Any = None) -> list[str]:
    return [failure.id for failure in campaign.run(pool) if failure is not None]


def test_time_that_one_protocol_leaves_goes_to_the_others() -> None:
    target = CountingTarget(NAMES[-1])
    campaign = DistributedCampaign(settings(target, seconds=SECONDS))
    started = time.monotonic()
    assert run(campaign) == []
    assert time.monotonic() - started > 0.9 * SECONDS  # its fair part alone is a quarter
    assert campaign.result.unsupported == set(NAMES[:-1])


def test_time_that_workers_leave_is_used_for_another_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distributed, "SPARE_SECONDS", 0.3)
    campaign = DistributedCampaign(settings(CountingTarget("openai_chat"), seconds=SECONDS))
    started = time.monotonic()
    run(campaign, workers.alone)
    assert time.monotonic() - started > 0.8 * SECONDS


def test_every_protocol_gets_its_part_however_long_the_first_one_takes() -> None:
    target = CountingTarget(*NAMES, first_call_takes=SECONDS)
    run(DistributedCampaign(settings(target, seconds=SECONDS)))
    assert all(target.calls[name] > 2 for name in NAMES[1:])


def test_a_target_without_a_protocol_ends_the_campaign() -> None:
    run(DistributedCampaign(settings(CountingTarget(), seconds=100.0)))


def test_failures_come_in_the_order_of_the_units_and_are_stored() -> None:
    async def always_succeeds(_: Call) -> Outcome:
        return Outcome(ending="complete", finish="stop")

    def backwards(work: Callable[[Any], Any], units: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        yield from reversed(list(workers.alone(work, units)))

    asked = settings(always_succeeds, protocols=TWO, examples=40)
    one, two = TrackingDatabase({}), TrackingDatabase({})
    here = run(DistributedCampaign(asked, database=one))
    assert len(here) == 4
    assert run(DistributedCampaign(asked, database=two), backwards) == here
    assert one.changes() == two.changes() != ()
