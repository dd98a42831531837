"""The sweep: one stream, left at every point in every way its scenario names.

A reader that leaves by itself (break, aclose, throw) does so after each count of chunks. One that
is interrupted while the target waits (cancel, timeout) is so behind each frame: the script is cut
there and falls silent, so that no race decides what had arrived. One finding a law tells of all
these points, and names the first that breaks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.checks.abort_invariants import ABORT_INVARIANTS, AbortSeen
from harness.engine.consumer_probe import ConsumerProbe
from harness.errors import WireError
from harness.protocols import protocol
from harness.protocols.events import events_of
from harness.scenarios import Consumer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.checks.abort_invariants import AbortInvariant
    from harness.checks.evaluation import ScenarioRun
    from harness.engine.executor import TargetResult
    from harness.model import Chunk, Finding
    from harness.wire.script import Script

    Play = Callable[[Script, ConsumerProbe], TargetResult]

_INTERRUPTED = frozenset({"cancel", "timeout"})


class Point(NamedTuple):
    """One cut point: how the reader left, after how many chunks, and what was seen of it."""

    way: str
    taken: int
    left: AbortSeen
    deaf: bool


def sweep(pair: ScenarioRun, script: Script, play: Play, *, exact: bool) -> Iterator[Finding]:
    """Yield one finding for each law of a stream that was left; none where nobody leaves.

    Args:
        pair: the scenario, whose consumer says how and where to leave, and the target's name.
        script: what is spoken.
        play: lets the target listen to a script with a reader.
        exact: a byte sent is a byte read, as in memory; a socket is full before it is read.
    """
    if not pair.scenario.consumer.ways:
        return
    points = list(_Sweep(pair, script, play, exact=exact).points())
    if not points:
        sentence = "the stream can be left where the consumer says"
        yield pair.finding("consumer", "untestable", sentence, "the reading ended before")
        return
    for law in ABORT_INVARIANTS:
        yield _judged(pair, law, points)


def _judged(pair: ScenarioRun, law: AbortInvariant, points: list[Point]) -> Finding:
    wrong = [(point, words) for point in points if (words := law.broken(point.left))]
    if not wrong:
        return pair.finding(law.name, "pass", law.says, f"held at {len(points)} cut points")
    point, words = wrong[0]
    name = f"{point.way}:{point.taken}"
    count = f"{len(wrong)} of {len(points)} cut points break it"
    found = pair.finding(
        law.name, "fail", f"{law.says} ({law.source})", f"{name}: {words}; {count}"
    )
    return found.model_copy(update={"reproduce": pair.reproduce("--consumer", name)})


class _Sweep:
    """The points of one scenario and one target.

    Args:
        pair: the scenario and the target's name.
        script: what is spoken.
        play: lets the target listen to a script with a reader.
        exact: a byte sent is a byte read.
    """

    def __init__(self, pair: ScenarioRun, script: Script, play: Play, *, exact: bool) -> None:
        self._exact = exact
        self._protocol = protocol(pair.scenario.protocol)
        self._consumer = pair.scenario.consumer
        self._script, self._body, self._play = script, script.body, play
        self._whole = ConsumerProbe(Consumer(), script)
        self._plain = play(script, self._whole).outcome

    def points(self) -> Iterator[Point]:
        """Leave in every way at every point; a target that cannot be left ends the sweep."""
        for way in self._consumer.ways:
            points = self._interrupted(way) if way in _INTERRUPTED else self._leaving(way)
            for point in points:
                yield point
                if point.deaf:
                    return

    def _leaving(self, way: str) -> Iterator[Point]:
        last, at = len(self._whole.taken), self._consumer.at
        for count in range(last + 1) if at is None else (at,) if at <= last else ():
            yield from self._point(Consumer(way, count), self._script)

    def _interrupted(self, way: str) -> Iterator[Point]:
        for count in range(len(self._script.frames) + 1):
            silent = self._script._replace(frames=self._script.frames[:count], end="stall")
            for point in self._point(Consumer(way), silent):
                if self._consumer.at in {None, point.taken}:
                    yield point

    def _point(self, consumer: Consumer, script: Script) -> Iterator[Point]:
        """Play once; nothing comes of a reading that ended before it could be left."""
        reader = ConsumerProbe(consumer, script)
        played = self._play(script, reader)
        if reader.left:
            left = self._seen(reader, played, script)
            yield Point(consumer.do, len(reader.taken), left, reader.deaf)

    def _seen(self, reader: ConsumerProbe, played: TargetResult, script: Script) -> AbortSeen:
        sent, length = reader.sent[0], len(script.body)
        whole = sent >= length and script.end != "stall"
        failed = any(chunk.kind == "error" for chunk in reader.taken)
        return AbortSeen(
            taken=tuple(reader.taken),
            late=tuple(reader.late),
            outcome=played.outcome,
            plain=self._plain,
            arrived=self._arrived(sent),
            closed=reader.closed,
            over=whole or failed or self._terminal(sent),
            swallowed=reader.swallowed or played.complaint,
            pending=reader.last is not None and not whole and self._shows(reader, script),
            sent=reader.sent,
            length=length,
            closed_by=reader.last and reader.last.closed_by,
            remains=reader.remains,
        )

    def _shows(self, reader: ConsumerProbe, script: Script) -> bool:
        """Say whether the server can tell who left from who reads on.

        Over a socket the last bytes may be on their way when the reader leaves; once all are, the
        server is done and sees nothing more. In silence it sees everything.
        """
        return self._exact or script.end == "stall" or reader.sent[1] < len(script.body)

    def _arrived(self, sent: int) -> tuple[Chunk, ...]:
        """Return the chunks of the whole reading that may have come when so much was sent."""
        if not self._exact:
            return tuple(self._whole.taken)
        pairs = zip(self._whole.taken, self._whole.arrived, strict=True)
        return tuple(chunk for chunk, arrived in pairs if arrived <= sent)

    def _terminal(self, sent: int) -> bool:
        """Say whether the provider's terminal is among so many bytes, by the protocol's tables."""
        try:
            events = list(events_of([self._body[:sent]]))
        except WireError:  # the one JSON array of a stream that is no SSE, cut in its middle
            return False
        return all(found.event >= 0 for found in self._protocol.violations(events))
