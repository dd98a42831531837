"""A step that is left: the ways of leaving.py through the adapter (A11, D56, D71, D72).

The interfaces are left at every event; here it is enough to leave at some.
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
    AT_A_CHUNK,
    WAITING,
    Leaving,
    Left,
    closed_by,
    faults,
    frames,
    leave_at_a_chunk,
    leave_waiting,
    silent_after,
    tasks_since,
    watching_generators,
)
from tests.streaming.product import Product

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from harness.model import Chunk
    from harness.streaming.tracing.trace import ProviderTrace
    from tests.streaming.aborting import Act

    Silent: TypeAlias = Callable[[], bool]


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    made = Product()
    yield made
    await made.aclose()


class Step(NamedTuple):
    """A step that was left, and its traces."""

    left: Left
    traces: list[ProviderTrace]


async def left_step(
    product: Product,
    name: str,
    events: int,
    run: Callable[[Leaving, Callable[[], bool]], Awaitable[None]],
) -> Step:
    script = silent_after(name, events)
    product.speak(script)
    key, size, before, signal = product.key, len(script.body), asyncio.all_tasks(), CancelSignal()

    def silent() -> bool:
        exchanges = product.stage.exchanges(key)
        return bool(exchanges) and exchanges[-1].bytes_sent == size

    leaving = Leaving(product.stream(name, signal), signal)
    await run(leaving, silent)
    seen = await closed_by(product.stage, key)
    await product.adapter.flush()
    step = product.adapter.result
    assert step is not None
    assert step.error is None
    traces, product.kept.traces = product.kept.traces, []
    left = Left(
        got=leaving.got,
        late=leaving.late,
        raised=leaving.raised,
        outcome=step.outcome,
        flag=step.outcome.finish == "cancelled",
        events=0,  # the interface's tests count them
        sent=events,
        closed_by=seen,
        tasks=await tasks_since(before),
    )
    return Step(left, traces)


def faults_of(step: Step, raises: type[BaseException] | None, *, told: bool) -> list[str]:
    """Judge a step that was left: as an interface is judged, and by its trace."""
    found = faults(step.left, raises, told=told)
    if len(step.traces) != 1:
        return [*found, f"{len(step.traces)} traces"]
    trace = step.traces[0]
    if trace.outcome != step.left.outcome or trace.error is not None or not trace.latency_s:
        found.append(f"the trace says {trace.error}, {trace.outcome}")
    return found


@pytest.mark.parametrize("way", WAITING)
@pytest.mark.parametrize("name", NAMES)
async def test_a_step_aborted_while_the_provider_is_silent(
    name: str, way: str, product: Product
) -> None:
    act, raises = WAITING[way]
    found = {}
    with watching_generators() as abandoned:
        for events in range(0, len(frames(name)), 3):
            step = await left_step(
                product, name, events, lambda leaving, silent: leave_waiting(leaving, act, silent)
            )
            found[events] = faults_of(step, raises, told=raises is None)
    assert {events: broken for events, broken in found.items() if broken} == {}
    assert abandoned == []


async def _leave_at(act: Act, number: int, leaving: Leaving, _: Silent) -> None:
    await leave_at_a_chunk(leaving, act, number)


@pytest.mark.parametrize("way", AT_A_CHUNK)
@pytest.mark.parametrize("name", NAMES)
async def test_a_step_aborted_at_a_chunk(name: str, way: str, product: Product) -> None:
    act, raises = AT_A_CHUNK[way]
    found = {}
    with watching_generators() as abandoned:
        for number in (1, 3, 5):
            step = await left_step(
                product,
                name,
                len(frames(name)) - 1,
                partial(_leave_at, act, number),
            )
            found[number] = faults_of(step, raises, told=way == "signal")
    assert {number: broken for number, broken in found.items() if broken} == {}
    assert abandoned == []


class Relabels(StreamAdapter):
    """Defect D56: whoever leaves is told of an error."""

    async def stream(self, *arguments: Any, **more: Any) -> AsyncGenerator[Chunk, None]:
        """Turn every way out into a failure."""
        async with aclosing(super().stream(*arguments, **more)) as chunks:
            try:
                async for chunk in chunks:
                    yield chunk
            except BaseException as error:
                raise llm_error(RuntimeError("Unhandled LLM error")) from error


async def test_the_sin_of_relabelling_is_found(product: Product) -> None:
    product.adapter = Relabels(product.open, TraceManager([product.kept]))
    act, raises = AT_A_CHUNK["throw"]
    step = await left_step(product, "anthropic_messages", 6, partial(_leave_at, act, 2))
    assert [fault for fault in faults_of(step, raises, told=False) if "LLMUnknownError" in fault]
