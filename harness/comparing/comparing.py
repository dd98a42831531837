"""The comparison: makes the environments, tells every stream to both sides, says what moved.

The run emits happenings and never knows who listens. A side that cannot be used is told, and the
other one is still judged by law. It can be interrupted at any moment, also by throwing a
KeyboardInterrupt into it: what was compared so far is told first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from harness.comparing.classification import broken, classified
from harness.comparing.events import (
    Began,
    Compared,
    CompareEvent,
    Ended,
    Unusable,
)
from harness.comparing.readiness import Sides
from harness.comparing.vocabulary import WordChange, word_changes
from harness.engine.events import RED
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.targets.addresses import is_external_command

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from harness.comparing.sides import Side
    from harness.comparing.streams import Stream
    from harness.errors import InputError

PAIR = 2  # sides, where there is something to compare


@dataclass(frozen=True)
class Settings:
    """What to compare.

    Args:
        target: how reports call the target.
        sides: label and address of each.
        command: the words that compare these sides again, with ``{}`` for the selection.
        timeout: seconds for one reply.
        words: compare the SDKs' vocabularies, too.
    """

    target: str
    sides: tuple[tuple[str, str], ...]
    command: str
    timeout: float = 20.0
    words: bool = False


def compare(
    streams: Sequence[Stream], settings: Settings, bad_input: Sequence[InputError] = ()
) -> Generator[CompareEvent, None, None]:
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
    words: tuple[WordChange, ...] = ()
    try:
        yield from map(Unusable, bad_input)
        with asyncio.Runner() as runner, Sides(runner) as sides:
            for happening in sides.ready(settings.sides, settings.timeout):
                unusable += isinstance(happening, Unusable)
                yield happening
            began, told = _beginning(streams, settings, sides.usable)
            yield began
            for compared in _each(runner, told, sides.usable, settings.target):
                done.append(compared)
                yield compared
            if settings.words:
                words = _words(runner, sides.usable, {stream.ask.protocol for stream in told})
    except KeyboardInterrupt:
        interrupted = True
    seconds = perf_counter() - started
    yield Ended(began, tuple(done), seconds, settings.command, words, unusable, interrupted)


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


def _words(
    runner: asyncio.Runner, sides: Sequence[Side], protocols: set[str]
) -> tuple[WordChange, ...]:
    """Return what changed in the vocabulary, where both sides have SDKs of ours to look at."""
    if len(sides) < PAIR or any(is_external_command(side.address) for side in sides):
        return ()
    before, after = (runner.run(side.vocabulary(sorted(protocols))) for side in sides)
    return tuple(word_changes(before, after, {}))


def _each(
    runner: asyncio.Runner, streams: Sequence[Stream], sides: Sequence[Side], target: str
) -> Iterator[Compared]:
    stage = ResponseRegistry()
    with serving(stage) as base_url:
        for stream in streams:
            yield runner.run(_compared(stream, sides, target, stage, base_url))


async def _compared(
    stream: Stream, sides: Sequence[Side], target: str, stage: ResponseRegistry, base_url: str
) -> Compared:
    heard = await asyncio.gather(*(side.handle(stream, stage, base_url) for side in sides))
    last = broken(stream, heard[-1], target)
    red = tuple(check for check, law in last.items() if law.verdict in RED)
    moved = classified(stream, heard[0], heard[1], target) if len(heard) == PAIR else ()
    return Compared(stream, moved, red)
