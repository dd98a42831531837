"""Looking for the streams that break a law, and making them small: Hypothesis' part of it.

A campaign looks with many laws at once and without shrinking; what it finds is then shrunk with the
one law that broke, starting from what was found. Rules of this file: what a case led to is
remembered, so neither a target that changes its mind nor a clock can confuse the search; one seed
finds and shrinks the same in every process, on every machine.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from unittest import SkipTest

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import ExampleDatabase, InMemoryExampleDatabase
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import SearchStrategy

    from harness.generation.cases import Case
    from harness.generation.example_database import Known

    Broken = Callable[[Case], bool]

DESCENTS, STARTS = 4, 100  # further descents of a shrinking, and streams drawn to start one
_INDEX = b"known "
_SECOND = b".secondary"  # where Hypothesis keeps what it shrank from


class Found(Exception):  # noqa: N818 - no error: how Hypothesis is told that a case is wanted
    """A case is broken."""


class _Unread(HypothesisProvider):
    """Draws as Hypothesis does, but no constants.

    Hypothesis reads those out of whatever modules are loaded, installed ones left aside: what one
    seed draws would differ between a command, its workers, and a wheel. Nasty words we name
    ourselves (``strategies.values``).
    """

    def _maybe_draw_constant(self, *_: object, **__: object) -> None:
        return None


BACKEND = "harness"  # what one seed draws with, everywhere
AVAILABLE_PROVIDERS[BACKEND] = _Unread  # how a backend is made known, by Hypothesis' documents


class KeyedDatabase(ExampleDatabase):
    """A part of a database under a name of ours.

    Hypothesis would file examples under a digest of the function it calls, which here is always the
    same one, and another one after every change of this file.

    Args:
        whole: the database.
        name: what the examples are kept for.
    """

    def __init__(self, whole: ExampleDatabase, name: bytes) -> None:
        super().__init__()
        self._whole, self._name = whole, name

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        self._whole.save(self._ours(key), value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a key."""
        return self._whole.fetch(self._ours(key))

    def delete(self, key: bytes, value: bytes) -> None:
        """Drop an example."""
        self._whole.delete(self._ours(key), value)

    def _ours(self, key: bytes) -> bytes:
        suffix = next((word for word in (_SECOND, b".pareto") if key.endswith(word)), b"")
        return self._name + suffix


class Search:
    """A search for failing cases of one protocol.

    Args:
        strategy: draws the cases.
        kept: where failing examples are kept, for the next campaign.
        name: what the examples are kept for, e.g. the target and the protocol.
    """

    def __init__(self, strategy: SearchStrategy[Case], kept: ExampleDatabase, name: str) -> None:
        self._strategy, self._kept, self._name = strategy, kept, name.encode()
        self._drawn = InMemoryExampleDatabase()

    def look(self, broken: Broken, examples: int, number: int) -> Case | None:
        """Return a case that is broken, as it was drawn, or None.

        Args:
            broken: judges a case.
            examples: how many to draw, at most.
            number: decides what is drawn.
        """
        self._drawn = InMemoryExampleDatabase()
        shelf = KeyedDatabase(self._drawn, self._name)
        return self._find(_remembered(broken), shelf, [Phase.generate], examples, number)

    def shrink(self, broken: Broken, symptom: str) -> Case | None:
        """Return the smallest case of a symptom, starting from what ``look`` found last.

        Where a law's dice say which event is spoiled, no part can be left out without other dice,
        and a descent ends early: so there is another one while a shorter stream can be drawn.

        Args:
            broken: judges a case, by that symptom alone.
            symptom: names it in the database.
        """
        broken = _remembered(broken)
        best, example = self._descend(broken)
        for number in range(DESCENTS):
            if best is None or self.look(_shorter(best, broken), STARTS, number) is None:
                break
            best, example = self._descend(_shorter(best, broken))
        if best is not None:
            self._kept.save(_INDEX + self._name, symptom.encode())
            self._shelf(symptom).save(b"", example)
        return best

    def _descend(self, broken: Broken) -> tuple[Case | None, bytes]:
        """Return the case a descent ends at, and what the database keeps of it."""
        shelf = KeyedDatabase(InMemoryExampleDatabase(), self._name)
        for found in self._drawn.fetch(self._name):
            shelf.save(_SECOND, found)  # as one that is not minimal, or it would not be shrunk
        case = self._find(broken, shelf, [Phase.reuse, Phase.shrink])
        return case, min(shelf.fetch(b""), key=len, default=b"")

    def known(self) -> list[str]:
        """Return the symptoms of earlier campaigns."""
        return sorted(word.decode() for word in self._kept.fetch(_INDEX + self._name))

    def replay(self, broken: Broken, symptom: str) -> Case | None:
        """Return a kept case of a symptom that is still broken, or None."""
        return self._find(_remembered(broken), self._shelf(symptom), [Phase.reuse])

    def forget(self, symptom: str) -> None:
        """Forget a symptom that is healed."""
        self._kept.delete(_INDEX + self._name, symptom.encode())

    def _shelf(self, symptom: str) -> KeyedDatabase:
        return KeyedDatabase(self._kept, _place(self._name, symptom.encode()))

    def _find(
        self,
        broken: Broken,
        shelf: KeyedDatabase,
        phases: list[Phase],
        examples: int = 1,
        number: int = 0,
    ) -> Case | None:
        last: list[Case] = []

        @given(self._strategy)
        def judged(case: Case) -> None:
            if broken(case):
                last[:] = [case]
                raise Found

        options = settings(
            backend=BACKEND,
            max_examples=max(examples, 1),
            phases=phases,
            database=shelf,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        with suppress(Found, SkipTest):  # skipped: the database knows none
            options(seed(number)(judged))()
            last.clear()
        return last[0] if last else None


def known_of(kept: ExampleDatabase, name: str) -> Known:
    """Return all that a database knows under a name, as ledgers are made from."""
    index = _INDEX + name.encode()
    symptoms = frozenset(kept.fetch(index))
    shelves = [_place(name.encode(), symptom) for symptom in symptoms]
    keys = [place + suffix for place in shelves for suffix in (b"", _SECOND)]
    return {index: symptoms, **{key: frozenset(kept.fetch(key)) for key in keys}}


def _place(name: bytes, symptom: bytes) -> bytes:
    return name + b"\0" + symptom


def _shorter(than: Case, broken: Broken) -> Broken:
    return lambda case: len(case.events) < len(than.events) and broken(case)


def _remembered(broken: Broken) -> Broken:
    seen: dict[object, bool] = {}

    def judge(case: Case) -> bool:
        if case.key not in seen:
            seen[case.key] = broken(case)
        return seen[case.key]

    return judge
