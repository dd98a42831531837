"""The contract between the harness and a target.

The simplest target is a function::

    async def target(call: Call) -> Outcome: ...

It sends ``call.request`` to ``call.base_url`` through the interface under test, reads the stream to
its end and returns what was delivered. The harness wraps it (``FunctionTarget``) and receives its
chunks only after it has returned, so a consumer cannot abort such a stream in the middle.

A target whose chunks are observed one by one is an object with ``name``, ``protocols`` and
``listen`` (``Target``), which returns a ``Listening``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    """One request to a target: which stream to open, and how to read it.

    Args:
        protocol: the wire language of the stream, e.g. ``openai_chat``.
        base_url: where the provider answers, without a trailing slash. The SDK appends its own
            path: ``/v1/chat/completions``, ``/v1/messages``. Empty until ``at`` sets it.
        request: keyword arguments of the SDK's method: model, messages, tools and so on, without
            ``stream``.
        consumer: how the stream is read. ``{"do": "read"}`` reads to the end;
            ``{"do": "break" | "aclose", "at": n}`` stops after n chunks. The harness itself does
            this to a target in process; a target in another process must do it.
        read_timeout: seconds the client waits for the next bytes; None for its default.
        transport: an in-memory transport to use in place of sockets, or None. Only built-in targets
            receive one; every other target is given a real address.
    """

    protocol: str
    base_url: str = ""
    request: Mapping[str, JSON] = field(default_factory=dict)
    consumer: Mapping[str, JSON] = field(default_factory=lambda: {"do": "read"})
    read_timeout: float | None = None
    transport: Any = None

    def at(self, base_url: str, transport: Any = None) -> Call:
        """Return the same call with another address.

        Args:
            base_url: where the provider answers.
            transport: an in-memory transport to use in place of sockets, or None.
        """
        return replace(self, base_url=base_url, transport=transport)


class Listening(Protocol):
    """One stream, while a target reads it.

    The harness uses it as follows, in one task::

        async with target.listen(call) as listening:
            async for chunk in listening:
                ...
        outcome = listening.outcome()

    The consumer may abort: it breaks out of the loop (then ``__aexit__`` runs), closes the iterator
    with ``aclose``, cancels the task at any ``await``, or lets a timeout do so. Afterwards the
    connection must be closed, no task may be running, and ``outcome()`` must still be correct.
    """

    async def __aenter__(self) -> Self:
        """Open the stream now, or leave that to the first step of the iteration.

        Raises:
            Exception: what the interface raises when the provider refuses the request.
        """

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what was opened; called once after entering, whether or not the stream ended.

        Must not suppress the exception it is given.
        """

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Return the iterator of chunks, which yields each as soon as it arrives.

        The iterator may raise what the provider or the SDK raised, after the last chunk. If it has
        ``aclose``, that may be called before it is exhausted.
        """

    def outcome(self) -> Outcome:
        """Return everything delivered so far; never raises.

        May be called at any moment: before the first chunk, between chunks, and after exit. After
        an abort it reports ``finish`` and ``ending`` as ``cancelled``.
        """


@runtime_checkable
class Target(Protocol):
    """A streaming interface under test.

    Attributes:
        name: how reports name it.
        protocols: the wire languages it supports; streams of others are skipped, and reported as
            not supported.
    """

    name: str
    protocols: tuple[str, ...]

    def listen(self, call: Call) -> Listening:
        """Return a listening for one stream; called once per stream, in the event loop of the run.

        Must return immediately, without a request: that belongs to ``__aenter__`` or to the
        iteration. An exception raised here is reported as the target's failure.
        """


Function: TypeAlias = "Callable[[Call], Awaitable[Outcome]]"


class FunctionTarget:
    """A plain ``async def target(call) -> Outcome`` as a target.

    Args:
        name: how reports name it.
        function: the function. If it has an attribute ``protocols``, that lists the wire languages
            it supports; otherwise it supports all.
    """

    def __init__(self, name: str, function: Function) -> None:
        self.name = name
        self.protocols: tuple[str, ...] = tuple(getattr(function, "protocols", names()))
        self._function = function

    def listen(self, call: Call) -> FunctionListening:
        """Return a listening that awaits the function, then yields its chunks."""
        return FunctionListening(self._function, call)


class FunctionListening:
    """Awaits a function target, then yields the chunks of its outcome."""

    def __init__(self, function: Function, call: Call) -> None:
        self._function, self._call = function, call
        self._outcome = Outcome()
        self._returned = False
        self._chunks = self._read()

    async def __aenter__(self) -> Self:
        """Open nothing; the function opens and closes what it needs."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Yield no more; a function that did not return by now was cancelled."""
        await self._chunks.aclose()
        if not self._returned:
            self._outcome = Outcome(finish="cancelled", ending="cancelled")

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Return the chunks of the outcome; the first step awaits the function.

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
            self._returned = True
            raise
        self._returned = True
        if not isinstance(outcome, Outcome):
            message = f"returned {type(outcome).__name__}, not an Outcome: {outcome!r:.80}"
            raise TargetError(message)
        self._outcome = outcome
        for chunk in outcome.chunks:
            yield chunk
