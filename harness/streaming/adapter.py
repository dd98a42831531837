"""One step of an agent: a request to any provider becomes chunks, an outcome and a trace.

Rules of this file: a chunk is handed on in the moment it comes; what the provider did wrong is
raised once, as a member of the ``LLMError`` family, and what the consumer does (leave, throw,
cancel) passes as it is; the chunks that end a failed answer are kept back where another attempt may
follow, so whoever makes it says stop only once; nothing of a step is left for the next; every step
leaves one trace, however it ended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from harness.streaming.error_mapping import LLM_ERRORS, llm_error
from harness.streaming.interfaces import interface_for
from harness.streaming.providers import estimate_tokens, protocol_of, provider_named
from harness.streaming.tracing.trace import ProviderTrace

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        Awaitable,
        Callable,
        Iterable,
        Mapping,
    )

    from harness.errors import LLMError
    from harness.model import JSON, Chunk, Outcome
    from harness.streaming.cancellation import CancelSignal
    from harness.streaming.interfaces.base import StreamingInterface

    Opener: TypeAlias = Callable[[str, Mapping[str, JSON]], Awaitable[AsyncIterable[Any]]]

_log = logging.getLogger(__name__)


class Traces(Protocol):
    """Where traces go; ``harness.streaming.tracing.manager.TraceManager`` is one."""

    async def create(self, trace: ProviderTrace) -> object:
        """Keep one trace."""


@dataclass(frozen=True)
class StepContext:
    """Whose step it is, and whom it asks.

    Args:
        run_id, step_id, agent_id, org_id, user_id: whose step it is.
        call_type: what it is for, e.g. ``agent_step`` or ``summarization``.
        provider: a name in ``harness.streaming.providers.PROVIDERS``.
        model: the model that is asked.
        tags: free words.
    """

    run_id: str | None
    step_id: str | None
    agent_id: str | None
    org_id: str | None
    user_id: str | None
    call_type: str
    provider: str
    model: str | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepResult:
    """What came of a step.

    Args:
        outcome: everything that was delivered.
        error: what was raised for the provider's sake, None where nothing was.
        latency_s: seconds from the request to the end.
        first_chunk_s: seconds from the request to the first chunk, None where none came.
    """

    outcome: Outcome
    error: LLMError | None
    latency_s: float
    first_chunk_s: float | None


class StreamAdapter:
    """Asks providers, one step at a time.

    Args:
        opener: provider, request -> the SDK's stream, awaited; the product's own clients.
        traces: where traces go, None for nowhere. Nobody waits for them but ``flush``.
        clock: seconds, monotonic.

    ``step`` is what came of the last step, None before and while it runs.
    """

    def __init__(
        self,
        opener: Opener,
        traces: Traces | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opener, self._traces, self._clock = opener, traces, clock
        self._writing: set[asyncio.Task[object]] = set()  # else nobody would hold them
        self.step: StepResult | None = None

    async def stream(
        self,
        context: StepContext,
        request: Mapping[str, JSON],
        cancel: CancelSignal | None = None,
        *,
        requires_approval: Iterable[str] = (),
    ) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield the chunks of the answer; ``step`` is set once it ended.

        Args:
            context: whose step it is, and whom it asks.
            request: what is asked, in the words of the provider's SDK.
            cancel: ends the step with a ``stop_reason`` chunk when it is fired.
            requires_approval: names of tools whose calls become approval requests.

        Raises:
            UnknownWordError: no such provider is known.
            LLMError: the provider failed; its class says how.
        """
        self.step = None
        interface = _interface(context, request, requires_approval)
        started, first, error = self._clock(), None, None
        try:
            opening = self._open(context.provider, request)
            async with aclosing(interface.chunks(opening, cancel)) as chunks:
                kept_back = False
                while True:
                    try:
                        chunk = await anext(chunks)
                    except StopAsyncIteration:
                        break
                    except Exception as failure:  # noqa: BLE001 - mapped, and raised below
                        error = llm_error(failure)
                        break
                    kept_back = kept_back or _ends_an_attempt(chunk, interface)
                    if kept_back:
                        continue
                    if first is None:
                        first = self._clock()
                    yield chunk
            error = error or _cut_short(interface.outcome())
        finally:
            self.step = StepResult(
                outcome=interface.outcome(),
                error=error,
                latency_s=self._clock() - started,
                first_chunk_s=None if first is None else first - started,
            )
            self._keep(context, request, interface.protocol, self.step)
        if error is not None:
            raise error

    async def flush(self) -> None:
        """Wait for the traces that are still being written."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def _open(self, provider: str, request: Mapping[str, JSON]) -> AsyncIterable[Any]:
        return await self._opener(provider, request)

    def _keep(
        self, context: StepContext, request: Mapping[str, JSON], protocol: str, step: StepResult
    ) -> None:
        """Have the trace of a step written; nobody waits for it."""
        if self._traces is not None:
            writing = asyncio.create_task(
                _write(self._traces, context, request, protocol, step), name="trace"
            )
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)


async def _write(
    traces: Traces,
    context: StepContext,
    request: Mapping[str, JSON],
    protocol: str,
    step: StepResult,
) -> None:
    """Write a trace; what goes wrong here is no matter of the step's."""
    try:
        trace = ProviderTrace(
            **asdict(context),
            protocol=protocol,
            request=request,
            outcome=step.outcome,
            error=None if step.error is None else step.error.info,
            latency_s=step.latency_s,
            first_chunk_s=step.first_chunk_s,
        )
        await traces.create(trace)
    except Exception:  # noqa: BLE001 - whatever it is, it is logged and hurts nobody
        _log.exception("step %s: its trace is lost", context.step_id)


def _interface(
    context: StepContext, request: Mapping[str, JSON], requires_approval: Iterable[str]
) -> StreamingInterface:
    provider = provider_named(context.provider)
    made = interface_for(protocol_of(context.provider, request))
    options = {"estimate": estimate_tokens} if provider.silent_usage else {}
    return made(requires_approval=requires_approval, model=context.model, **options)


def _ends_an_attempt(chunk: Chunk, interface: StreamingInterface) -> bool:
    """Whether a chunk belongs to the end of an answer that may be asked for again (defect D58)."""
    if chunk.kind not in {"error", "stop_reason"}:
        return False
    error = interface.outcome().error
    return error is not None and (error.retryable or error.kind == "context_overflow")


def _cut_short(outcome: Outcome) -> LLMError | None:
    """Return the error of a stream that ended as if nothing was wrong, but without its terminal."""
    if outcome.ending != "truncated" or outcome.error is None:
        return None
    return LLM_ERRORS[outcome.error.kind](outcome.error)
