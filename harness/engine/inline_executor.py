"""A lane in the calling thread, for targets of ours in memory: a stream costs no change of threads.

A lane of its own thread is left behind when a target blocks it. Here an alarm takes that place: it
rings in the main thread only, so nobody else may use this lane.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING

from harness.engine.executor import GRACE, TargetResult, ThreadExecutor
from harness.model import Outcome

if TYPE_CHECKING:
    from types import FrameType

    from harness.engine.consumer_probe import ConsumerProbe
    from harness.targets.base import Call


class _Blocked(BaseException):
    """The alarm: whoever runs is taken out of what it does, whatever it catches."""


def may_be_inline() -> bool:
    """Say whether the calling thread can be waked by an alarm."""
    alarms = hasattr(signal, "setitimer")
    return alarms and threading.current_thread() is threading.main_thread()


class InlineExecutor(ThreadExecutor):
    """One loop in this thread, one set of SDK clients, one instance of each target."""

    def __init__(self) -> None:
        self._clients, self._targets = None, {}
        self._loop = asyncio.new_event_loop()
        self._playing: asyncio.Task[TargetResult] | None = None
        self._interrupted = False
        self._before = {
            signal.SIGALRM: signal.signal(signal.SIGALRM, _ring),
            signal.SIGINT: signal.signal(signal.SIGINT, self._interrupt),
        }

    def play(
        self, address: str | object, call: Call, timeout: float, reader: ConsumerProbe | None = None
    ) -> TargetResult | None:
        """Let a target listen to one stream; everything as in ``Lane.play``."""
        playing = self._playing = self._loop.create_task(self._play(address, call, timeout, reader))
        signal.setitimer(signal.ITIMER_REAL, timeout + GRACE)
        try:
            return self._loop.run_until_complete(playing)
        except _Blocked:
            return None
        except asyncio.CancelledError:
            if self._interrupted:
                raise KeyboardInterrupt from None
            return TargetResult(Outcome(), "raised CancelledError, though nobody cancelled it")
        finally:
            self._playing = None
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _interrupt(self, _: int, __: FrameType | None) -> None:
        """Take Ctrl-C out of a target's hands: it is cancelled, and then we are interrupted."""
        if self._playing is None or self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
        self._playing.cancel()

    def close(self, patience: float = GRACE) -> None:
        """Close the clients and the loop; one that was blocked is only forgotten.

        Args:
            patience: 0 says that it was blocked.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if not patience:
            return
        if self._clients is not None:
            self._loop.run_until_complete(self._clients.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def _ring(_: int, __: FrameType | None) -> None:
    raise _Blocked
