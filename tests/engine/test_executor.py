"""The executor: whatever a target does is reported, and the harness goes on."""

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
        self.exited = threading.Event()

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
        self.exited.set()
        await self._do("exit")

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        await self._do("read")
        yield Chunk("text", "Hi")

    def outcome(self) -> Any:
        return self._steps.get("outcome", lambda: DONE)()


@pytest.fixture
def executor() -> Iterator[ThreadExecutor]:
    executor = ThreadExecutor()
    yield executor
    executor.close()


def run(executor: ThreadExecutor, timeout: float = 5.0, **steps: Callable[[], Any]) -> TargetResult:
    result = executor.run(Scripted(**steps), CALL, timeout)
    assert result is not None
    return result


def fail(error: BaseException) -> Callable[[], Any]:
    def step() -> None:
        raise error

    return step


async def forever() -> None:
    await asyncio.sleep(3600)


async def own_timeout() -> None:
    async with asyncio.timeout(0.01):
        await forever()


async def ignoring() -> None:
    with pytest.raises(asyncio.CancelledError):
        await forever()


def test_a_target_that_ends_has_its_outcome(executor: ThreadExecutor) -> None:
    assert run(executor) == TargetResult(DONE)


@pytest.mark.parametrize("step", ["listen", "enter", "read", "exit"])
@pytest.mark.parametrize("error", [ValueError("own goal"), SystemExit(3), KeyboardInterrupt()])
def test_an_exception_it_does_not_report_is_a_problem(
    executor: ThreadExecutor, step: str, error: BaseException
) -> None:
    steps: dict[str, Any] = {step: fail(error)}
    result = run(executor, **steps)
    word = type(error).__name__
    assert result.problem == f"raised {word}: {error}"
    if step == "listen":
        return  # there was nothing to ask for an outcome
    assert result.outcome.error == ErrorInfo(kind="unknown", code=word, message=str(error))
    assert (result.outcome.finish, result.outcome.ending) == ("error", "failed")
    assert run(executor) == TargetResult(DONE)


def test_a_reported_error_may_be_raised(executor: ThreadExecutor) -> None:
    named = Outcome(error=ErrorInfo(kind="server"), ending="failed", finish="error")
    assert run(executor, read=fail(ValueError()), outcome=lambda: named) == TargetResult(named)


def test_a_timeout_is_a_problem_and_the_target_is_cancelled(executor: ThreadExecutor) -> None:
    target = Scripted(read=forever)
    result = executor.run(target, CALL, SOON)
    assert result == TargetResult(DONE, "did not finish within 0.2 s")
    assert target.exited.is_set()


def test_a_target_that_suppresses_the_deadline_is_late(
    executor: ThreadExecutor,
) -> None:
    assert run(executor, SOON, read=ignoring).problem == "did not finish within 0.2 s"


def test_a_timeout_of_the_target_is_not_the_executors(executor: ThreadExecutor) -> None:
    result = run(executor, read=own_timeout)
    assert result.problem == "raised TimeoutError: "
    assert result.outcome.error is not None
    assert result.outcome.error.code == "TimeoutError"


def test_a_cancellation_of_its_own_is_a_problem(executor: ThreadExecutor) -> None:
    result = run(executor, read=fail(asyncio.CancelledError()))
    assert result.problem == "raised CancelledError although it was not cancelled"


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (lambda: {"text": "Hi"}, "outcome() returned dict, not an Outcome"),
        (lambda: None, "outcome() returned NoneType, not an Outcome"),
        (fail(ValueError("own goal")), "outcome() raised ValueError: own goal"),
    ],
)
def test_an_invalid_outcome_is_a_problem(
    executor: ThreadExecutor, outcome: Callable[[], Any], message: str
) -> None:
    assert run(executor, outcome=outcome) == TargetResult(Outcome(), message)


def test_an_invalid_listening_is_a_problem(executor: ThreadExecutor) -> None:
    class Nothing:
        name = "nothing"
        protocols = ("openai_chat",)

        def listen(self, _: Call) -> None:
            return None

    result = executor.run(Nothing(), CALL, 5)
    assert result is not None
    assert "asynchronous context manager" in str(result.problem)


def test_an_unsupported_protocol_is_not_tried(executor: ThreadExecutor) -> None:
    target = Scripted(listen=fail(AssertionError()))
    target.protocols = ("anthropic_messages", "gemini_generate")
    words = "it supports anthropic_messages, gemini_generate"
    assert executor.run(target, CALL, 5) == TargetResult(Outcome(), words, unsupported=True)


@pytest.mark.parametrize(
    ("address", "message"),
    [("sdkk", "did you mean 'sdk'?"), (7, "a target has name, protocols and listen")],
)
def test_an_invalid_address_is_an_input_error(
    executor: ThreadExecutor, address: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        executor.run(address, CALL, 5)


def test_a_target_is_made_once_per_executor_even_if_unhashable(executor: ThreadExecutor) -> None:
    class Unhashable(Scripted):
        made = 0
        __hash__ = None  # type: ignore[assignment]  # what a dataclass with eq does

        def __init__(self) -> None:
            super().__init__()
            type(self).made += 1

        def __eq__(self, _: object) -> bool:
            return True

    assert [executor.run(Unhashable, CALL, 5) for _ in range(2)] == [TargetResult(DONE)] * 2
    assert executor.run(Unhashable(), CALL, 5) == TargetResult(DONE)
    assert Unhashable.made == 2


def test_a_blocked_executor_gives_up_and_cleans_up_when_it_wakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.engine.executor.GRACE", 0.1)
    executor = ThreadExecutor()
    target = Scripted(enter=lambda: time.sleep(0.6))
    assert executor.run(target, CALL, 0.1) is None
    executor.close(patience=0)
    assert executor._thread.is_alive()
    executor._thread.join(5)
    assert not executor._thread.is_alive()


def test_closing_ends_the_thread_and_what_still_runs_in_it() -> None:
    executor = ThreadExecutor()
    target = Scripted(read=forever)
    with ThreadPoolExecutor(1) as waiter:
        waiting = waiter.submit(executor.run, target, CALL, 60)
        while not executor._targets:
            time.sleep(0.01)
        executor.close()
        assert waiting.result(5) == TargetResult(
            Outcome(), "raised CancelledError although it was not cancelled"
        )
    assert target.exited.is_set()
    assert not executor._thread.is_alive()
    executor.close()  # twice does no harm


def test_an_unused_executor_can_be_closed() -> None:
    executor = ThreadExecutor()
    executor.close()
    assert not executor._thread.is_alive()


def test_an_interrupted_wait_cancels_the_target(
    executor: ThreadExecutor, monkeypatch: pytest.MonkeyPatch
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
        executor.run(target, CALL, 60)
    assert target.exited.wait(5)
    monkeypatch.undo()
    assert run(executor) == TargetResult(DONE)
