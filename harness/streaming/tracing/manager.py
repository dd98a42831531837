"""Writes a trace to every backend at once, and never lets one of them hurt the stream.

Rules of this file: a backend's failure is a report and a line in the log, never an exception; a
backend that is slow is waited for no longer than the bound, then its write is cancelled and left to
end on its own; reads come from the first backend. Only a cancellation passes through.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from harness.streaming.tracing.backend import WriteReport

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from harness.streaming.tracing.backend import TraceBackend
    from harness.streaming.tracing.trace import ProviderTrace

WRITE_BOUND_S = 2.0
CLOSE_BOUND_S = 5.0
_log = logging.getLogger(__name__)


class TraceManager:
    """All backends as one.

    Args:
        backends: the places to write to; the first is read from. The manager closes them.
        bound: the most seconds a write may delay its caller.
        close_bound: the most seconds closing may take.
    """

    def __init__(
        self,
        backends: Sequence[TraceBackend],
        bound: float = WRITE_BOUND_S,
        close_bound: float = CLOSE_BOUND_S,
    ):
        self._backends = tuple(backends)
        self._bound, self._close_bound = bound, close_bound
        self._late: set[asyncio.Task[WriteReport]] = set()  # else nobody would hold them

    async def create(self, trace: ProviderTrace) -> tuple[WriteReport, ...]:
        """Write one trace everywhere; one report a backend, in their order."""
        reports = await self._each(lambda backend: backend.create(trace), self._bound)
        for report in reports:
            if report.error is not None:
                _log.warning("trace %s, %s: %s", trace.id, report.backend, report.error)
        return reports

    async def read(self, step_id: str) -> ProviderTrace | None:
        """Return a step's trace from the first backend, None where there is none.

        Raises:
            Exception: whatever the backend raised; nobody's stream waits for a read.
        """
        return await self._backends[0].read(step_id) if self._backends else None

    async def aclose(self) -> tuple[WriteReport, ...]:
        """Close every backend; a report names what was not delivered."""
        reports = await self._each(lambda backend: backend.aclose(), self._close_bound)
        for report in reports:
            if report.error is not None:
                _log.warning("closing %s: %s", report.backend, report.error)
        return reports

    async def _each(
        self, act: Callable[[TraceBackend], Coroutine[None, None, None]], bound: float
    ) -> tuple[WriteReport, ...]:
        """Do the same with every backend at once; what takes over ``bound`` seconds is left."""
        tasks = [asyncio.create_task(_reported(backend, act)) for backend in self._backends]
        if not tasks:
            return ()
        try:
            await asyncio.wait(tasks, timeout=bound)
        finally:
            for task in tasks:
                self._leave(task)
        return tuple(
            task.result() if task.done() else _too_slow(backend, bound)
            for backend, task in zip(self._backends, tasks, strict=True)
        )

    def _leave(self, task: asyncio.Task[WriteReport]) -> None:
        """Cancel a task and do not wait: a driver may take its time to give up, too."""
        if not task.done():
            task.cancel()
            self._late.add(task)
            task.add_done_callback(self._late.discard)


async def _reported(
    backend: TraceBackend, act: Callable[[TraceBackend], Coroutine[None, None, None]]
) -> WriteReport:
    try:
        await act(backend)
    except Exception as error:  # noqa: BLE001 - whatever a backend raises is its report
        words = " ".join(str(error).split())
        return WriteReport(backend.name, f"{type(error).__name__}: {words}")
    return WriteReport(backend.name)


def _too_slow(backend: TraceBackend, bound: float) -> WriteReport:
    return WriteReport(backend.name, f"not done within {bound:g} s; left behind")
