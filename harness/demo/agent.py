"""The agent of the demonstration: asks one model after the other, and runs no tools.

Rules of this file: what it is to do stands in the run's metadata, so that whoever reads the run
knows; calls that nobody here executes wait for whoever asked, and so does the conversation.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import InputError
from harness.sdks import open_stream
from harness.streaming.adapter import StepContext, StreamAdapter
from harness.streaming.continuation import continuation
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
WAITS: StopReason = "requires_approval"  # also of calls that nobody has to approve, but to execute


class Plan(NamedTuple):
    """What a run is to do.

    Args:
        models: the models to ask, the next one where the last one called a tool.
        pace: seconds between two events of the provider, 0 for each scenario's own.
        approve: tools that need a person's word.
        conversation: what it works on, None where nothing is shared.
    """

    models: tuple[str, ...]
    pace: float = 0.0
    approve: tuple[str, ...] = ()
    conversation: str | None = None

    def metadata(self) -> dict[str, JSON]:
        """Return what the run keeps of it."""
        kept: dict[str, JSON] = {"models": list(self.models), "approve": list(self.approve)}
        return {**kept, "pace": self.pace, "conversation": self.conversation}

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Plan:
        """Return the plan a run was created with."""
        models, approve = tuple(metadata["models"]), tuple(metadata["approve"])
        return cls(models, metadata["pace"], approve, metadata["conversation"])


class Agent:
    """Takes the steps of every run.

    Args:
        models: what can be asked.
        clients: the SDKs' clients, shared by all runs.
        provider_url: where the provider listens.
        traces: where the trace of each step goes.

    ``pending`` holds the conversations whose calls wait for a person's word.
    """

    def __init__(self, models: Models, clients: SdkClients, provider_url: str, traces: Traces):
        self._models, self._clients, self._traces = models, clients, traces
        self._provider_url = provider_url
        self._flushing: set[asyncio.Task[None]] = set()
        self.pending: set[str] = set()

    async def run(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        """Do what a run's metadata says."""
        assert work.run is not None  # noqa: S101 - the demonstration tracks its runs
        plan = Plan.of(work.run.metadata)
        reason: StopReason | None = None
        for number, name in enumerate(plan.models, 1):
            model = self._models.named(name)
            with self._asking(model, plan.pace) as adapter:
                context = _context(work.run.id, number, model)
                async with aclosing(_step(work, adapter, context, model, plan)) as items:
                    async for said in items:
                        yield said
            assert adapter.step is not None  # noqa: S101 - it has just been taken
            reason = continuation(adapter.step.outcome).stop_reason
            if reason is not None:
                break
        reason = reason or WAITS
        if reason == WAITS and plan.conversation is not None:
            self.pending.add(plan.conversation)
        yield reason

    async def rehearse(self) -> None:
        """Ask for every story once: SDKs import much when first asked, and clients would wait.

        Raises:
            InputError: an SDK is not installed.
        """
        for name in self._models.stories:
            model = self._models.named(name)
            with self._models.speaking(model, 0) as key:
                call = Call(model.protocol, f"{self._provider_url}/{key}", model.request)
                try:
                    stream = await open_stream(self._clients, call)
                except ModuleNotFoundError as error:
                    words = f"{name} needs {error.name}: pip install 'llm-stream-harness[sdks]'"
                    raise InputError(words) from None
                async for _ in stream:
                    pass

    @contextmanager
    def _asking(self, model: Model, pace: float) -> Iterator[StreamAdapter]:
        """Have a model speak while the block runs; yields what asks it."""
        with self._models.speaking(model, pace) as key:
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
        """Hold an adapter until its trace is written; the run does not wait for it."""
        task = asyncio.create_task(adapter.flush(), name="flush")
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def aclose(self) -> None:
        """Wait for the traces that are still being written."""
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
