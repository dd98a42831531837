"""A campaign cut into work units, run in this process or by workers, and their results together.

A work unit is one protocol, a few properties and a range of seeds. Each range has one unit
for a property in a protocol, so units do not depend on each other, and one process finds the same
as many.

Rules of this file: failures are yielded in the order of the units, whichever finishes first; all
units begin with the same known examples; time that some units do not use goes to those that
follow, or to another round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.engine.work_units import in_order
from harness.fuzzing.campaign import Campaign, CampaignResult
from harness.fuzzing.properties import select_properties
from harness.generation.example_database import TrackingDatabase, apply_changes
from harness.generation.search import examples_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from harness.fuzzing.failure import Failure
    from harness.fuzzing.settings import Settings
    from harness.generation.example_database import ExampleDatabase, Examples

    Pool: TypeAlias = Callable[
        [Callable[["WorkUnit"], CampaignResult], Sequence["WorkUnit"]],
        Iterable[tuple[int, CampaignResult]],
    ]

MOST_PROPERTIES = 16  # of one unit: so many streams are replayed for each case that is drawn
EXAMPLES_PER_SEED = 2500
SPARE_SECONDS = 5.0  # worth another round: workers have to start for it
LEAST_SHARE = 0.25  # of its fair part of the time that a unit gets, whatever the others took


@dataclass(frozen=True)
class WorkUnit:
    """One part of a campaign, which can be sent to another process.

    Args:
        settings: what to do; its properties are left out.
        properties: their names.
        known: failing examples of earlier campaigns.
    """

    settings: Settings
    properties: tuple[str, ...]
    known: Examples = field(default_factory=dict)


def split(settings: Settings, workers: int = 1, first_range: int = 0) -> list[WorkUnit]:
    """Return the work units of a campaign; what they draw does not depend on who runs them.

    Args:
        settings: what to do.
        workers: how many run at once, so that each unit gets its part of their time.
        first_range: the first range of seeds; each round of a campaign with time left draws from
            another one.
    """
    cells = [(name, group) for group in _groups(settings) for name in settings.protocols]
    wanted = settings.examples
    ranges = 1 if wanted is None else math.ceil(wanted / len(cells) / EXAMPLES_PER_SEED) or 1
    units = len(cells) * ranges
    evaluations = ranges * sum(len(group) for _, group in cells)  # the same for each property
    common = replace(
        settings,
        properties=(),
        seconds=None if settings.seconds is None else settings.seconds * workers / units,
    )
    return [
        WorkUnit(
            replace(
                common,
                protocols=(name,),
                seed=settings.seed * 1000 + number,
                examples=None if wanted is None else math.ceil(wanted * len(group) / evaluations),
            ),
            group,
        )
        for number in range(first_range, first_range + ranges)
        for name, group in cells
    ]


def _groups(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Yield the names of properties to evaluate together; those of messages are kept apart."""
    for of_messages in (True, False):
        alike = [one.name for one in settings.applicable if one.of_messages is of_messages]
        for first in range(0, len(alike), MOST_PROPERTIES):
            yield tuple(alike[first : first + MOST_PROPERTIES])


def run_unit(unit: WorkUnit) -> CampaignResult:
    """Run one unit; every worker imports this function."""
    campaign, database = _campaign_of(unit)
    for _ in campaign.run():
        pass
    campaign.result.database_changes = database.changes()
    return campaign.result


def _campaign_of(unit: WorkUnit) -> tuple[Campaign, TrackingDatabase]:
    """Return the campaign of a unit, and the database that it reads and writes."""
    database = TrackingDatabase(unit.known)
    settings = replace(unit.settings, properties=select_properties(unit.properties))
    return Campaign(settings, database), database


class _FinishedUnit(NamedTuple):
    position: int
    result: CampaignResult


