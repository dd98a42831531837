"""One campaign in one process: draw cases, evaluate properties, shrink what fails, continue.

Rules of this file: a failure is shrunk once and its fingerprint is skipped from then on, so one
defect never hides the next; the time limit is checked between cases, never within one; whatever
interrupts a campaign, the failures found before have been yielded.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

from harness.engine.replayer import Replayer
from harness.fuzzing.failure import Failure, failure_of
from harness.fuzzing.properties.property import Trial
from harness.fuzzing.stream_runner import StreamRunner
from harness.generation.example_database import TrackingDatabase
from harness.generation.search import Search
from harness.generation.strategies import cases
from harness.targets.resolving import listens_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.fuzzing.properties.property import Counterexample, Property, Replay
    from harness.fuzzing.settings import Settings
    from harness.generation.cases import Case
    from harness.generation.example_database import DatabaseChange

BATCH = 60  # cases drawn at once
MOST_SHRINKS = 1000  # streams that shrink one failure; a bound on time would depend on the machine
SHRINK_SECONDS = 60.0  # but for a target that hangs


@dataclass
class CampaignResult:
    """What a campaign has done so far.

    Args:
        evaluated: how often each property was evaluated, by its name.
        cases: how many cases were drawn.
        streams: how many streams were replayed.
        seconds: wall-clock time.
        failures: what was found, in order.
        interrupted: whether Ctrl-C ended it.
        unsupported: the protocols that the target does not support.
        database_changes: how its tracking database differs from what it began with.
    """

    evaluated: Counter[str] = field(default_factory=Counter)
    cases: int = 0
    streams: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    interrupted: bool = False
    unsupported: set[str] = field(default_factory=set)
    database_changes: tuple[DatabaseChange, ...] = ()

    @property
    def examples(self) -> int:
        """How many evaluations of one property on one case there were."""
        return self.evaluated.total()


class Campaign:
    """One campaign.

    Args:
        settings: what to do.
        database: the failing examples of earlier campaigns, and where new ones are stored; None
            knows none and stores none.
    """

    def __init__(self, settings: Settings, database: TrackingDatabase | None = None) -> None:
        self.settings, self.result = settings, CampaignResult()
        self._started = monotonic()
        self._properties = settings.applicable
        messages_only = all(one.of_messages for one in self._properties)
        database = TrackingDatabase({}) if database is None else database
        self._searches = {
            name: Search(
                cases(name, messages_only=messages_only), database, settings.database_name(name)
            )
            for name in settings.protocols
        }
        self._seen: dict[str, set[str]] = {name: set() for name in settings.protocols}
        self._shapes: set[tuple[object, ...]] = set()
        self._current: Case | None = None
        self._runner: StreamRunner
        self._replay: Replay

    def run(self) -> Iterator[Failure | None]:
        """Yield each failure as it is found, and None between batches."""
        settings = self.settings
        memory = settings.in_memory
        memory = listens_in_memory(settings.target) if memory is None else memory
        try:
            with Replayer(settings.timeout, in_memory=memory, inline=memory) as replayer:
                self._runner = StreamRunner(replayer, settings.target, settings.variant_targets)
                supported = tuple(filter(self._runner.supports, settings.protocols))
                self.result.unsupported.update(set(settings.protocols) - set(supported))
                if supported:
                    yield from self._retry_known(supported)
                    yield from self._draw_new(supported)
        except KeyboardInterrupt:
            self.result.interrupted = True
        self._note_time()

    def _retry_known(self, names: Sequence[str]) -> Iterator[Failure | None]:
        """Evaluate what earlier campaigns found, and discard what is fixed."""
        properties = {one.name: one for one in self._properties}
        for name in names:
            search = self._searches[name]
            for fingerprint in search.failures():
                violated = properties.get(fingerprint.partition(" ")[0])
                if violated is None:
                    continue
                case = search.replay(partial(self._violates, violated), fingerprint)
                if case is None:
                    search.discard(fingerprint)
                else:
                    yield from self._new_failure(name, violated, case)

    def _draw_new(self, names: Sequence[str]) -> Iterator[Failure | None]:
        number = 0
        while not self._over():
            for name in names:
                yield from self._batch(name, self.settings.seed * 1_000_003 + number)
                number += 1
                self._note_time()
                yield None
                if self._over():
                    return

    def _batch(self, name: str, seed: int) -> Iterator[Failure | None]:
        found: list[tuple[Property, str]] = []

        def fails(case: Case) -> bool:
            if self._over():
                return False
            self.result.cases += 1
            for one in self._properties:
                counterexample = self._evaluate(one, case)
                self.result.evaluated[one.name] += 1
                fingerprint = counterexample and _fingerprint(one, counterexample)
                if fingerprint and fingerprint not in self._seen[name]:
                    found.append((one, fingerprint))
                    return True
            return False

        if self._searches[name].draw(fails, self._batch_size(), seed) is not None:
            yield from self._shrink(name, *found[-1])

    def _batch_size(self) -> int:
        """Return how many cases to draw at once."""
        if self.settings.examples is None:
            return BATCH
        remaining = self.settings.examples - self.result.examples
        return max(1, min(BATCH, math.ceil(remaining / len(self._properties))))

    def _shrink(self, name: str, violated: Property, fingerprint: str) -> Iterator[Failure | None]:
        self._seen[name].add(fingerprint)
        deadline, evaluated = monotonic() + SHRINK_SECONDS, count()

        def fails_alike(case: Case) -> bool:
            if next(evaluated) >= MOST_SHRINKS or monotonic() > deadline:
                return False
            counterexample = self._evaluate(violated, case)
            return (
                counterexample is not None and _fingerprint(violated, counterexample) == fingerprint
            )

        case = self._searches[name].shrink(fails_alike, fingerprint)
        if case is not None:
            yield from self._new_failure(name, violated, case)

    def _new_failure(self, name: str, violated: Property, case: Case) -> Iterator[Failure]:
        """Yield the failure of a case, unless another one has the same property and events."""
        counterexample = self._evaluate(violated, case)
        if counterexample is None:
            return  # the target is flaky
        self._seen[name].add(_fingerprint(violated, counterexample))
        failure = failure_of(violated, case, counterexample, self.settings)
        if failure.shape not in self._shapes:
            self._shapes.add(failure.shape)
            self.result.failures.append(failure)
            yield failure

    def _violates(self, violated: Property, case: Case) -> bool:
        return self._evaluate(violated, case) is not None

    def _evaluate(self, one: Property, case: Case) -> Counterexample | None:
        if one.of_messages and case.message is None:
            return None
        if case is not self._current:
            self._current, self._replay = case, self._runner.for_case(case.protocol_name)
        before = self._runner.streams
        counterexample = one.violation(Trial(case, self._replay))
        self.result.streams += self._runner.streams - before
        return counterexample

    def _over(self) -> bool:
        settings = self.settings
        if settings.seconds is not None and monotonic() - self._started > settings.seconds:
            return True
        return settings.examples is not None and self.result.examples >= settings.examples

    def _note_time(self) -> None:
        self.result.seconds = monotonic() - self._started


def _fingerprint(violated: Property, counterexample: Counterexample) -> str:
    """Return what identifies one defect; it begins with the property's name."""
    return f"{violated.name} {counterexample.fingerprint}".strip()
