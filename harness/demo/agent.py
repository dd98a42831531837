"""The agent of the demonstration: calls one model after the other, and runs no tools.

Rules of this file: the plan of a run is stored in its metadata, so that it can be read there; tool
calls are not executed here, so they and the conversation wait for the client.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import InputError
from harness.sdks import open_stream
from harness.streaming.adapter import StepContext, StreamAdapter
from harness.streaming.continuation import stop_reason_after
from harness.streaming.providers import protocol_of
from harness.streaming.serving.agent import run_step
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from harness.demo.models import Model, Models
    from harness.model import JSON
    from harness.sdks.clients import SdkClients
    from harness.streaming.adapter import Traces
    from harness.streaming.serving import AgentChunk, AgentRequest
    from harness.streaming.serving.runs.statuses import StopReason

NAME = "demo"
WAITING: StopReason = "requires_approval"  # also for calls that need no approval: none is executed


class Plan(NamedTuple):
    """The plan of a run.

    Args:
        models: the models to call, the next one after a tool call of the previous one.
        pace: seconds between two events of the provider, 0 for the pace of the scenario.
        approve: tools whose calls need approval.
        conversation: the conversation it works on, None if it shares nothing.
    """

    models: tuple[str, ...]
    pace: float = 0.0
    approve: tuple[str, ...] = ()
    conversation: str | None = None

    def metadata(self) -> dict[str, JSON]:
        """Return what is stored with the run."""
        tools: dict[str, JSON] = {"models": list(self.models), "approve": list(self.approve)}
        return {**tools, "pace": self.pace, "conversation": self.conversation}

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Plan:
        """Return the plan that a run was created with."""
        models, approve = tuple(metadata["models"]), tuple(metadata["approve"])
        return cls(models, metadata["pace"], approve, metadata["conversation"])


class Agent:
    """Runs the steps of every run.

    Args:
        models: the available models.
        clients: the clients of the SDKs, shared by all runs.
        provider_url: the URL of the loopback provider.
        traces: the trace backends of all steps.

    ``pending`` has the conversations whose tool calls wait for the client.
    """

    def __init__(self, models: Models, clients: SdkClients, provider_url: str, traces: Traces):
        self._models, self._clients, self._traces = models, clients, traces
        self._provider_url = provider_url
        self._flushing: set[asyncio.Task[None]] = set()
        self.pending: set[str] = set()

    async def run(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        """Execute the plan in a run's metadata."""
        assert work.run is not None  # noqa: S101 - the demonstration tracks its runs
        plan = Plan.of(work.run.metadata)
        reason: StopReason | None = None
        for number, name in enumerate(plan.models, 1):
            model = self._models.named(name)
            with self._adapter(model, plan.pace) as adapter:
                context = _context(work.run.id, number, model)
                async with aclosing(_step(work, adapter, context, model, plan)) as items:
                    async for item in items:
                        yield item
            assert adapter.result is not None  # noqa: S101 - the step has just run
            reason = stop_reason_after(adapter.result.outcome)
            if reason is not None:
                break
        reason = reason or WAITING
        if reason == WAITING and plan.conversation is not None:
            self.pending.add(plan.conversation)
        yield reason

    async def warm_up(self) -> None:
        """Call every demo model once, as the first call of an SDK takes long: it imports much.

        Raises:
            InputError: an SDK is not installed.
        """
        for name in self._models.demo_names:
            model = self._models.named(name)
            with self._models.responding(model, 0) as key:
                call = Call(model.protocol, f"{self._provider_url}/{key}", model.request)
                try:
                    stream = await open_stream(self._clients, call)
                except ModuleNotFoundError as error:
                    message = f"{name} needs {error.name}: pip install 'llm-stream-harness[sdks]'"
                    raise InputError(message) from None
                async for _ in stream:
                    pass

    @contextmanager
    def _adapter(self, model: Model, pace: float) -> Iterator[StreamAdapter]:
        """Make a model respond while the block runs; yield an adapter that calls it."""
        with self._models.responding(model, pace) as key:
            adapter = StreamAdapter(self._opener(key), self._traces)
            try:
                yield adapter
            finally:
                self._flush(adapter)

    def _opener(self, key: str) -> Any:
        async def opened(provider: str, request: Mapping[str, JSON]) -> Any:
            protocol = protocol_of(provider, request)
            return await open_stream(
                self._clients, Call(protocol, f"{self._provider_url}/{key}", request)
            )

        return opened

    def _flush(self, adapter: StreamAdapter) -> None:
        """Keep an adapter until its trace is written; the run does not wait for it."""
        task = asyncio.create_task(adapter.flush(), name="flush")
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def aclose(self) -> None:
        """Wait until all traces are written."""
        while self._flushing:
            await asyncio.wait(self._flushing)


def _context(run_id: str, number: int, model: Model) -> StepContext:
    return StepContext(
        run_id=run_id,
        step_id=step_id(run_id, number),
        agent_id=NAME,
        org_id=None,
        user_id=None,
        call_type="agent_step",
        provider=model.provider,
        model=model.name,
    )


def _step(
    work: AgentRequest, adapter: StreamAdapter, context: StepContext, model: Model, plan: Plan
) -> AsyncGenerator[AgentChunk, None]:
    message_id = f"{context.step_id}/message"
    approve = plan.approve
    return run_step(
        work, adapter, context, model.request, message_id=message_id, requires_approval=approve
    )


def step_id(run_id: str, number: int) -> str:
    """Return the id of a run's step, counted from 1."""
    return f"{run_id}/{number}"
