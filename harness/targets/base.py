"""The contract between the harness and a target.

A target has a name, the protocols it speaks, and ``listen(call)``, which returns a ``Listening``:
an async context manager and async iterator of chunks whose ``outcome()`` is right at every moment.
A plain ``async def target(call) -> Outcome`` is wrapped into one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, runtime_checkable

from harness.errors import TargetError
from harness.model import Chunk, Outcome
from harness.protocols import names

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
    from types import TracebackType

    from harness.model import JSON


@dataclass(frozen=True)
class Call:
    """What a target is asked to do.

    Args:
        protocol: the wire language, one of ``harness.protocols.names()``.
        base_url: where the provider answers; the SDK's own paths come below it.
        request: keyword arguments of the SDK's call.
        consumer: what the reader does, ``{"do": "read"}`` to read everything.
        read_timeout: seconds the client waits for a read, None for its default.
        transport: an in-memory transport to be used in place of sockets, or None.
    """

    protocol: str
    base_url: str
    request: Mapping[str, JSON] = field(default_factory=dict)
    consumer: Mapping[str, JSON] = field(default_factory=lambda: {"do": "read"})
    read_timeout: float | None = None
    transport: Any = None


class Listening(Protocol):
    """One stream being listened to."""

    async def __aenter__(self) -> Self:
        """Open nothing yet, or open the stream."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close whatever was opened."""

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Yield chunks as they arrive; what the provider or the SDK raised may come out."""

    def outcome(self) -> Outcome:
        """Return everything delivered so far."""


@runtime_checkable
class Target(Protocol):
    """Somebody's streaming interface."""

    name: str
    protocols: tuple[str, ...]

    def listen(self, call: Call) -> Listening:
        """Return a listener for one stream."""


Function: TypeAlias = "Callable[[Call], Awaitable[Outcome]]"


class FunctionTarget:
    """A plain ``async def target(call) -> Outcome`` as a target.

    Args:
        name: how reports call it.
        function: the function; an attribute ``protocols`` of it narrows what it speaks.
    """

    def __init__(self, name: str, function: Function) -> None:
        self.name = name
        self.protocols: tuple[str, ...] = tuple(getattr(function, "protocols", names()))
        self._function = function

    def listen(self, call: Call) -> FunctionListening:
        """Return a listener that awaits the function, then hands out its chunks."""
        return FunctionListening(self._function, call)


class FunctionListening:
    """Awaits a function target and hands out the chunks of its outcome."""

    def __init__(self, function: Function, call: Call) -> None:
        self._function, self._call = function, call
        self._outcome = Outcome()
        self._over = False
        self._chunks = self._read()

    async def __aenter__(self) -> Self:
        """Open nothing; the function opens and closes what it needs."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hand out no more; a function that was not waited for is one that was cancelled."""
        await self._chunks.aclose()
        if not self._over:
            self._outcome = Outcome(finish="cancelled", ending="cancelled")

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Return the chunks the function reports, once it has been awaited.

        Raises:
            TargetError: the function returned something else than an Outcome.
        """
        return self._chunks

    def outcome(self) -> Outcome:
        """Return what the function returned, or an empty outcome before that."""
        return self._outcome

    async def _read(self) -> AsyncGenerator[Chunk, None]:
        try:
            outcome = await self._function(self._call)
        except Exception:
            self._over = True
            raise
        self._over = True
        if not isinstance(outcome, Outcome):
            words = f"returned {type(outcome).__name__}, not an Outcome: {outcome!r:.80}"
            raise TargetError(words)
        self._outcome = outcome
        for chunk in outcome.chunks:
            yield chunk
