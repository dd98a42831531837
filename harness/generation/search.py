"""Search for the cases that fail, and shrinking of what it finds: Hypothesis' part of a campaign.

A campaign draws for many properties at once and without shrinking; a case that fails is then shrunk
for the one property that it violates, starting from what was drawn. Rules of this file: the result
of each case is cached, so neither a flaky target nor a time limit can confuse Hypothesis; one seed
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
    from harness.generation.example_database import Examples

    Fails = Callable[[Case], bool]

MORE_SHRINKS, DRAWN_PER_SHRINK = 4, 100  # further shrinks of one case; cases drawn to start one
_INDEX = b"known "  # prefix of the key under which the fingerprints are stored
_SECONDARY = b".secondary"  # suffix under which Hypothesis stores what it shrank from


class CounterexampleFound(Exception):  # noqa: N818 - not an error: it reports a hit to Hypothesis
    """The case fails."""


class _NoConstants(HypothesisProvider):
    """Draws as Hypothesis does, without constants of the loaded modules.

    Hypothesis collects constants from the modules that happen to be loaded, installed packages
    excepted: one seed would draw differently in a command, in its workers and from a wheel. The
    difficult texts are listed in ``strategies`` instead.
    """

    def _maybe_draw_constant(self, *_: object, **__: object) -> None:
        return None


BACKEND = "harness"  # the name under which Hypothesis knows this provider
AVAILABLE_PROVIDERS[BACKEND] = _NoConstants  # the documented way to register a backend


class KeyedDatabase(ExampleDatabase):
    """The part of a database that stands under one key.

    Hypothesis would store examples under a digest of the function it calls, which here is always
    the same function, and a different digest after every change of this file.

    Args:
        database: the whole database.
        key: the key of these examples.
    """

    def __init__(self, database: ExampleDatabase, key: bytes) -> None:
        super().__init__()
        self._database, self._prefix = database, key

    def save(self, key: bytes, value: bytes) -> None:
        """Add an example."""
        self._database.save(self._full_key(key), value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a key."""
        return self._database.fetch(self._full_key(key))

    def delete(self, key: bytes, value: bytes) -> None:
        """Remove an example."""
        self._database.delete(self._full_key(key), value)

    def _full_key(self, key: bytes) -> bytes:
        suffixes = (_SECONDARY, b".pareto")
        return self._prefix + next((suffix for suffix in suffixes if key.endswith(suffix)), b"")


class Search:
    """A search for failing cases of one protocol.

    Args:
        strategy: draws the cases.
        database: where failing examples are stored for the next campaign.
        name: what the examples are stored under, e.g. the target and the protocol.
    """

    def __init__(
        self, strategy: SearchStrategy[Case], database: ExampleDatabase, name: str
    ) -> None:
        self._strategy, self._database, self._name = strategy, database, name.encode()
        self._drawn = InMemoryExampleDatabase()

    def draw(self, fails: Fails, examples: int, number: int) -> Case | None:
        """Return the first case that fails, as it was drawn, or None.

        Args:
            fails: evaluates a case.
            examples: how many to draw, at most.
            number: the seed.
        """
        self._drawn = InMemoryExampleDatabase()
        drawn = KeyedDatabase(self._drawn, self._name)
        return self._find(_cached(fails), drawn, [Phase.generate], examples, number)

    def shrink(self, fails: Fails, fingerprint: str) -> Case | None:
        """Return the smallest case of a failure, starting from what ``draw`` found last.

        Where the choices of a property say which event is corrupted, no event can be removed
        without changing the choices, and shrinking stops early. So it is repeated as long as a
        shorter stream that fails can be drawn.

        Args:
            fails: evaluates a case for this failure alone.
            fingerprint: names the failure in the database.
        """
        fails = _cached(fails)
        best, example = self._shrink_drawn(fails)
        for number in range(MORE_SHRINKS):
            if best is None or self.draw(_shorter(best, fails), DRAWN_PER_SHRINK, number) is None:
                break
            best, example = self._shrink_drawn(_shorter(best, fails))
        if best is not None:
            self._database.save(_INDEX + self._name, fingerprint.encode())
            self._stored(fingerprint).save(b"", example)
        return best

    def _shrink_drawn(self, fails: Fails) -> tuple[Case | None, bytes]:
        """Return the case that one shrink ends at, and the example that stands for it."""
        database = KeyedDatabase(InMemoryExampleDatabase(), self._name)
        for example in self._drawn.fetch(self._name):
            database.save(_SECONDARY, example)  # as not minimal, or it would not be shrunk
        case = self._find(fails, database, [Phase.reuse, Phase.shrink])
        return case, min(database.fetch(b""), key=len, default=b"")

    def failures(self) -> list[str]:
        """Return the fingerprints of the failures that earlier campaigns stored."""
        return sorted(stored.decode() for stored in self._database.fetch(_INDEX + self._name))

    def replay(self, fails: Fails, fingerprint: str) -> Case | None:
        """Return a stored case of a failure that still fails, or None."""
        return self._find(_cached(fails), self._stored(fingerprint), [Phase.reuse])

    def discard(self, fingerprint: str) -> None:
        """Remove a failure that is fixed from the database."""
        self._database.delete(_INDEX + self._name, fingerprint.encode())

    def _stored(self, fingerprint: str) -> KeyedDatabase:
        return KeyedDatabase(self._database, _key(self._name, fingerprint.encode()))

    def _find(
        self,
        fails: Fails,
        database: KeyedDatabase,
        phases: list[Phase],
        examples: int = 1,
        number: int = 0,
    ) -> Case | None:
        last: list[Case] = []

        @given(self._strategy)
        def evaluate(case: Case) -> None:
            if fails(case):
                last[:] = [case]
                raise CounterexampleFound

        options = settings(
            backend=BACKEND,
            max_examples=max(examples, 1),
            phases=phases,
            database=database,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        with suppress(CounterexampleFound, SkipTest):  # skipped: the database has no example
            options(seed(number)(evaluate))()
            last.clear()
        return last[0] if last else None


def examples_of(database: ExampleDatabase, name: str) -> Examples:
    """Return all that a database holds under a name, as a tracking database begins with it.

    Args:
        database: the whole database.
        name: the name of a ``Search``.
    """
    index = _INDEX + name.encode()
    fingerprints = frozenset(database.fetch(index))
    prefixes = [_key(name.encode(), fingerprint) for fingerprint in fingerprints]
    keys = [prefix + suffix for prefix in prefixes for suffix in (b"", _SECONDARY)]
    return {index: fingerprints, **{key: frozenset(database.fetch(key)) for key in keys}}


def _key(name: bytes, fingerprint: bytes) -> bytes:
    return name + b"\0" + fingerprint


def _shorter(than: Case, fails: Fails) -> Fails:
    return lambda case: len(case.events) < len(than.events) and fails(case)


def _cached(fails: Fails) -> Fails:
    results: dict[object, bool] = {}

    def evaluate(case: Case) -> bool:
        if case.key not in results:
            results[case.key] = fails(case)
        return results[case.key]

    return evaluate
