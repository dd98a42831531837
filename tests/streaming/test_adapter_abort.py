"""Aborted steps: the ways to abort of aborting.py, through the adapter (A11, D56, D71, D72).

The interfaces are aborted at every event; here some events are enough.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest

from harness.protocols import NAMES
from harness.streaming.adapter import StreamAdapter
from harness.streaming.cancellation import CancelSignal
from harness.streaming.error_mapping import llm_error
from harness.streaming.tracing.manager import TraceManager
from tests.streaming.aborting import (
    AT_CHUNK,
    WHILE_SILENT,
    AbortResult,
    Consumer,
    abort_at_chunk,
    abort_while_silent,
    closed_by,
    faults,
    frames,
    silent_after,
    tasks_left,
    watching_generators,
)
from tests.streaming.adapter_env import AdapterEnv

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from harness.model import Chunk
    from harness.streaming.tracing.trace import ProviderTrace
    from tests.streaming.aborting import Act

    Silent: TypeAlias = Callable[[], bool]


@pytest.fixture
async def env() -> AsyncIterator[AdapterEnv]:
    made = AdapterEnv()
    yield made
    await made.aclose()


class Step(NamedTuple):
    """An aborted step and its traces."""

    result: AbortResult
    traces: list[ProviderTrace]


async def left_step(
    env: AdapterEnv,
    name: str,
    events: int,
    run: Callable[[Consumer, Callable[[], bool]], Awaitable[None]],
) -> Step:
    script = silent_after(name, events)
    env.respond_with(script)
    key, size, before, signal = env.key, len(script.body), asyncio.all_tasks(), CancelSignal()

    def silent() -> bool:
        exchanges = env.registry.exchanges(key)
        return bool(exchanges) and exchanges[-1].bytes_sent == size

    consumer = Consumer(env.stream(name, signal), signal)
    await run(consumer, silent)
    seen = await closed_by(env.registry, key)
    await env.adapter.flush()
    step = env.adapter.result
    assert step is not None
    assert step.error is None
    traces, env.backend.traces = env.backend.traces, []
    result = AbortResult(
        got=consumer.got,
        late=consumer.late,
        raised=consumer.raised,
        outcome=step.outcome,
        flag=step.outcome.finish == "cancelled",
        events=0,  # the interface's tests count them
        sent=events,
        closed_by=seen,
        tasks=await tasks_left(before),
    )
    return Step(result, traces)


def faults_of(step: Step, raises: type[BaseException] | None, *, signalled: bool) -> list[str]:
    """Return what is wrong with an aborted step: as for an interface, and with its trace."""
    found = faults(step.result, raises, signalled=signalled)
    if len(step.traces) != 1:
        return [*found, f"{len(step.traces)} traces"]
    trace = step.traces[0]
    if trace.outcome != step.result.outcome or trace.error is not None or not trace.latency_s:
        found.append(f"the trace has {trace.error}, {trace.outcome}")
    return found


@pytest.mark.parametrize("way", WHILE_SILENT)
@pytest.mark.parametrize("name", NAMES)
async def test_a_step_aborted_while_the_provider_is_silent(
    name: str, way: str, env: AdapterEnv
) -> None:
    act, raises = WHILE_SILENT[way]
    found = {}
    with watching_generators() as abandoned:
        for events in range(0, len(frames(name)), 3):
            step = await left_step(
                env,
                name,
                events,
                lambda consumer, silent: abort_while_silent(consumer, act, silent),
            )
            found[events] = faults_of(step, raises, signalled=raises is None)
    assert {events: broken for events, broken in found.items() if broken} == {}
    assert abandoned == []


async def _leave_at(act: Act, number: int, consumer: Consumer, _: Silent) -> None:
    await abort_at_chunk(consumer, act, number)


@pytest.mark.parametrize("way", AT_CHUNK)
@pytest.mark.parametrize("name", NAMES)
async def test_a_step_aborted_at_a_chunk(name: str, way: str, env: AdapterEnv) -> None:
    act, raises = AT_CHUNK[way]
    found = {}
    with watching_generators() as abandoned:
        for number in (1, 3, 5):
            step = await left_step(
                env,
                name,
                len(frames(name)) - 1,
                partial(_leave_at, act, number),
            )
            found[number] = faults_of(step, raises, signalled=way == "signal")
    assert {number: broken for number, broken in found.items() if broken} == {}
    assert abandoned == []


class Relabels(StreamAdapter):
    """Defect D56: an abort raises an error."""

    async def stream(self, *arguments: Any, **more: Any) -> AsyncGenerator[Chunk, None]:
        """Turn every exit into an error."""
        async with aclosing(super().stream(*arguments, **more)) as chunks:
            try:
                async for chunk in chunks:
                    yield chunk
            except BaseException as error:
                raise llm_error(RuntimeError("Unhandled LLM error")) from error


async def test_a_relabelled_abort_is_found(env: AdapterEnv) -> None:
    env.adapter = Relabels(env.open, TraceManager([env.backend]))
    act, raises = AT_CHUNK["throw"]
    step = await left_step(env, "anthropic_messages", 6, partial(_leave_at, act, 2))
    assert [
        fault for fault in faults_of(step, raises, signalled=False) if "LLMUnknownError" in fault
    ]
