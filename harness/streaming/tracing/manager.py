"""Writes a trace to all backends at once; a failing backend never affects the stream.

Rules of this file: a backend's failure is a report and a log line, never an exception; a write that
takes longer than the bound is cancelled and not waited for; reads use the first backend. Only a
cancellation of the caller is raised.
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
    """Several backends as one.

    Args:
        backends: all are written to, the first is read from. The manager closes them.
        bound: the longest time in seconds that a write may delay its caller.
        close_bound: the longest time in seconds that closing may take.
    """

    def __init__(
        self,
        backends: Sequence[TraceBackend],
        bound: float = WRITE_BOUND_S,
        close_bound: float = CLOSE_BOUND_S,
    ):
        self._backends = tuple(backends)
        self._bound, self._close_bound = bound, close_bound
        self._late: set[asyncio.Task[WriteReport]] = set()  # a task needs a reference to live on

    async def create(self, trace: ProviderTrace) -> tuple[WriteReport, ...]:
        """Write one trace to all backends; return one report per backend, in their order."""
        reports = await self._each(lambda backend: backend.create(trace), self._bound)
        for report in reports:
            if report.error is not None:
                _log.warning("trace %s, %s: %s", trace.id, report.backend, report.error)
        return reports

    async def read(self, step_id: str) -> ProviderTrace | None:
        """Return the trace of a step from the first backend, None if there is none.

        Raises:
            Exception: whatever the backend raised; no stream waits for a read.
        """
        return await self._backends[0].read(step_id) if self._backends else None

    async def aclose(self) -> tuple[WriteReport, ...]:
        """Close all backends; the reports say what was not delivered."""
        reports = await self._each(lambda backend: backend.aclose(), self._close_bound)
        for report in reports:
            if report.error is not None:
                _log.warning("closing %s: %s", report.backend, report.error)
        return reports

    async def _each(
        self, act: Callable[[TraceBackend], Coroutine[None, None, None]], bound: float
    ) -> tuple[WriteReport, ...]:
        """Call all backends at once; abandon the calls that take longer than ``bound`` seconds."""
        tasks = [asyncio.create_task(_reported(backend, act)) for backend in self._backends]
        if not tasks:
            return ()
        try:
            await asyncio.wait(tasks, timeout=bound)
        finally:
            for task in tasks:
                self._abandon(task)
        return tuple(
            task.result() if task.done() else _too_slow(backend, bound)
            for backend, task in zip(self._backends, tasks, strict=True)
        )

    def _abandon(self, task: asyncio.Task[WriteReport]) -> None:
        """Cancel a task without waiting for it: a driver may take its time to be cancelled, too."""
        if not task.done():
            task.cancel()
            self._late.add(task)
            task.add_done_callback(self._late.discard)


async def _reported(
    backend: TraceBackend, act: Callable[[TraceBackend], Coroutine[None, None, None]]
) -> WriteReport:
    try:
        await act(backend)
    except Exception as error:  # noqa: BLE001 - any exception becomes the report
        message = " ".join(str(error).split())
        return WriteReport(backend.name, f"{type(error).__name__}: {message}")
    return WriteReport(backend.name)


def _too_slow(backend: TraceBackend, bound: float) -> WriteReport:
    return WriteReport(backend.name, f"not done within {bound:g} s; cancelled")
