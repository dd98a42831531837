"""The interface of a trace backend, and the report of one write."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.streaming.tracing.trace import ProviderTrace


class WriteReport(NamedTuple):
    """The result of writing one trace to one backend; ``error`` is None if it was accepted."""

    backend: str
    error: str | None = None


class TraceBackend(Protocol):
    """A place to write traces to.

    It may raise any exception: the manager turns it into a report. It must not block the event
    loop.
    """

    @property
    def name(self) -> str:
        """Its name in reports; contains no secret."""

    async def create(self, trace: ProviderTrace) -> None:
        """Write one trace."""

    async def read(self, step_id: str) -> ProviderTrace | None:
        """Return the newest trace of a step, None if it has none.

        Raises:
            HarnessError: the backend is write-only.
        """

    async def aclose(self) -> None:
        """Deliver what waits, within a bounded time, and release all resources.

        Raises:
            HarnessError: something was not delivered.
        """


def write_only(name: str) -> NoReturn:
    """Raise the error of a backend that cannot be read.

    Raises:
        HarnessError: always.
    """
    raise HarnessError(f"{name} is write-only; put a database first in the list of trace backends")
