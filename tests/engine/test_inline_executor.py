"""An executor in the calling thread does what one in its own thread does, ended by a timer."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

from harness.engine.inline_executor import may_be_inline
from harness.engine.replayer import Replayer
from harness.model import Outcome
from harness.protocols import protocol
from harness.targets.base import Call
from harness.wire.script import Script

CHAT = protocol("openai_chat")
HELLO = Script((b"data: [DONE]\n\n",))
ASK = Call(CHAT.name, request=CHAT.request)


async def blocks(_: Call) -> Outcome:
    time.sleep(30)  # noqa: ASYNC251 - that is the defect
    return Outcome()


async def waits(_: Call) -> Outcome:
    await asyncio.sleep(30)
    return Outcome()


async def cancels_itself(_: Call) -> Outcome:
    raise asyncio.CancelledError


def test_both_executors_deliver_the_same() -> None:
    with (
        Replayer(20.0, in_memory=True) as one,
        Replayer(20.0, in_memory=True, inline=True) as other,
    ):
        assert one.replay("builtin", ASK, HELLO) == other.replay("builtin", ASK, HELLO)


@pytest.mark.parametrize("target", [blocks, waits, cancels_itself])
def test_a_misbehaving_target_is_reported_and_the_next_one_runs(target: object) -> None:
    with Replayer(0.2, in_memory=True, inline=True) as replayer:
        result = replayer.replay(target, ASK, HELLO)
        assert result.problem
        assert replayer.replay("builtin", ASK, HELLO).problem is None


async def is_interrupted(_: Call) -> Outcome:
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(30)
    return Outcome()


def test_an_interrupt_reaches_the_caller_not_the_target() -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        Replayer(20.0, in_memory=True, inline=True) as replayer,
    ):
        replayer.replay(is_interrupted, ASK, HELLO)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_signal_handler_is_restored() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Replayer(20.0, in_memory=True, inline=True) as replayer:
        replayer.replay("builtin", ASK, HELLO)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_only_the_main_thread_can_be_interrupted() -> None:
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(may_be_inline()))
    thread.start()
    thread.join()
    assert (may_be_inline(), results) == (True, [False])