class DistributedCampaign:
    """All units of a campaign together; each defect counts once.

    Args:
        settings: what to do.
        workers: how many run units at once.
        database: the failing examples; None knows none and stores none.
    """

    def __init__(
        self, settings: Settings, workers: int = 1, database: ExampleDatabase | None = None
    ) -> None:
        self._settings, self._workers = settings, workers
        self._database = TrackingDatabase({}) if database is None else database
        self.result = CampaignResult()
        self._done = CampaignResult()
        self._shapes: set[tuple[object, ...]] = set()
        self._started = monotonic()

    def run(self, pool: Pool | None = None) -> Iterator[Failure | None]:
        """Yield each failure that was not there before, and None in between.

        Args:
            pool: runs the units elsewhere; None runs them here and yields each failure as soon
                as it is found.
        """
        try:
            for number in count():
                before = self._done.examples
                units = self._units(number)
                yield from (self._here(units) if pool is None else self._elsewhere(units, pool))
                if not self._continues(before):
                    return
        except KeyboardInterrupt:
            self.result.interrupted = True

    def _continues(self, before: int) -> bool:
        """Return whether there is time for another round, and the last one evaluated anything."""
        bound = self._settings.examples is not None or self.result.interrupted
        return not bound and self._remaining() > SPARE_SECONDS and self._done.examples > before

    def _remaining(self) -> float:
        """Return the seconds that remain, none where time sets no bound."""
        return (self._settings.seconds or 0.0) - (monotonic() - self._started)

    def _units(self, number: int) -> list[WorkUnit]:
        settings = self._settings
        known = {
            name: examples_of(self._database, settings.database_name(name))
            for name in settings.protocols
        }
        if number:
            settings = replace(settings, seconds=self._remaining())
        return [
            replace(unit, known=known[unit.settings.protocols[0]])
            for unit in split(settings, self._workers, number)
        ]

    def _here(self, units: Sequence[WorkUnit]) -> Iterator[Failure | None]:
        for number, unit in enumerate(units):
            campaign, database = _campaign_of(self._timed(unit, len(units) - number))
            try:
                for failure in campaign.run():
                    self._count(campaign.result)
                    yield failure if failure is not None and self._is_new(failure) else None
            finally:  # also if the caller stops iterating
                apply_changes(database.changes(), self._database)
            self._add(campaign.result)
            if campaign.result.interrupted:
                return

    def _timed(self, unit: WorkUnit, remaining_units: int) -> WorkUnit:
        """Give a unit its part of the time that remains for it and those that follow."""
        fair = unit.settings.seconds
        if fair is None:
            return unit
        seconds = max(LEAST_SHARE * fair, self._remaining() / remaining_units)
        return replace(unit, settings=replace(unit.settings, seconds=seconds))

    def _elsewhere(self, units: Sequence[WorkUnit], pool: Pool) -> Iterator[Failure | None]:
        finished = self._added(pool(run_unit, units))
        none: Sequence[Failure] = ()
        for failures in in_order(finished, lambda unit: unit.result.failures, lambda: none):
            yield from filter(self._is_new, failures)
            yield None

    def _added(
        self, results: Iterable[tuple[int, CampaignResult]]
    ) -> Generator[Sequence[_FinishedUnit], None, None]:
        """Count each result and store its examples as soon as it arrives."""
        for position, result in results:
            self._add(result)
            apply_changes(result.database_changes, self._database)
            yield (_FinishedUnit(position, result),)

    def _is_new(self, failure: Failure) -> bool:
        """Add a failure; return whether it is the first of its shape."""
        if failure.shape in self._shapes:
            return False
        self._shapes.add(failure.shape)
        self.result.failures.append(failure)
        return True

    def _add(self, result: CampaignResult) -> None:
        self._done = _sum(self._done, result)
        self._count(CampaignResult())
        self.result.unsupported |= result.unsupported
        self.result.interrupted = self.result.interrupted or result.interrupted

    def _count(self, current: CampaignResult) -> None:
        """Count the finished units and the current one."""
        both = _sum(self._done, current)
        self.result.evaluated, self.result.cases = both.evaluated, both.cases
        self.result.streams = both.streams
        self.result.seconds = monotonic() - self._started


def _sum(one: CampaignResult, two: CampaignResult) -> CampaignResult:
    return CampaignResult(
        one.evaluated + two.evaluated, one.cases + two.cases, one.streams + two.streams
    )
