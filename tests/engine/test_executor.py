"""The lane: whatever a target does, what it did is reported and the harness goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

import pytest

from harness.engine.executor import ThreadExecutor
from harness.engine.results import TargetResult
from harness.errors import InputError
from harness.model import Chunk, ErrorInfo, Outcome
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

CALL = Call("openai_chat", "http://127.0.0.1:9")
DONE = Outcome(finish="stop", ending="complete")
SOON = 0.2  # seconds


class Scripted:
    """A target and its own listening; each step is a function the test gives it."""

    name = "scripted"
    protocols: tuple[str, ...] = ("openai_chat",)

    def __init__(self, **steps: Callable[[], Any]) -> None:
        self._steps = steps
        self.left = threading.Event()

    async def _do(self, step: str) -> Any:
        result = self._steps.get(step, lambda: None)()
        return await result if asyncio.iscoroutine(result) else result

    def listen(self, _: Call) -> Self:
        self._steps.get("listen", lambda: None)()
        return self

    async def __aenter__(self) -> Self:
        await self._do("enter")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left.set()
        await self._do("exit")

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        await self._do("read")
        yield Chunk("text", "Hi")

    def outcome(self) -> Any:
        return self._steps.get("outcome", lambda: DONE)()


@pytest.fixture
def lane() -> Iterator[ThreadExecutor]:
    lane = ThreadExecutor()
    yield lane
    lane.close()


def play(lane: ThreadExecutor, timeout: float = 5.0, **steps: Callable[[], Any]) -> TargetResult:
    played = lane.run(Scripted(**steps), CALL, timeout)
    assert played is not None
    return played


def fail(error: BaseException) -> Callable[[], Any]:
    def step() -> None:
        raise error

    return step


async def forever() -> None:
    await asyncio.sleep(3600)


async def own_timeout() -> None:
    async with asyncio.timeout(0.01):
        await forever()


async def deaf() -> None:
    with pytest.raises(asyncio.CancelledError):
        await forever()


def test_a_target_that_ends_has_its_outcome(lane: ThreadExecutor) -> None:
    assert play(lane) == TargetResult(DONE)


@pytest.mark.parametrize("step", ["listen", "enter", "read", "exit"])
@pytest.mark.parametrize("error", [ValueError("own goal"), SystemExit(3), KeyboardInterrupt()])
def test_what_it_raises_without_naming_it_is_a_complaint(
    lane: ThreadExecutor, step: str, error: BaseException
) -> None:
    steps: dict[str, Any] = {step: fail(error)}
    played = play(lane, **steps)
    word = type(error).__name__
    assert played.problem == f"raised {word}: {error}"
    if step == "listen":
        return  # there was nothing to ask for an outcome
    assert played.outcome.error == ErrorInfo(kind="unknown", code=word, message=str(error))
    assert (played.outcome.finish, played.outcome.ending) == ("error", "failed")
    assert play(lane) == TargetResult(DONE)


def test_what_the_outcome_names_may_be_raised(lane: ThreadExecutor) -> None:
    named = Outcome(error=ErrorInfo(kind="server"), ending="failed", finish="error")
    assert play(lane, read=fail(ValueError()), outcome=lambda: named) == TargetResult(named)


def test_no_end_in_time_is_a_complaint_and_the_target_is_left(lane: ThreadExecutor) -> None:
    target = Scripted(read=forever)
    played = lane.run(target, CALL, SOON)
    assert played == TargetResult(DONE, "did not finish within 0.2 s")
    assert target.left.is_set()


def test_a_target_that_does_not_hear_the_deadline_is_late_all_the_same(
    lane: ThreadExecutor,
) -> None:
    assert play(lane, SOON, read=deaf).problem == "did not finish within 0.2 s"


def test_its_own_timeout_is_not_ours(lane: ThreadExecutor) -> None:
    played = play(lane, read=own_timeout)
    assert played.problem == "raised TimeoutError: "
    assert played.outcome.error is not None
    assert played.outcome.error.code == "TimeoutError"


def test_a_cancellation_of_its_own_is_no_end(lane: ThreadExecutor) -> None:
    played = play(lane, read=fail(asyncio.CancelledError()))
    assert played.problem == "raised CancelledError although it was not cancelled"


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (lambda: {"text": "Hi"}, "outcome() returned dict, not an Outcome"),
        (lambda: None, "outcome() returned NoneType, not an Outcome"),
        (fail(ValueError("own goal")), "outcome() raised ValueError: own goal"),
    ],
)
def test_nonsense_is_a_complaint(
    lane: ThreadExecutor, outcome: Callable[[], Any], says: str
) -> None:
    assert play(lane, outcome=outcome) == TargetResult(Outcome(), says)


def test_a_listening_that_is_none_is_a_complaint(lane: ThreadExecutor) -> None:
    class Nothing:
        name = "nothing"
        protocols = ("openai_chat",)

        def listen(self, _: Call) -> None:
            return None

    played = lane.run(Nothing(), CALL, 5)
    assert played is not None
    assert "asynchronous context manager" in str(played.problem)


def test_another_protocol_is_not_even_tried(lane: ThreadExecutor) -> None:
    target = Scripted(listen=fail(AssertionError()))
    target.protocols = ("anthropic_messages", "gemini_generate")
    words = "it supports anthropic_messages, gemini_generate"
    assert lane.run(target, CALL, 5) == TargetResult(Outcome(), words, unsupported=True)


@pytest.mark.parametrize(
    ("address", "says"),
    [("sdkk", "did you mean 'sdk'?"), (7, "a target has name, protocols and listen")],
)
def test_an_address_of_nothing_is_the_callers_fault(
    lane: ThreadExecutor, address: Any, says: str
) -> None:
    with pytest.raises(InputError, match=says.replace("?", r"\?")):
        lane.run(address, CALL, 5)


def test_a_target_is_made_once_a_lane_even_if_it_cannot_be_hashed(lane: ThreadExecutor) -> None:
    class Unhashable(Scripted):
        made = 0
        __hash__ = None  # type: ignore[assignment]  # what a dataclass with eq does

        def __init__(self) -> None:
            super().__init__()
            type(self).made += 1

        def __eq__(self, _: object) -> bool:
            return True

    assert [lane.run(Unhashable, CALL, 5) for _ in range(2)] == [TargetResult(DONE)] * 2
    assert lane.run(Unhashable(), CALL, 5) == TargetResult(DONE)
    assert Unhashable.made == 2


def test_a_blocked_lane_gives_up_and_cleans_up_when_it_wakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.engine.executor.GRACE", 0.1)
    lane = ThreadExecutor()
    target = Scripted(enter=lambda: time.sleep(0.6))
    assert lane.run(target, CALL, 0.1) is None
    lane.close(patience=0)
    assert lane._thread.is_alive()
    lane._thread.join(5)
    assert not lane._thread.is_alive()


def test_closing_ends_the_thread_and_what_still_runs_in_it() -> None:
    lane = ThreadExecutor()
    target = Scripted(read=forever)
    with ThreadPoolExecutor(1) as waiter:
        waiting = waiter.submit(lane.run, target, CALL, 60)
        while not lane._targets:
            time.sleep(0.01)
        lane.close()
        assert waiting.result(5) == TargetResult(
            Outcome(), "raised CancelledError although it was not cancelled"
        )
    assert target.left.is_set()
    assert not lane._thread.is_alive()
    lane.close()  # twice does no harm


def test_a_lane_that_never_played_closes_too() -> None:
    lane = ThreadExecutor()
    lane.close()
    assert not lane._thread.is_alive()


def test_an_interrupted_wait_cancels_the_target(
    lane: ThreadExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    async def reading() -> None:
        started.set()
        await forever()

    target = Scripted(read=reading)

    class Interrupted:
        def __init__(self, future: Any) -> None:
            self._future = future
            self.cancel = future.cancel

        def result(self, _: float) -> None:
            started.wait(5)
            raise KeyboardInterrupt

    real = asyncio.run_coroutine_threadsafe
    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", lambda *a: Interrupted(real(*a)))
    with pytest.raises(KeyboardInterrupt):
        lane.run(target, CALL, 60)
    assert target.left.wait(5)
    monkeypatch.undo()
    assert play(lane) == TargetResult(DONE)
