"""The comparison: makes the environments, tells every stream to both sides, says what moved.

The run emits happenings and never knows who listens. A side that cannot be used is told, and the
other one is still judged by law. It can be interrupted at any moment, also by throwing a
KeyboardInterrupt into it: what was compared so far is told first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Self

from harness.errors import InputError
from harness.replay.server import serving
from harness.replay.stage import Stage
from harness.runner.comparing.happenings import (
    Began,
    Compared,
    CompareHappening,
    Ended,
    Told,
    Unusable,
)
from harness.runner.comparing.judging import broken, judged
from harness.runner.comparing.sides import Side
from harness.runner.happenings import RED
from harness.targets.addressing import environment_of
from harness.targets.environments import is_made, python_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from harness.runner.comparing.streams import Stream


@dataclass(frozen=True)
class Settings:
    """What to compare.

    Args:
        target: how reports call the target.
        sides: label and address of each.
        command: the words that compare these sides again, with ``{}`` for the selection.
        timeout: seconds for one reply.
    """

    target: str
    sides: tuple[tuple[str, str], ...]
    command: str
    timeout: float = 20.0


def compare(
    streams: Sequence[Stream], settings: Settings, bad_input: Sequence[InputError] = ()
) -> Generator[CompareHappening, None, None]:
    """Yield what happens while streams are told to two sides.

    Args:
        streams: what to tell.
        settings: to whom.
        bad_input: files that could not be used; reported first and counted.
    """
    started = perf_counter()
    done: list[Compared] = []
    began = Began(settings.target, {}, {}, 0, {})
    unusable, interrupted = len(bad_input), False
    try:
        yield from map(Unusable, bad_input)
        with asyncio.Runner() as runner, _Sides(runner) as sides:
            for happening in sides.ready(settings):
                unusable += isinstance(happening, Unusable)
                yield happening
            began, told = _beginning(streams, settings, sides.usable)
            yield began
            for compared in _each(runner, told, sides.usable, settings.target):
                done.append(compared)
                yield compared
    except KeyboardInterrupt:
        interrupted = True
    yield Ended(
        began, tuple(done), perf_counter() - started, settings.command, unusable, interrupted
    )


class _Sides:
    """The sides that can be used; a context manager that ends their processes."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.usable: list[Side] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for side in self.usable:
            self._runner.run(side.aclose())

    def ready(self, settings: Settings) -> Iterator[CompareHappening]:
        """Make the environments, all at once, and start what is inside."""
        wanted = [environment_of(address).requirements for _, address in settings.sides]
        for each in dict.fromkeys(wanted):
            if not is_made(each):
                yield Told(f"installing {each.label} …")
        with ThreadPoolExecutor() as pool:
            made = [pool.submit(python_of, each) for each in wanted]
        for letter, (label, address), future in zip("AB", settings.sides, made, strict=True):
            try:
                future.result()
                side = Side(label, address, letter, settings.timeout)
                yield Told(f"starting {label} …")
                self._start(side)
            except InputError as error:
                yield Unusable(error)

    def _start(self, side: Side) -> None:
        self.usable.append(side)
        try:
            self._runner.run(side.greet())
        except InputError:
            self.usable.remove(side)
            self._runner.run(side.aclose())
            raise


def _beginning(
    streams: Sequence[Stream], settings: Settings, sides: Sequence[Side]
) -> tuple[Began, list[Stream]]:
    spoken = {
        name: bool(sides) and all(side.speaks(name) for side in sides)
        for name in {stream.ask.protocol for stream in streams}
    }
    told = [stream for stream in streams if spoken[stream.ask.protocol]]
    left_out = Counter(s.ask.protocol for s in streams if not spoken[s.ask.protocol])
    labels = {side.letter: side.label for side in sides}
    versions = {side.letter: side.versions for side in sides}
    return Began(settings.target, labels, versions, len(told), left_out), told


def _each(
    runner: asyncio.Runner, streams: Sequence[Stream], sides: Sequence[Side], target: str
) -> Iterator[Compared]:
    stage = Stage()
    with serving(stage) as base_url:
        for stream in streams:
            yield runner.run(_compared(stream, sides, target, stage, base_url))


async def _compared(
    stream: Stream, sides: Sequence[Side], target: str, stage: Stage, base_url: str
) -> Compared:
    heard = await asyncio.gather(*(side.hear(stream, stage, base_url) for side in sides))
    last = broken(stream, heard[-1], target)
    red = tuple(check for check, law in last.items() if law.verdict in RED)
    moved = judged(stream, heard[0], heard[1], target) if len(heard) > 1 else ()
    return Compared(stream, moved, red)
