"""One campaign: draw, judge, shrink, go on; in one process, and for one target.

Rules of this file: a symptom is shrunk once and then looked past, so one defect never hides the
next; the clock is asked between cases, never inside of one; whatever interrupts a campaign, what
was found has been said.
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
from harness.fuzzing.property_list import PROPERTIES
from harness.fuzzing.stream_runner import StreamRunner, twins_of
from harness.generation.example_database import Ledger
from harness.generation.search import Search
from harness.generation.strategies import cases
from harness.protocols import names
from harness.targets.resolving import listens_in_memory, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.fuzzing.properties import Broken, Deliver, Property
    from harness.generation.cases import Case
    from harness.generation.example_database import Change

BATCH = 60  # cases drawn in one go
SHRINKING = 1000  # streams by which one failure may be made smaller; a clock would not be fair
PATIENCE = 60.0  # seconds of that, for a target that hangs


@dataclass(frozen=True)
class Settings:
    """What a campaign does.

    Args:
        target: an address, or the target itself.
        protocols: the wires to speak.
        laws: what has to hold.
        examples: how many laws to judge on how many cases, their product; None sets no bound.
        seconds: when to stop drawing; None means never.
        seed: decides what is drawn.
        timeout: seconds one stream may take.
        in_memory: whether the target listens in memory; None asks its address.
        twins: other ways to the same answer; None asks the target's address.
        kind: ``told`` or ``walked`` cases only; None draws both.
    """

    target: str | object = "builtin"
    protocols: tuple[str, ...] = field(default_factory=names)
    laws: tuple[Property, ...] = PROPERTIES
    examples: int | None = 2000
    seconds: float | None = None
    seed: int = 0
    timeout: float = 10.0
    in_memory: bool | None = None
    twins: Mapping[str, str | object] | None = None
    kind: str | None = None

    def shelf(self, word: str) -> str:
        """Return the name under which examples of a protocol are kept."""
        return f"{name_of(self.target)} {word}"

    @property
    def ways(self) -> Mapping[str, str | object]:
        """The other ways to the same answer, by their word."""
        return twins_of(self.target) if self.twins is None else self.twins

    @property
    def offered(self) -> tuple[Property, ...]:
        """The laws this target can be held to: none that compares with a way it does not have."""
        return tuple(law for law in self.laws if not law.twin or law.twin in self.ways)


@dataclass
class CampaignResult:
    """What a campaign has done so far."""

    judged: Counter[str] = field(default_factory=Counter)  # by law
    cases: int = 0
    streams: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    interrupted: bool = False
    unspoken: set[str] = field(default_factory=set)  # protocols the target does not speak
    learned: tuple[Change, ...] = ()  # what a ledger of failing examples holds afterwards

    @property
    def examples(self) -> int:
        """How many laws were judged on how many cases."""
        return self.judged.total()


class Campaign:
    """The state of one campaign.

    Args:
        settings: what to do.
        kept: what is known of failing examples, and where new ones go; None is nothing, nowhere.
    """

    def __init__(self, settings: Settings, kept: Ledger | None = None) -> None:
        self.settings, self.tally = settings, CampaignResult()
        self._started = monotonic()
        self._laws = settings.offered
        kept = Ledger({}) if kept is None else kept
        self._searches = {
            word: Search(cases(word, self._kind()), kept, settings.shelf(word))
            for word in settings.protocols
        }
        self._seen: dict[str, set[str]] = {word: set() for word in settings.protocols}
        self._shapes: set[tuple[object, ...]] = set()
        self._at: Case | None = None
        self._tell: Deliver

    def run(self) -> Iterator[Failure | None]:
        """Yield each failure as it is found, and None between batches."""
        settings = self.settings
        memory = settings.in_memory
        memory = listens_in_memory(settings.target) if memory is None else memory
        try:
            with Replayer(settings.timeout, in_memory=memory, inline=memory) as player:
                self._teller = StreamRunner(player, settings.target, settings.ways)
                spoken = tuple(filter(self._teller.speaks, settings.protocols))
                self.tally.unspoken.update(set(settings.protocols) - set(spoken))
                if spoken:
                    yield from self._again(spoken)
                    yield from self._rounds(spoken)
        except KeyboardInterrupt:
            self.tally.interrupted = True
        self._note_time()

    def _kind(self) -> str | None:
        """Return the kind of cases to draw: no walks where every law needs a message."""
        only_told = all(law.of_messages for law in self._laws)
        return "told" if only_told else self.settings.kind

    def _again(self, spoken: Sequence[str]) -> Iterator[Failure | None]:
        """Judge what earlier campaigns found; what is healed is forgotten."""
        laws = {law.name: law for law in self._laws}
        for word in spoken:
            search = self._searches[word]
            for known in search.known():
                law = laws.get(known.partition(" ")[0])
                if law is None:
                    continue
                case = search.replay(partial(self._breaks, law), known)
                if case is None:
                    search.forget(known)
                else:
                    yield from self._told(word, law, case)

    def _rounds(self, spoken: Sequence[str]) -> Iterator[Failure | None]:
        number = 0
        while not self._over():
            for word in spoken:
                yield from self._batch(word, self.settings.seed * 1_000_003 + number)
                number += 1
                self._note_time()
                yield None
                if self._over():
                    return

    def _batch(self, word: str, seed: int) -> Iterator[Failure | None]:
        found: list[tuple[Property, str]] = []

        def broken(case: Case) -> bool:
            if self._over():
                return False
            self.tally.cases += 1
            for law in self._laws:
                wrong = self._judge(law, case)
                self.tally.judged[law.name] += 1
                symptom = wrong and _symptom(law, wrong)
                if symptom and symptom not in self._seen[word]:
                    found.append((law, symptom))
                    return True
            return False

        if self._searches[word].look(broken, self._size(), seed) is not None:
            yield from self._shrunk(word, *found[-1])

    def _size(self) -> int:
        """Return how many cases to draw in one go."""
        if self.settings.examples is None:
            return BATCH
        left = self.settings.examples - self.tally.examples
        return max(1, min(BATCH, math.ceil(left / len(self._laws))))

    def _shrunk(self, word: str, law: Property, symptom: str) -> Iterator[Failure | None]:
        self._seen[word].add(symptom)
        deadline, judged = monotonic() + PATIENCE, count()

        def same(case: Case) -> bool:
            if next(judged) >= SHRINKING or monotonic() > deadline:
                return False
            wrong = self._judge(law, case)
            return wrong is not None and _symptom(law, wrong) == symptom

        case = self._searches[word].shrink(same, symptom)
        if case is not None:
            yield from self._told(word, law, case)

    def _told(self, word: str, law: Property, case: Case) -> Iterator[Failure]:
        """Yield the failure of a case, unless another led to the same few events."""
        wrong = self._judge(law, case)
        if wrong is None:
            return  # the target changed its mind
        self._seen[word].add(_symptom(law, wrong))
        failure = failure_of(law, case, wrong, self.settings)
        if failure.shape not in self._shapes:
            self._shapes.add(failure.shape)
            self.tally.failures.append(failure)
            yield failure

    def _breaks(self, law: Property, case: Case) -> bool:
        return self._judge(law, case) is not None

    def _judge(self, law: Property, case: Case) -> Broken | None:
        if law.of_messages and case.message is None:
            return None
        if case is not self._at:
            self._at, self._tell = case, self._teller.about(case.protocol_name)
        before = self._teller.streams
        wrong = law.judge(case, self._tell)
        self.tally.streams += self._teller.streams - before
        return wrong

    def _over(self) -> bool:
        settings = self.settings
        if settings.seconds is not None and monotonic() - self._started > settings.seconds:
            return True
        return settings.examples is not None and self.tally.examples >= settings.examples

    def _note_time(self) -> None:
        self.tally.seconds = monotonic() - self._started


def _symptom(law: Property, wrong: Broken) -> str:
    return f"{law.name} {wrong.symptom}".strip()
