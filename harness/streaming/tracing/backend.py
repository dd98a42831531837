"""What a place that keeps traces is, and what is said of a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.streaming.tracing.trace import ProviderTrace


class WriteReport(NamedTuple):
    """What became of one trace in one backend; ``error`` is None where it was taken."""

    backend: str
    error: str | None = None


class TraceBackend(Protocol):
    """A place that keeps traces.

    It may raise whatever it meets: the manager turns it into a report. It must not block the event
    loop.
    """

    @property
    def name(self) -> str:
        """What reports call it; holds no secret."""

    async def create(self, trace: ProviderTrace) -> None:
        """Take one trace."""

    async def read(self, step_id: str) -> ProviderTrace | None:
        """Return a step's trace, the newest where it has several, None where it has none.

        Raises:
            HarnessError: the place can only be written to.
        """

    async def aclose(self) -> None:
        """Deliver what waits, within a bounded time, and give everything back.

        Raises:
            HarnessError: something was not delivered.
        """


def write_only(name: str) -> NoReturn:
    """Say that a backend cannot be read.

    Raises:
        HarnessError: always.
    """
    raise HarnessError(f"{name} takes traces and gives none back; name a database first")
