"""A campaign in shares: one protocol, a few laws and a range of seeds each.

A law broken on a wire belongs to one share of each range, so shares know nothing of one another;
one machine does the same shares as many, and finds the same. Rules of this file: what shares found
is told in their order, whoever was faster; all of them begin with what was known before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from harness.fuzz.finding import known_of
from harness.fuzz.keeping import Ledger, settle
from harness.runner.fuzzing.campaign import Campaign, Settings, Tally
from harness.runner.fuzzing.laws import chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.fuzz.keeping import Kept, Known
    from harness.runner.fuzzing.failure import Failure

    Hands: TypeAlias = Callable[
        [Callable[["Share"], Tally], Sequence["Share"]], Iterable[tuple[int, Tally]]
    ]

AT_ONCE = 8  # laws judged on one case: so many streams pay for drawing it
RANGE = 2500  # examples of one range of seeds


@dataclass(frozen=True)
class Share:
    """One piece of a campaign, by names only, so that it travels.

    Args:
        settings: what to do, without its laws.
        laws: their names.
        known: failing examples of earlier campaigns.
    """

    settings: Settings
    laws: tuple[str, ...]
    known: Known = field(default_factory=dict)


def shares(settings: Settings, workers: int = 1) -> list[Share]:
    """Return the shares of a campaign; what they draw does not depend on who does them.

    Args:
        settings: what to do.
        workers: how many do them at once, so that each share gets its part of their time.
    """
    cells = [(word, group) for group in _groups(settings) for word in settings.protocols]
    wanted = settings.examples
    ranges = 1 if wanted is None else math.ceil(wanted / len(cells) / RANGE) or 1
    count = len(cells) * ranges
    one = replace(
        settings,
        laws=(),
        examples=None if wanted is None else max(1, math.ceil(wanted / count)),
        seconds=None if settings.seconds is None else settings.seconds * workers / count,
    )
    return [
        Share(replace(one, protocols=(word,), seed=settings.seed * 1000 + number), group)
        for number in range(ranges)
        for word, group in cells
    ]


def _groups(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Yield the names of laws that are judged together; those of messages keep to themselves."""
    for of_messages in (True, False):
        alike = [law.name for law in settings.offered if law.of_messages is of_messages]
        for first in range(0, len(alike), AT_ONCE):
            yield tuple(alike[first : first + AT_ONCE])


def work(share: Share) -> Tally:
    """Do one share; the function that every worker imports."""
    campaign, ledger = _campaign(share)
    for _ in campaign.run():
        pass
    campaign.tally.learned = ledger.changes()
    return campaign.tally


def _campaign(share: Share) -> tuple[Campaign, Ledger]:
    ledger = Ledger(share.known)
    return Campaign(replace(share.settings, laws=chosen(share.laws)), ledger), ledger


class Whole:
    """All shares of a campaign together; each defect counts once.

    Args:
        settings: what to do.
        workers: how many do the shares at once.
        kept: the database of failing examples; None is one that knows nothing and forgets.
    """

    def __init__(self, settings: Settings, workers: int = 1, kept: Kept | None = None) -> None:
        self._settings, self._workers = settings, workers
        self._kept = Ledger({}) if kept is None else kept
        known = {word: known_of(self._kept, settings.shelf(word)) for word in settings.protocols}
        self.shares = [
            replace(share, known=known[share.settings.protocols[0]])
            for share in shares(settings, workers)
        ]
        self.tally = Tally()
        self._done = Tally()
        self._shapes: set[tuple[object, ...]] = set()
        self._started = monotonic()

    def run(self, hands: Hands | None = None) -> Iterator[Failure | None]:
        """Yield each failure nobody had before, and None in between.

        Args:
            hands: who does the shares; None does them here and tells of each failure at once.
        """
        results = self._here() if hands is None else self._elsewhere(hands)
        try:
            yield from results
        except KeyboardInterrupt:
            self.tally.interrupted = True

    def _here(self) -> Iterator[Failure | None]:
        for share in self.shares:
            campaign, ledger = _campaign(share)
            try:
                for failure in campaign.run():
                    self._show(campaign.tally)
                    yield failure if failure is not None and self._take(failure) else None
            finally:  # also where nobody listens any more
                settle(ledger.changes(), self._kept)
            self._add(campaign.tally)
            if campaign.tally.interrupted:
                return

    def _elsewhere(self, hands: Hands) -> Iterator[Failure | None]:
        early: dict[int, Tally] = {}
        turn = 0
        try:
            for number, tally in hands(work, self.shares):
                early[number] = tally
                self._add(tally)
                settle(tally.learned, self._kept)
                while turn in early:
                    yield from filter(self._take, early.pop(turn).failures)
                    turn += 1
                yield None
        except KeyboardInterrupt:
            for number in sorted(early):
                yield from filter(self._take, early.pop(number).failures)
            raise

    def _take(self, failure: Failure) -> bool:
        """Note a failure; say whether it is the first of its shape."""
        if failure.shape in self._shapes:
            return False
        self._shapes.add(failure.shape)
        self.tally.failures.append(failure)
        return True

    def _add(self, tally: Tally) -> None:
        self._done = _sum(self._done, tally)
        self._show(Tally())
        self.tally.unspoken |= tally.unspoken
        self.tally.interrupted = self.tally.interrupted or tally.interrupted

    def _show(self, current: Tally) -> None:
        """Count what is done and what is being done."""
        both = _sum(self._done, current)
        self.tally.judged, self.tally.cases = both.judged, both.cases
        self.tally.streams = both.streams
        self.tally.seconds = monotonic() - self._started


def _sum(one: Tally, two: Tally) -> Tally:
    return Tally(one.judged + two.judged, one.cases + two.cases, one.streams + two.streams)
