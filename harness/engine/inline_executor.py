"""An executor in the calling thread, for built-in targets in memory: it saves the thread switches.

``ThreadExecutor`` abandons its thread when a target blocks it. Here a signal takes that place: it
interrupts the target in the main thread, which is therefore the only one that may use this class.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING

from harness.engine.executor import GRACE, UNASKED_CANCEL, ThreadExecutor
from harness.engine.results import TargetResult
from harness.model import Outcome

if TYPE_CHECKING:
    from types import FrameType

    from harness.engine.executor import StreamConsumer
    from harness.targets.base import Call


class _Blocked(BaseException):
    """Raised by the timer signal; a BaseException, so that targets do not catch it by accident."""


def may_be_inline() -> bool:
    """Return whether a timer signal can interrupt the calling thread."""
    has_timer = hasattr(signal, "setitimer")
    return has_timer and threading.current_thread() is threading.main_thread()


class InlineExecutor(ThreadExecutor):
    """One loop in this thread, one set of SDK clients, one instance of each target."""

    def __init__(self) -> None:
        self._clients, self._targets, self._loaded = None, {}, set()
        self._loop = asyncio.new_event_loop()
        self._running: asyncio.Task[TargetResult] | None = None
        self._interrupted = False
        self._before = {
            signal.SIGALRM: signal.signal(signal.SIGALRM, _raise_blocked),
            signal.SIGINT: signal.signal(signal.SIGINT, self._interrupt),
        }

    def run(
        self,
        address: str | object,
        call: Call,
        timeout: float,
        consumer: StreamConsumer | None = None,
    ) -> TargetResult | None:
        """Run a target on one stream; arguments and result are those of ``ThreadExecutor.run``."""
        self._load(address, call.protocol)
        running = self._running = self._loop.create_task(
            self._run(address, call, timeout, consumer)
        )
        signal.setitimer(signal.ITIMER_REAL, timeout + GRACE)
        try:
            return self._loop.run_until_complete(running)
        except _Blocked:
            return None
        except asyncio.CancelledError:
            if self._interrupted:
                raise KeyboardInterrupt from None
            return TargetResult(Outcome(), UNASKED_CANCEL)
        finally:
            self._running = None
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _interrupt(self, _: int, __: FrameType | None) -> None:
        """Keep Ctrl-C from the target: cancel it, and raise KeyboardInterrupt when it is done."""
        if self._running is None or self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
        self._running.cancel()

    def close(self, patience: float = GRACE) -> None:
        """Close the clients and the loop, unless the loop is blocked.

        Args:
            patience: 0 means that the loop is blocked and is abandoned as it is.
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


def _raise_blocked(_: int, __: FrameType | None) -> None:
    raise _Blocked
