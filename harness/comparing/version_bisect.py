"""The version matrix: which version first shows each change?

The oldest version is the reference; the newest is compared with it, and for each group of
differences the first version that shows it is found by halving. Rules of this file: a version is
given every stream once, however many changes need it; a change that appears and disappears between
two versions that agree is not found; a version that cannot be used is reported and skipped.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.comparing.classification import classified
from harness.comparing.events import Progress, StreamCompared, UnusableInput, grouped
from harness.comparing.preparation import Sides
from harness.errors import InputError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from harness.comparing.events import Group, Key
    from harness.comparing.sides import Side, SideResult
    from harness.comparing.streams import Stream


class FirstSeen(NamedTuple):
    """One group of changes, the first version that shows it, and the last that does not."""

    group: Group
    first: str
    before: str


@dataclass(frozen=True)
class VersionMatrix:
    """The matrix is complete, or was interrupted.

    ``replayed`` are the versions that were tried; ``seen`` names the groups that each showed.
    """

    target: str
    versions: tuple[str, ...]
    replayed: tuple[str, ...]
    findings: tuple[FirstSeen, ...]
    seen: Mapping[str, frozenset[Key]]
    streams: int
    seconds: float
    unusable: int = 0
    interrupted: bool = False


BisectEvent: TypeAlias = Progress | UnusableInput | VersionMatrix


@dataclass
class _State:
    """The results so far, by version."""

    result: dict[str, Mapping[str, SideResult]] = field(default_factory=dict)
    groups: dict[str, Mapping[Key, Group]] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)


def bisect_versions(
    streams: Sequence[Stream],
    target: str,
    named: Sequence[tuple[str, str]],
    timeout: float,
) -> Generator[BisectEvent, None, None]:
    """Yield the events of a search over a range of versions.

    Args:
        streams: what to replay.
        target: how reports call the target.
        named: version and address of each side, oldest first.
        timeout: seconds for one reply.
    """
    started = perf_counter()
    search = _Search(streams, target, named, timeout)
    interrupted = False
    try:
        yield from search.run()
    except KeyboardInterrupt:
        interrupted = True
    yield search.result(perf_counter() - started, interrupted=interrupted)


class _Search:
    def __init__(
        self,
        streams: Sequence[Stream],
        target: str,
        named: Sequence[tuple[str, str]],
        timeout: float,
    ) -> None:
        self._streams, self._target, self._timeout = streams, target, timeout
        self._addresses = dict(named)
        self._versions = list(self._addresses)
        self._state = _State()
        self._compared = 0

    def run(self) -> Iterator[Progress | UnusableInput]:
        """Replay to both ends, then halve until each change has a first version."""
        yield from self._replay([self._versions[0], self._versions[-1]])
        while wanted := self._next_versions():
            yield from self._replay(wanted)

    def result(self, seconds: float, *, interrupted: bool) -> VersionMatrix:
        """Return the matrix as far as it is known."""
        replayed = [version for version in self._versions if version in self._state.groups]
        return VersionMatrix(
            self._target,
            tuple(self._versions),
            tuple(replayed),
            tuple(self._findings(replayed)),
            {version: frozenset(self._state.groups[version]) for version in replayed},
            self._compared,
            seconds,
            len(self._state.unusable),
            interrupted,
        )

    def _findings(self, replayed: Sequence[str]) -> Iterator[FirstSeen]:
        """Yield the changes of the newest version, by the version that first shows them."""
        last: Mapping[Key, Group] = self._state.groups[replayed[-1]] if replayed else {}
        since = [(self._first_seen(key, replayed), group) for key, group in last.items()]
        order = {version: number for number, version in enumerate(self._versions)}
        for (before, first), group in sorted(since, key=lambda one: order[one[0][1]]):
            yield FirstSeen(group, first, before)

    def _first_seen(self, key: Key, replayed: Sequence[str]) -> tuple[str, str]:
        """Return the last replayed version without a change, and the one after it."""
        without = [
            n for n, version in enumerate(replayed) if key not in self._state.groups[version]
        ]
        number = max(without)
        return replayed[number], replayed[number + 1]

    def _next_versions(self) -> list[str]:
        """Return the versions to replay next: the middle of each gap that is not yet narrowed."""
        usable = [version for version in self._versions if version not in self._state.unusable]
        if usable[-1] not in self._state.groups:
            return usable[-1:]  # the newest could not be used
        replayed = [version for version in usable if version in self._state.groups]
        gaps = {(since.before, since.first) for since in self._findings(replayed)}
        middles = []
        for before, first in sorted(gaps):
            low, high = usable.index(before), usable.index(first)
            if high - low > 1:
                middles.append(usable[(low + high) // 2])
        return list(dict.fromkeys(middles))

    def _replay(self, versions: Sequence[str]) -> Iterator[Progress | UnusableInput]:
        """Replay every stream to some versions, two at a time."""
        for pair in (versions[n : n + 2] for n in range(0, len(versions), 2)):
            yield Progress(
                f"replaying to {' and '.join(pair)} ({len(self._state.result)} versions done) …"
            )
            with asyncio.Runner() as runner, Sides(runner) as sides:
                named = [(version, self._addresses[version]) for version in pair]
                yield from sides.ready(named, self._timeout)
                result = runner.run(self._replay_all(sides.usable))
            self._state.result.update(result)
            self._state.unusable.update(set(pair) - set(result))
            self._compare(result)

    async def _replay_all(self, sides: Sequence[Side]) -> dict[str, Mapping[str, SideResult]]:
        registry = ResponseRegistry()
        with serving(registry) as base_url:
            each = await asyncio.gather(*(self._of(side, registry, base_url) for side in sides))
        return {side.label: result for side, result in zip(sides, each, strict=True)}

    async def _of(
        self, side: Side, registry: ResponseRegistry, base_url: str
    ) -> Mapping[str, SideResult]:
        return {
            stream.name: await side.handle(stream, registry, base_url)
            for stream in self._streams
            if side.supports(stream.ask.protocol)
        }

    def _compare(self, versions: Mapping[str, Mapping[str, SideResult]]) -> None:
        oldest = self._state.result.get(self._versions[0])
        if oldest is None:
            raise InputError(f"{self._versions[0]}, the reference, cannot be used; name another")
        for version, result in versions.items():
            compared = [
                StreamCompared(
                    stream,
                    classified(stream, oldest[stream.name], result[stream.name], self._target),
                )
                for stream in self._streams
                if stream.name in oldest and stream.name in result
            ]
            self._compared = max(self._compared, len(compared))
            self._state.groups[version] = {
                (group.category, group.example.layer, group.example.shape): group
                for group in grouped(compared)
                if group.category != "only cosmetic"
            }
