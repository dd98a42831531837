"""One stream, aborted at every point in every way its scenario names.

A consumer that aborts by itself (break, aclose, throw) does so after each number of chunks. One
that is interrupted while the target waits (cancel, timeout) is interrupted after each frame: the
script is cut there and stalls, so that no race decides what had arrived. Each invariant gives one
finding over all these points, which names the first point that violates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.aborting.abort_invariants import ABORT_INVARIANTS, AbortSeen
from harness.aborting.consumer_probe import ConsumerProbe
from harness.errors import WireError
from harness.protocols import protocol
from harness.protocols.events import events_of
from harness.scenarios import Consumer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.aborting.abort_invariants import AbortInvariant
    from harness.checks.evaluation import ScenarioRun
    from harness.engine.results import TargetResult
    from harness.engine.scenario_runner import SweepInput
    from harness.model import Chunk, Finding
    from harness.wire.script import Script

_INTERRUPTIONS = frozenset({"cancel", "timeout"})


class AbortPoint(NamedTuple):
    """One abort: how the consumer aborted, after how many chunks, and what was observed.

    ``unresponsive`` says that the target did not release its consumer.
    """

    way: str
    received: int
    seen: AbortSeen
    unresponsive: bool


def sweep_stream(given: SweepInput) -> Iterator[Finding]:
    """Yield one finding for each invariant of an aborted stream.

    Args:
        given: a scenario run whose ``consumer`` says how and where to abort.
    """
    points = list(_Sweep(given).points())
    if not points:
        sentence = "the stream can be aborted where the consumer says"
        yield given.run.finding("consumer", "untestable", sentence, "the stream ended before")
        return
    for invariant in ABORT_INVARIANTS:
        yield _finding(given.run, invariant, points)


def _finding(run: ScenarioRun, invariant: AbortInvariant, points: list[AbortPoint]) -> Finding:
    wrong = [(point, text) for point in points if (text := invariant.violation(point.seen))]
    name, sentence = invariant.name, invariant.sentence
    if not wrong:
        return run.finding(name, "pass", sentence, f"held at {len(points)} abort points")
    point, text = wrong[0]
    place = f"{point.way}:{point.received}"
    count = f"violated at {len(wrong)} of {len(points)} abort points"
    expected = f"{sentence} ({', '.join(invariant.sources)})"
    found = run.finding(name, "fail", expected, f"{place}: {text}; {count}")
    return found.model_copy(update={"reproduce": run.command("--consumer", place)})


class _Sweep:
    """The abort points of one scenario on one target."""

    def __init__(self, given: SweepInput) -> None:
        self._exact, self._replay = given.exact, given.replay
        self._protocol = protocol(given.run.scenario.protocol)
        self._consumer = given.run.scenario.consumer
        self._script, self._body = given.script, given.script.body
        self._complete = ConsumerProbe(Consumer(), given.script)
        self._undisturbed = given.replay(given.script, self._complete).outcome

    def points(self) -> Iterator[AbortPoint]:
        """Abort in every way at every point; an unresponsive target ends the sweep."""
        for way in self._consumer.ways:
            points = self._interrupted(way) if way in _INTERRUPTIONS else self._after_chunks(way)
            for point in points:
                yield point
                if point.unresponsive:
                    return

    def _after_chunks(self, way: str) -> Iterator[AbortPoint]:
        last, at = len(self._complete.received), self._consumer.at
        for count in range(last + 1) if at is None else (at,) if at <= last else ():
            yield from self._point(Consumer(way, count), self._script)

    def _interrupted(self, way: str) -> Iterator[AbortPoint]:
        for count in range(len(self._script.frames) + 1):
            stalling = self._script._replace(frames=self._script.frames[:count], end="stall")
            for point in self._point(Consumer(way), stalling):
                if self._consumer.at in {None, point.received}:
                    yield point

    def _point(self, consumer: Consumer, script: Script) -> Iterator[AbortPoint]:
        """Replay once; yield nothing where the stream ended before it could be aborted."""
        probe = ConsumerProbe(consumer, script)
        result = self._replay(script, probe)
        if probe.aborted:
            seen = self._seen(probe, result, script)
            yield AbortPoint(consumer.do, len(probe.received), seen, probe.unresponsive)

    def _seen(self, probe: ConsumerProbe, result: TargetResult, script: Script) -> AbortSeen:
        sent, length = probe.sent[0], len(script.body)
        all_sent = sent >= length and script.end != "stall"
        failed = any(chunk.kind == "error" for chunk in probe.received)
        return AbortSeen(
            received=tuple(probe.received),
            after_abort=tuple(probe.after_abort),
            outcome=result.outcome,
            undisturbed=self._undisturbed,
            arrived=self._arrived(sent),
            completed_calls=probe.completed_calls,
            ended=all_sent or failed or self._has_terminal(sent),
            suppressed=probe.suppressed or result.problem,
            pending=probe.log is not None and not all_sent and self._observable(probe, script),
            sent=probe.sent,
            length=length,
            closed_by=probe.log and probe.log.closed_by,
            leaks=probe.leaks,
        )

    def _observable(self, probe: ConsumerProbe, script: Script) -> bool:
        """Return whether the server can distinguish an abort from a consumer that reads on.

        Over a socket the last bytes may be on their way at the abort; once all are, the server is
        done and observes nothing more. While it stalls it observes everything.
        """
        return self._exact or script.end == "stall" or probe.sent[1] < len(script.body)

    def _arrived(self, sent: int) -> tuple[Chunk, ...]:
        """Return the chunks of the complete reading that so many bytes can have produced."""
        if not self._exact:
            return tuple(self._complete.received)
        pairs = zip(self._complete.received, self._complete.sent_at, strict=True)
        return tuple(chunk for chunk, sent_at in pairs if sent_at <= sent)

    def _has_terminal(self, sent: int) -> bool:
        """Return whether so many bytes contain the provider's terminal, by the grammar's tables."""
        try:
            events = list(events_of([self._body[:sent]]))
        except WireError:  # the single JSON array of a stream that is not SSE, cut in its middle
            return False
        return all(found.event >= 0 for found in self._protocol.violations(events))
