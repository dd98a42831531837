"""The sweep: where a stream can be left, what is noted of it, and what cannot be judged."""

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


LAWS = {law.name for law in ABORT_INVARIANTS}
# Frames of the story: start, block, two deltas, block stop, delta, stop; chunks: two of text, the
# stop reason and the usage.
FRAMES, CHUNKS = 7, 4


@pytest.fixture(scope="module")
def memory() -> Iterator[Replayer]:
    with Replayer(5.0, in_memory=True) as player:
        yield player


def tell(
    player: Replayer, tmp_path: Path, consumer: dict[str, Any], target: Any = "builtin", **more: Any
) -> dict[str, Finding]:
    scenario = written(tmp_path, consumer=consumer, **more)
    findings = ScenarioRunner(player, sweep=sweep).run(ScenarioRun(scenario, "it"), target).findings
    return {finding.check: finding for finding in findings}


def red(findings: dict[str, Finding]) -> dict[str, Any]:
    return {name: found.actual for name, found in findings.items() if found.verdict in FAILING}


def test_who_reads_everything_is_judged_by_no_law_of_leaving(
    memory: Replayer, tmp_path: Path
) -> None:
    assert not LAWS & set(tell(memory, tmp_path, {"do": "read"}))


@pytest.mark.parametrize("way", ["break", "aclose", "throw"])
def test_who_leaves_by_itself_does_so_after_each_chunk(
    way: str, memory: Replayer, tmp_path: Path
) -> None:
    findings = tell(memory, tmp_path, {"do": way, "at": "every"})
    assert red(findings) == {}
    assert {findings[law].actual for law in LAWS} == {f"held at {CHUNKS + 1} abort points"}


@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_who_is_interrupted_is_so_behind_each_frame_but_the_last(
    way: str, memory: Replayer, tmp_path: Path
) -> None:
    """The SDK ends its stream with message_stop, so behind it nobody waits any more."""
    findings = tell(memory, tmp_path, {"do": way, "at": "every"})
    assert red(findings) == {}
    held = findings["cancel_is_not_suppressed"].actual
    assert held in {f"held at {FRAMES} abort points", f"held at {FRAMES + 1} abort points"}


@pytest.mark.parametrize("way", ABORTS)
def test_one_place_can_be_named(way: str, memory: Replayer, tmp_path: Path) -> None:
    findings = tell(memory, tmp_path, {"do": way, "at": 1})
    assert red(findings) == {}
    assert findings["aborted_keeps_prefix"].actual == "held at 1 abort points"


def test_a_place_the_stream_never_comes_to_is_untestable(memory: Replayer, tmp_path: Path) -> None:
    findings = tell(memory, tmp_path, {"do": "break", "at": 99})
    assert findings["consumer"].verdict == "untestable"
    assert not LAWS & set(findings)


def test_a_request_that_is_refused_leaves_nothing_to_leave(
    memory: Replayer, tmp_path: Path
) -> None:
    refused = {"transport": {"status": 529}, "must": {"text": ""}}
    findings = tell(memory, tmp_path, {"do": "break"}, **refused)
    assert findings["consumer"].verdict == "untestable"


@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_who_waits_for_the_answer_can_be_interrupted_too(
    way: str, memory: Replayer, tmp_path: Path
) -> None:
    """CA-001, CA-019: the SDK reads the body of a refusal before it raises."""
    refused = {"transport": {"status": 529}, "must": {"text": ""}}
    findings = tell(memory, tmp_path, {"do": way}, **refused)
    assert red(findings) == {}
    assert findings["aborted_is_cancelled"].actual == f"held at {FRAMES + 1} abort points"


@pytest.mark.parametrize("way", ABORTS)
def test_the_laws_hold_over_a_socket_too(way: str, tmp_path: Path) -> None:
    with Replayer(5.0) as player:
        assert red(tell(player, tmp_path, {"do": way, "at": 1})) == {}


def test_law_of_the_scenario_is_held_against_the_whole_reading(
    memory: Replayer, tmp_path: Path
) -> None:
    findings = tell(memory, tmp_path, {"do": "break", "at": 1})
    assert findings["text"].actual == "Hello there"


class Sinner:
    """A target whose listening the test gives."""

    name = "sinner"
    protocols = ("anthropic_messages",)

    def __init__(self, listening: type[BuiltinListening]) -> None:
        self._listening = listening
        self._clients: SdkClients | None = None

    def listen(self, call: Call) -> BuiltinListening:
        assert call.consumer["do"] in {"read", *ABORTS}
        self._clients = self._clients or SdkClients(call.transport)
        return self._listening(self._clients, call)


class HearsNothing(BuiltinListening):
    """D72: a cancel is noticed with the next chunk, and none comes."""

    async def __aenter__(self) -> Any:
        await super().__aenter__()
        self._chunks = self._deaf(super().__aiter__())
        return self

    async def _deaf(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
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


def test_who_does_not_let_go_is_named_and_ends_the_sweep(memory: Replayer, tmp_path: Path) -> None:
    broken = red(tell(memory, tmp_path, {"do": "cancel"}, Sinner(HearsNothing)))
    words = "cancel:0: the consumer was still held after 0.25 s; violated at 1 of 1 abort points"
    assert broken["cancel_is_not_suppressed"] == words


class RaisesOutOfClosing(BuiltinListening):
    """D56: closing the stream early raises an error of the family."""

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__(*_)
        raise StreamError(ErrorInfo(kind="unknown", message="RunCancelled"))


@pytest.mark.parametrize("way", ["break", "cancel"])
def test_what_comes_out_of_the_closing_is_named(way: str, memory: Replayer, tmp_path: Path) -> None:
    scenario = written(tmp_path, consumer={"do": way, "at": 1})
    script = scenario.script()
    if way == "cancel":
        script = script._replace(frames=script.frames[:3], end="stall")
    reader = ConsumerProbe(Consumer(way, 1), script)
    ask = Call(scenario.protocol, request=scenario.call_arguments())
    memory.replay(Sinner(RaisesOutOfClosing), ask, script, reader)
    assert reader.suppressed is not None
    assert reader.suppressed.startswith("StreamError was raised")
    assert [chunk.text for chunk in reader.received] == ["Hello"]


def test_what_a_reader_throws_is_an_exception() -> None:
    """Not a BaseException: it stands for the error of a caller's loop."""
    assert issubclass(ConsumerAbort, Exception)
