"""One step of an agent: a request to any provider becomes chunks, an outcome and a trace.

Rules of this file: a chunk is yielded as soon as it arrives; a provider's error is raised once, as
a member of the ``LLMError`` family, and what the consumer does (close, throw, cancel) passes
through unchanged; the chunks that end a failed answer are withheld where a retry may follow, so
that the consumer sees one end only; a step keeps no state for the next; every step writes one
trace, however it ended.
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
    """Stores traces; ``harness.streaming.tracing.manager.TraceManager`` is one."""

    async def create(self, trace: ProviderTrace) -> object:
        """Store one trace."""


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """The run a step belongs to, and the model it calls.

    Args:
        run_id, step_id, agent_id, org_id, user_id: the owner of the step.
        call_type: its purpose, e.g. ``agent_step`` or ``summarization``.
        provider: a name in ``harness.streaming.providers.PROVIDERS``.
        model: the model to call.
        tags: free labels.
    """

    run_id: str | None = None
    step_id: str | None = None
    agent_id: str | None = None
    org_id: str | None = None
    user_id: str | None = None
    call_type: str = "agent_step"
    provider: str
    model: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepResult:
    """The result of a step.

    Args:
        outcome: everything that was delivered.
        error: the provider's error that was raised, if any.
        latency_s: seconds from the request to the end.
        first_chunk_s: seconds from the request to the first chunk, None where none came.
    """

    outcome: Outcome
    error: LLMError | None
    latency_s: float
    first_chunk_s: float | None


class StreamAdapter:
    """Calls providers, one step at a time.

    Args:
        opener: (provider, request) -> an awaitable of the SDK's stream; it uses the product's own
            SDK clients.
        traces: stores the traces, None for none. They are written in the background; ``flush``
            waits for them.
        clock: seconds, monotonic.

    ``result`` is the result of the last step; None before the first and while one runs.
    """

    def __init__(
        self,
        opener: Opener,
        traces: Traces | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opener, self._traces, self._clock = opener, traces, clock
        self._writing: set[asyncio.Task[object]] = set()  # the loop holds them weakly
        self.result: StepResult | None = None

    async def stream(
        self,
        context: StepContext,
        request: Mapping[str, JSON],
        cancel: CancelSignal | None = None,
        *,
        requires_approval: Iterable[str] = (),
    ) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield the chunks of the answer; ``result`` is set at the end.

        Args:
            context: the run the step belongs to, and the model it calls.
            request: the arguments of the provider's SDK.
            cancel: when it is fired, the step ends with a ``stop_reason`` chunk.
            requires_approval: names of tools whose calls become approval requests.

        Raises:
            UnknownWordError: there is no such provider.
            LLMError: the provider failed; the class of the error names the kind.
        """
        self.result = None
        interface = _interface(context, request, requires_approval)
        started, first, error = self._clock(), None, None
        try:
            opening = self._open(context.provider, request)
            async with aclosing(interface.chunks(opening, cancel)) as chunks:
                withheld = False
                while True:
                    try:
                        chunk = await anext(chunks)
                    except StopAsyncIteration:
                        break
                    except Exception as failure:  # noqa: BLE001 - mapped, and raised below
                        error = llm_error(failure)
                        break
                    withheld = withheld or _ends_attempt(chunk, interface)
                    if withheld:
                        continue
                    if first is None:
                        first = self._clock()
                    yield chunk
            error = error or _truncation_error(interface.outcome())
        finally:
            self.result = StepResult(
                outcome=interface.outcome(),
                error=error,
                latency_s=self._clock() - started,
                first_chunk_s=None if first is None else first - started,
            )
            self._trace(context, request, interface.protocol, self.result)
        if error is not None:
            raise error

    async def flush(self) -> None:
        """Wait for the traces that are still being written."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def _open(self, provider: str, request: Mapping[str, JSON]) -> AsyncIterable[Any]:
        return await self._opener(provider, request)

    def _trace(
        self, context: StepContext, request: Mapping[str, JSON], protocol: str, result: StepResult
    ) -> None:
        """Start a task that writes the trace of a step."""
        if self._traces is not None:
            writing = asyncio.create_task(
                _write(self._traces, context, request, protocol, result), name="trace"
            )
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)


async def _write(
    traces: Traces,
    context: StepContext,
    request: Mapping[str, JSON],
    protocol: str,
    result: StepResult,
) -> None:
    """Write a trace; a failure is logged and does not affect the step."""
    try:
        trace = ProviderTrace(
            **asdict(context),
            protocol=protocol,
            request=request,
            outcome=result.outcome,
            error=None if result.error is None else result.error.info,
            latency_s=result.latency_s,
            first_chunk_s=result.first_chunk_s,
        )
        await traces.create(trace)
    except Exception:  # noqa: BLE001 - any failure of a trace is only logged
        _log.exception("step %s: its trace is lost", context.step_id)


def _interface(
    context: StepContext, request: Mapping[str, JSON], requires_approval: Iterable[str]
) -> StreamingInterface:
    provider = provider_named(context.provider)
    interface = interface_for(protocol_of(context.provider, request))
    options = {"estimate": estimate_tokens} if provider.may_omit_usage else {}
    return interface(requires_approval=requires_approval, model=context.model, **options)


def _ends_attempt(chunk: Chunk, interface: StreamingInterface) -> bool:
    """Whether a chunk belongs to the end of an answer that may be retried (defect D58)."""
    if chunk.kind not in {"error", "stop_reason"}:
        return False
    error = interface.error
    return error is not None and (error.retryable or error.kind == "context_overflow")


def _truncation_error(outcome: Outcome) -> LLMError | None:
    """Return the error of a stream that ended cleanly, but without its terminal event."""
    if outcome.ending != "truncated" or outcome.error is None:
        return None
    return LLM_ERRORS[outcome.error.kind](outcome.error)
