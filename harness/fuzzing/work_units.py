"""A campaign in shares: one protocol, a few laws and a range of seeds each.

A law broken on a wire belongs to one share of each range, so shares know nothing of one another;
one machine does the same shares as many, and finds the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.fuzzing.campaign import Campaign, CampaignResult, Settings
from harness.fuzzing.property_list import select_properties
from harness.generation.example_database import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.generation.example_database import Known

AT_ONCE = 16  # laws judged on one case, at most: so many streams pay for drawing it
RANGE = 2500  # examples of one range of seeds


@dataclass(frozen=True)
class WorkUnit:
    """One piece of a campaign, by names only, so that it travels.

    Args:
        settings: what to do, without its laws.
        laws: their names.
        known: failing examples of earlier campaigns.
    """

    settings: Settings
    laws: tuple[str, ...]
    known: Known = field(default_factory=dict)


def split(settings: Settings, workers: int = 1, turn: int = 0) -> list[WorkUnit]:
    """Return the shares of a campaign; what they draw does not depend on who does them.

    Args:
        settings: what to do.
        workers: how many do them at once, so that each share gets its part of their time.
        turn: counts the turns of a campaign that has time left; each draws other streams.
    """
    cells = [(word, group) for group in _groups(settings) for word in settings.protocols]
    wanted = settings.examples
    ranges = 1 if wanted is None else math.ceil(wanted / len(cells) / RANGE) or 1
    pieces = len(cells) * ranges
    judging = ranges * sum(len(group) for _, group in cells)  # each law is judged as often
    one = replace(
        settings,
        laws=(),
        seconds=None if settings.seconds is None else settings.seconds * workers / pieces,
    )
    return [
        WorkUnit(
            replace(
                one,
                protocols=(word,),
                seed=settings.seed * 1000 + number,
                examples=None if wanted is None else math.ceil(wanted * len(group) / judging),
            ),
            group,
        )
        for number in range(turn, turn + ranges)
        for word, group in cells
    ]


def _groups(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Yield the names of laws that are judged together; those of messages keep to themselves."""
    for of_messages in (True, False):
        alike = [law.name for law in settings.offered if law.of_messages is of_messages]
        for first in range(0, len(alike), AT_ONCE):
            yield tuple(alike[first : first + AT_ONCE])


def run_unit(share: WorkUnit) -> CampaignResult:
    """Do one share; the function that every worker imports."""
    campaign, ledger = campaign_of(share)
    for _ in campaign.run():
        pass
    campaign.tally.learned = ledger.changes()
    return campaign.tally


def campaign_of(share: WorkUnit) -> tuple[Campaign, Ledger]:
    """Return the campaign of a share, and the ledger it reads and writes."""
    ledger = Ledger(share.known)
    return Campaign(replace(share.settings, laws=select_properties(share.laws)), ledger), ledger
