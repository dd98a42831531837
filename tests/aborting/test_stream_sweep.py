"""The sweep: where a stream can be aborted, what is observed, and what cannot be tested."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from harness.aborting import sweep
from harness.aborting.abort_invariants import ABORT_INVARIANTS
from harness.aborting.consumer_probe import ConsumerAbort, ConsumerProbe
from harness.checks.evaluation import ScenarioRun
from harness.engine.replayer import Replayer
from harness.engine.results import FAILING
from harness.engine.scenario_runner import ScenarioRunner
from harness.errors import StreamError
from harness.model import Chunk, ErrorInfo, Finding
from harness.scenarios import ABORTS, Consumer
from harness.sdks.clients import SdkClients
from harness.targets.base import Call
from harness.targets.builtin import BuiltinListening
from tests.scenario_files import written

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path


INVARIANT_NAMES = {invariant.name for invariant in ABORT_INVARIANTS}
# Frames of the scenario: start, block, two deltas, block stop, delta, stop; chunks: two of text, a
# stop reason and the usage.
FRAMES, CHUNKS = 7, 4


@pytest.fixture(scope="module")
def memory() -> Iterator[Replayer]:
    with Replayer(5.0, in_memory=True) as replayer:
        yield replayer


def findings_of(
    replayer: Replayer,
    tmp_path: Path,
    consumer: dict[str, Any],
    target: Any = "builtin",
    **more: Any,
) -> dict[str, Finding]:
    scenario = written(tmp_path, consumer=consumer, **more)
    findings = (
        ScenarioRunner(replayer, sweep=sweep).run(ScenarioRun(scenario, "it"), target).findings
    )
    return {finding.check: finding for finding in findings}


def failing(findings: dict[str, Finding]) -> dict[str, Any]:
    return {name: found.actual for name, found in findings.items() if found.verdict in FAILING}


def test_reading_to_the_end_evaluates_no_abort_invariant(memory: Replayer, tmp_path: Path) -> None:
    assert not INVARIANT_NAMES & set(findings_of(memory, tmp_path, {"do": "read"}))


@pytest.mark.parametrize("way", ["break", "aclose", "throw"])
def test_a_consumer_that_aborts_by_itself_does_so_after_each_chunk(
    way: str, memory: Replayer, tmp_path: Path
) -> None:
    findings = findings_of(memory, tmp_path, {"do": way, "at": "every"})
    assert failing(findings) == {}
    assert {findings[name].actual for name in INVARIANT_NAMES} == {
        f"held at {CHUNKS + 1} abort points"
    }


@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_an_interrupt_comes_after_each_frame_but_the_last(
    way: str, memory: Replayer, tmp_path: Path
) -> None:
    """The SDK ends its stream with message_stop, so that no consumer waits after it."""
    findings = findings_of(memory, tmp_path, {"do": way, "at": "every"})
    assert failing(findings) == {}
    held = findings["cancel_is_not_suppressed"].actual
    assert held in {f"held at {FRAMES} abort points", f"held at {FRAMES + 1} abort points"}


@pytest.mark.parametrize("way", ABORTS)
def test_one_abort_point_can_be_named(way: str, memory: Replayer, tmp_path: Path) -> None:
    findings = findings_of(memory, tmp_path, {"do": way, "at": 1})
    assert failing(findings) == {}
    assert findings["aborted_keeps_prefix"].actual == "held at 1 abort points"


def test_an_abort_point_behind_the_end_is_untestable(memory: Replayer, tmp_path: Path) -> None:
    findings = findings_of(memory, tmp_path, {"do": "break", "at": 99})
    assert findings["consumer"].verdict == "untestable"
    assert not INVARIANT_NAMES & set(findings)


def test_a_rejected_request_cannot_be_aborted(memory: Replayer, tmp_path: Path) -> None:
    refused = {"transport": {"status": 529}, "must": {"text": ""}}
    findings = findings_of(memory, tmp_path, {"do": "break"}, **refused)
    assert findings["consumer"].verdict == "untestable"


@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_waiting_for_the_response_can_be_interrupted(
    way: str, memory: Replayer, tmp_path: Path
) -> None:
    """CA-001, CA-019: the SDK reads the body of a refusal before it raises."""
    refused = {"transport": {"status": 529}, "must": {"text": ""}}
    findings = findings_of(memory, tmp_path, {"do": way}, **refused)
    assert failing(findings) == {}
    assert findings["aborted_is_cancelled"].actual == f"held at {FRAMES + 1} abort points"


@pytest.mark.parametrize("way", ABORTS)
def test_the_invariants_hold_over_a_socket(way: str, tmp_path: Path) -> None:
    with Replayer(5.0) as replayer:
        assert failing(findings_of(replayer, tmp_path, {"do": way, "at": 1})) == {}


def test_requirements_are_checked_on_the_complete_stream(memory: Replayer, tmp_path: Path) -> None:
    findings = findings_of(memory, tmp_path, {"do": "break", "at": 1})
    assert findings["text"].actual == "Hello there"


class Target:
    """A target with the listening of a test."""

    name = "target"
    protocols = ("anthropic_messages",)

    def __init__(self, listening: type[BuiltinListening]) -> None:
        self._listening = listening
        self._clients: SdkClients | None = None

    def listen(self, call: Call) -> BuiltinListening:
        assert call.consumer["do"] in {"read", *ABORTS}
        self._clients = self._clients or SdkClients(call.transport)
        return self._listening(self._clients, call)


class IgnoresCancel(BuiltinListening):
    """D72: a cancellation is noticed with the next chunk, and none comes."""

    async def __aenter__(self) -> Any:
        await super().__aenter__()
        self._chunks = self._ignoring(super().__aiter__())
        return self

    async def _ignoring(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        while True:
            reading = asyncio.ensure_future(anext(chunks, None))
            while not reading.done():
                try:
                    await asyncio.wait({reading}, timeout=1)
                except asyncio.CancelledError:
                    continue
            chunk = await reading
            if chunk is None:
                return
            yield chunk


def test_an_unresponsive_target_is_named_and_ends_the_sweep(
    memory: Replayer, tmp_path: Path
) -> None:
    broken = failing(findings_of(memory, tmp_path, {"do": "cancel"}, Target(IgnoresCancel)))
    words = "cancel:0: the consumer was still held after 0.25 s; violated at 1 of 1 abort points"
    assert broken["cancel_is_not_suppressed"] == words


class RaisesOutOfClosing(BuiltinListening):
    """D56: closing the stream early raises an error of the family."""

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__(*_)
        raise StreamError(ErrorInfo(kind="unknown", message="RunCancelled"))


@pytest.mark.parametrize("way", ["break", "cancel"])
def test_an_exception_of_closing_is_named(way: str, memory: Replayer, tmp_path: Path) -> None:
    scenario = written(tmp_path, consumer={"do": way, "at": 1})
    script = scenario.script()
    if way == "cancel":
        script = script._replace(frames=script.frames[:3], end="stall")
    probe = ConsumerProbe(Consumer(way, 1), script)
    ask = Call(scenario.protocol, request=scenario.call_arguments())
    memory.replay(Target(RaisesOutOfClosing), ask, script, probe)
    assert probe.suppressed is not None
    assert probe.suppressed.startswith("StreamError was raised")
    assert [chunk.text for chunk in probe.received] == ["Hello"]


def test_what_a_consumer_throws_is_an_exception() -> None:
    """Not a BaseException: it stands for the error of a caller's loop."""
    assert issubclass(ConsumerAbort, Exception)
