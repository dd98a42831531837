"""The contract between the service and an agent loop, which is the product's own.

A loop is one asynchronous generator per run. It yields every chunk of every step as ``AgentChunk``
and then one stop reason. The service reads nothing after the stop reason, so work that must be done
before the run counts as ended comes before it. The loop raises what went wrong: ``LLMError`` is the
model's fault, any other exception is an internal error.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.streaming.serving.runs.statuses import StopReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model import JSON, Chunk, Outcome
    from harness.streaming.adapter import StepContext, StreamAdapter
    from harness.streaming.cancellation import CancelSignal
    from harness.streaming.serving.runs.store import Run


class AgentChunk(NamedTuple):
    """A chunk as the adapter yielded it, with the message and the step it belongs to.

    Chunks that are not part of a message are expected too: the service reads usage and finish
    reason from them.
    """

    chunk: Chunk
    message_id: str
    step_id: str


@dataclass(frozen=True)
class AgentRequest:
    """What the service passes to a loop.

    Args:
        run: the run, None where runs are not tracked.
        cancel: fired when the run is cancelled. The service stops the loop by itself, wherever it
            waits; the signal is for threads and tasks that the loop starts.
        record_usage: called with a step id and its outcome when the step is over. An aborted step
            yields no further chunk that could carry its usage (catalogue CA-021). ``run_step``
            calls it.
    """

    run: Run | None
    cancel: CancelSignal
    record_usage: Callable[[str, Outcome], None]


Agent: TypeAlias = Callable[[AgentRequest], AsyncGenerator[AgentChunk | StopReason, None]]


async def run_step(
    work: AgentRequest,
    adapter: StreamAdapter,
    context: StepContext,
    request: Mapping[str, JSON],
    *,
    message_id: str,
    requires_approval: Iterable[str] = (),
) -> AsyncGenerator[AgentChunk, None]:
    """Run one step and yield its chunks; afterwards ``adapter.result`` is its result.

    The usage of the step is recorded on every path, also when the step is aborted.

    Args:
        work: the request of the run that the step belongs to.
        adapter: sends the request to the provider.
        context: the provider and the ids of the step; its step id must not be None.
        request: the request in the form of the provider's SDK.
        message_id: the id of the message that the model writes.
        requires_approval: names of tools whose calls become approval requests.

    Raises:
        LLMError: the provider failed; the class says how.
    """
    step_id = context.step_id or message_id
    chunks = adapter.stream(context, request, work.cancel, requires_approval=requires_approval)
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield AgentChunk(chunk, message_id, step_id)
    finally:
        if adapter.result is not None:
            work.record_usage(step_id, adapter.result.outcome)
