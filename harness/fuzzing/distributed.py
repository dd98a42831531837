"""The whole of a campaign: its shares, done here or elsewhere, and what they found together.

Rules of this file: what shares found is told in their order, whoever was faster; all of them begin
with what was known before; time that some leave over goes to those that follow, or another turn.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from harness.fuzzing.campaign import CampaignResult, Settings
from harness.fuzzing.work_units import WorkUnit, campaign_of, run_unit, split
from harness.generation.example_database import Ledger, settle
from harness.generation.search import known_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.fuzzing.failure import Failure
    from harness.generation.example_database import Kept

    Hands: TypeAlias = Callable[
        [Callable[[WorkUnit], CampaignResult], Sequence[WorkUnit]],
        Iterable[tuple[int, CampaignResult]],
    ]

SPARE = 5.0  # seconds left over that are worth another turn: processes have to start for it
LEAST = 0.25  # of its fair part of the time that a share gets, whatever others took


class DistributedCampaign:
    """All shares of a campaign together; each defect counts once.

    Args:
        settings: what to do.
        workers: how many do the shares at once.
        kept: the database of failing examples; None is one that knows nothing and forgets.
    """

    def __init__(self, settings: Settings, workers: int = 1, kept: Kept | None = None) -> None:
        self._settings, self._workers = settings, workers
        self._kept = Ledger({}) if kept is None else kept
        self.tally = CampaignResult()
        self._done = CampaignResult()
        self._shapes: set[tuple[object, ...]] = set()
        self._started = monotonic()

    def run(self, hands: Hands | None = None) -> Iterator[Failure | None]:
        """Yield each failure nobody had before, and None in between.

        Args:
            hands: who does the shares; None does them here and tells of each failure at once.
        """
        try:
            for turn in count():
                before = self._done.examples
                some = self._shares(turn)
                yield from self._here(some) if hands is None else self._elsewhere(some, hands)
                if not self._goes_on(before):
                    return
        except KeyboardInterrupt:
            self.tally.interrupted = True

    def _goes_on(self, before: int) -> bool:
        """Say whether there is time for another turn, and the last one judged anything."""
        bound = self._settings.examples is not None or self.tally.interrupted
        return not bound and self._left() > SPARE and self._done.examples > before

    def _left(self) -> float:
        """Return the seconds that are left; none are where time sets no bound."""
        return (self._settings.seconds or 0.0) - (monotonic() - self._started)

    def _shares(self, turn: int) -> list[WorkUnit]:
        settings = self._settings
        known = {word: known_of(self._kept, settings.shelf(word)) for word in settings.protocols}
        if turn:
            settings = replace(settings, seconds=self._left())
        return [
            replace(share, known=known[share.settings.protocols[0]])
            for share in split(settings, self._workers, turn)
        ]

    def _here(self, some: Sequence[WorkUnit]) -> Iterator[Failure | None]:
        for place, share in enumerate(some):
            campaign, ledger = campaign_of(self._timed(share, len(some) - place))
            try:
                for failure in campaign.run():
                    self._show(campaign.tally)
                    yield failure if failure is not None and self._take(failure) else None
            finally:  # also where nobody listens any more
                settle(ledger.changes(), self._kept)
            self._add(campaign.tally)
            if campaign.tally.interrupted:
                return

    def _timed(self, share: WorkUnit, to_do: int) -> WorkUnit:
        """Give a share its part of the time that is left, as it and those behind it need it."""
        fair = share.settings.seconds
        if fair is None:
            return share
        seconds = max(LEAST * fair, self._left() / to_do)
        return replace(share, settings=replace(share.settings, seconds=seconds))

    def _elsewhere(self, some: Sequence[WorkUnit], hands: Hands) -> Iterator[Failure | None]:
        early: dict[int, CampaignResult] = {}
        turn = 0
        try:
            for number, tally in hands(run_unit, some):
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

    def _add(self, tally: CampaignResult) -> None:
        self._done = _sum(self._done, tally)
        self._show(CampaignResult())
        self.tally.unspoken |= tally.unspoken
        self.tally.interrupted = self.tally.interrupted or tally.interrupted

    def _show(self, current: CampaignResult) -> None:
        """Count what is done and what is being done."""
        both = _sum(self._done, current)
        self.tally.judged, self.tally.cases = both.judged, both.cases
        self.tally.streams = both.streams
        self.tally.seconds = monotonic() - self._started


def _sum(one: CampaignResult, two: CampaignResult) -> CampaignResult:
    return CampaignResult(one.judged + two.judged, one.cases + two.cases, one.streams + two.streams)
