"""The comparison: makes the environments, replays every stream to both sides, emits events.

A side that cannot be used is reported, and the other one is still checked against requirements and
invariants. The comparison can be interrupted at any moment, also by throwing a KeyboardInterrupt
into it: the last event then holds what was compared so far.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from harness.comparing.classification import classified, verdicts
from harness.comparing.events import (
    CompareEvent,
    ComparisonFinished,
    ComparisonStarted,
    StreamCompared,
    UnusableInput,
)
from harness.comparing.preparation import Sides
from harness.comparing.vocabulary import WordChange, word_changes
from harness.engine.results import FAILING
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.targets.addresses import is_external_command

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from harness.comparing.sides import Side
    from harness.comparing.streams import Stream
    from harness.errors import InputError

TWO_SIDES = 2  # sides, where there is something to compare


@dataclass(frozen=True)
class Settings:
    """What to compare.

    Args:
        target: the name of the target in reports.
        sides: label and address of each.
        command: the command that compares these sides again, with ``{}`` for the selection.
        timeout: seconds for one reply.
        vocabulary: compare the vocabularies of the SDKs, too.
    """

    target: str
    sides: tuple[tuple[str, str], ...]
    command: str
    timeout: float = 20.0
    vocabulary: bool = False


def compare(
    streams: Sequence[Stream], settings: Settings, bad_input: Sequence[InputError] = ()
) -> Generator[CompareEvent, None, None]:
    """Yield the events of a comparison.

    Args:
        streams: what to replay.
        settings: the two sides, and how long to wait for them.
        bad_input: files that could not be used; reported first and counted.
    """
    started = perf_counter()
    done: list[StreamCompared] = []
    start = ComparisonStarted(settings.target, {}, {}, 0, {})
    unusable, interrupted = len(bad_input), False
    vocabulary: tuple[WordChange, ...] = ()
    try:
        yield from map(UnusableInput, bad_input)
        with asyncio.Runner() as runner, Sides(runner) as sides:
            for event in sides.ready(settings.sides, settings.timeout):
                unusable += isinstance(event, UnusableInput)
                yield event
            start, replayed = _start(streams, settings, sides.usable)
            yield start
            for compared in _each(runner, replayed, sides.usable, settings.target):
                done.append(compared)
                yield compared
            if settings.vocabulary:
                vocabulary = _vocabulary_changes(
                    runner, sides.usable, {stream.ask.protocol for stream in replayed}
                )
    except KeyboardInterrupt:
        interrupted = True
    seconds = perf_counter() - started
    yield ComparisonFinished(
        start, tuple(done), seconds, settings.command, vocabulary, unusable, interrupted
    )


def _start(
    streams: Sequence[Stream], settings: Settings, sides: Sequence[Side]
) -> tuple[ComparisonStarted, list[Stream]]:
    supported = {
        name: bool(sides) and all(side.supports(name) for side in sides)
        for name in {stream.ask.protocol for stream in streams}
    }
    replayed = [stream for stream in streams if supported[stream.ask.protocol]]
    skipped = Counter(s.ask.protocol for s in streams if not supported[s.ask.protocol])
    labels = {side.letter: side.label for side in sides}
    versions = {side.letter: side.versions for side in sides}
    return ComparisonStarted(settings.target, labels, versions, len(replayed), skipped), replayed


def _vocabulary_changes(
    runner: asyncio.Runner, sides: Sequence[Side], protocols: set[str]
) -> tuple[WordChange, ...]:
    """Return the changes of the vocabulary; none where a side is an external command."""
    if len(sides) < TWO_SIDES or any(is_external_command(side.address) for side in sides):
        return ()
    before, after = (runner.run(side.vocabulary(sorted(protocols))) for side in sides)
    return tuple(word_changes(before, after, {}))


def _each(
    runner: asyncio.Runner, streams: Sequence[Stream], sides: Sequence[Side], target: str
) -> Iterator[StreamCompared]:
    registry = ResponseRegistry()
    with serving(registry) as base_url:
        for stream in streams:
            yield runner.run(_compared(stream, sides, target, registry, base_url))


async def _compared(
    stream: Stream, sides: Sequence[Side], target: str, registry: ResponseRegistry, base_url: str
) -> StreamCompared:
    result = await asyncio.gather(*(side.handle(stream, registry, base_url) for side in sides))
    last = verdicts(stream, result[-1], target)
    red = tuple(check for check, each in last.items() if each.verdict in FAILING)
    changes = classified(stream, result[0], result[1], target) if len(result) == TWO_SIDES else ()
    return StreamCompared(stream, changes, red)
