"""One step of an agent as the service wants to hear of it.

Rule of this file: what a step used is told on every path, also to a run that was cancelled.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from harness.streaming.serving.agent import AgentChunk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from harness.model import JSON
    from harness.streaming.adapter import StepContext, StreamAdapter
    from harness.streaming.serving.agent import AgentRequest


async def taken(
    work: AgentRequest,
    adapter: StreamAdapter,
    context: StepContext,
    request: Mapping[str, JSON],
    *,
    message_id: str,
    requires_approval: Iterable[str] = (),
) -> AsyncGenerator[AgentChunk, None]:
    """Take a step and yield what is said in it; afterwards ``adapter.step`` says what came of it.

    Args:
        work: whose step it is; it is told what the step used, also where the step is left.
        adapter: asks the provider.
        context: whom it asks; its step id must not be None.
        request: what is asked, in the words of the provider's SDK.
        message_id: the message the model writes.
        requires_approval: names of tools whose calls become approval requests.

    Raises:
        LLMError: the provider failed; its class says how.
    """
    step_id = context.step_id or message_id
    chunks = adapter.stream(context, request, work.cancel, requires_approval=requires_approval)
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield AgentChunk(chunk, message_id, step_id)
    finally:
        if adapter.step is not None:
            work.account(step_id, adapter.step.outcome)
