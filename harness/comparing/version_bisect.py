"""The matrix of versions: since which version has each difference been there?

The oldest version is the reference; the newest is compared with it, and for each group of
differences the first version that shows it is found by halving. Rules of this file: a version is
told every stream once, however many findings ask for it; a finding that comes and goes between two
versions that agree is not seen; a version that cannot be used is told and passed over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.comparing.classification import classified
from harness.comparing.events import Compared, Progress, Unusable
from harness.comparing.grouping import grouped
from harness.comparing.readiness import Sides
from harness.errors import InputError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from harness.comparing.grouping import Group, Key
    from harness.comparing.sides import Side, SideResult
    from harness.comparing.streams import Stream


class FirstSeen(NamedTuple):
    """One group of differences, the first version that shows it, and the last that does not."""

    group: Group
    first: str
    before: str


@dataclass(frozen=True)
class VersionMatrix:
    """The matrix is done, or was interrupted.

    ``told`` are the versions that were told the streams; ``seen`` says which groups each showed.
    """

    target: str
    versions: tuple[str, ...]
    told: tuple[str, ...]
    findings: tuple[FirstSeen, ...]
    seen: Mapping[str, frozenset[Key]]
    streams: int
    seconds: float
    unusable: int = 0
    interrupted: bool = False


BisectEvent: TypeAlias = Progress | Unusable | VersionMatrix


@dataclass
class _Known:
    """What is known of the versions so far."""

    heard: dict[str, Mapping[str, SideResult]] = field(default_factory=dict)
    groups: dict[str, Mapping[Key, Group]] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)


def bisect_versions(
    streams: Sequence[Stream],
    target: str,
    named: Sequence[tuple[str, str]],
    timeout: float,
) -> Generator[BisectEvent, None, None]:
    """Yield what happens while a range of versions is searched.

    Args:
        streams: what to tell.
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
        self._known = _Known()
        self._compared = 0

    def run(self) -> Iterator[Progress | Unusable]:
        """Tell the ends, then halve until each finding has a first version."""
        yield from self._tell([self._versions[0], self._versions[-1]])
        while wanted := self._open():
            yield from self._tell(wanted)

    def result(self, seconds: float, *, interrupted: bool) -> VersionMatrix:
        """Return what is known by now."""
        told = [version for version in self._versions if version in self._known.groups]
        return VersionMatrix(
            self._target,
            tuple(self._versions),
            tuple(told),
            tuple(self._findings(told)),
            {version: frozenset(self._known.groups[version]) for version in told},
            self._compared,
            seconds,
            len(self._known.unusable),
            interrupted,
        )

    def _findings(self, told: Sequence[str]) -> Iterator[FirstSeen]:
        """Yield the findings of the newest version, by the version that first shows them."""
        last: Mapping[Key, Group] = self._known.groups[told[-1]] if told else {}
        since = [(self._since(key, told), group) for key, group in last.items()]
        order = {version: number for number, version in enumerate(self._versions)}
        for (before, first), group in sorted(since, key=lambda one: order[one[0][1]]):
            yield FirstSeen(group, first, before)

    def _since(self, key: Key, told: Sequence[str]) -> tuple[str, str]:
        """Return the last of the told versions without a finding, and the one after it."""
        without = [n for n, version in enumerate(told) if key not in self._known.groups[version]]
        number = max(without)
        return told[number], told[number + 1]

    def _open(self) -> list[str]:
        """Return the versions to be told next: the middles of what is not yet narrowed down."""
        usable = [version for version in self._versions if version not in self._known.unusable]
        if usable[-1] not in self._known.groups:
            return usable[-1:]  # the newest could not be used
        told = [version for version in usable if version in self._known.groups]
        gaps = {(since.before, since.first) for since in self._findings(told)}
        middles = []
        for before, first in sorted(gaps):
            low, high = usable.index(before), usable.index(first)
            if high - low > 1:
                middles.append(usable[(low + high) // 2])
        return list(dict.fromkeys(middles))

    def _tell(self, versions: Sequence[str]) -> Iterator[Progress | Unusable]:
        """Tell every stream to some versions, two at a time."""
        for pair in (versions[n : n + 2] for n in range(0, len(versions), 2)):
            yield Progress(
                f"telling {' and '.join(pair)} ({len(self._known.heard)} versions told) …"
            )
            with asyncio.Runner() as runner, Sides(runner) as sides:
                named = [(version, self._addresses[version]) for version in pair]
                yield from sides.ready(named, self._timeout)
                heard = runner.run(self._hear(sides.usable))
            self._known.heard.update(heard)
            self._known.unusable.update(set(pair) - set(heard))
            self._compare(heard)

    async def _hear(self, sides: Sequence[Side]) -> dict[str, Mapping[str, SideResult]]:
        stage = ResponseRegistry()
        with serving(stage) as base_url:
            each = await asyncio.gather(*(self._of(side, stage, base_url) for side in sides))
        return {side.label: heard for side, heard in zip(sides, each, strict=True)}

    async def _of(
        self, side: Side, stage: ResponseRegistry, base_url: str
    ) -> Mapping[str, SideResult]:
        return {
            stream.name: await side.handle(stream, stage, base_url)
            for stream in self._streams
            if side.speaks(stream.ask.protocol)
        }

    def _compare(self, versions: Mapping[str, Mapping[str, SideResult]]) -> None:
        oldest = self._known.heard.get(self._versions[0])
        if oldest is None:
            raise InputError(f"{self._versions[0]}, the reference, cannot be used; name another")
        for version, heard in versions.items():
            compared = [
                Compared(
                    stream,
                    classified(stream, oldest[stream.name], heard[stream.name], self._target),
                )
                for stream in self._streams
                if stream.name in oldest and stream.name in heard
            ]
            self._compared = max(self._compared, len(compared))
            self._known.groups[version] = {
                (group.meaning, group.example.layer, group.example.shape): group
                for group in grouped(compared)
                if group.meaning != "only cosmetic"
            }
