"""The full stack under one scenario, run again and again.

The mock provider answers the real SDK in memory; above it are interface and adapter, an agent that
runs its calls and asks again, the service with runs, conversation lock, cancellation registry and
keepalive, and a client. All of it runs on an event loop with virtual time, so a second of silence
costs nothing, and step 57 is the same step each time.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from harness.aborting.full_stack.agent import AgentPlan
from harness.aborting.full_stack.stack_run import Parts, StackRun, captured_warnings
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import memory_transport
from harness.protocols import protocol
from harness.protocols.message import IN_ORDER, Message
from harness.sdks.clients import SdkClients
from harness.simulation.loop import run
from harness.streaming.databases.database import open_database
from harness.streaming.serving.runs.lock import SCHEMA
from harness.streaming.serving.runs.store import make_runs
from harness.wire.script import Script

if TYPE_CHECKING:
    from typing import Self

    from harness.aborting.full_stack.stack_run import Abort
    from harness.aborting.seen_run import RunSeen
    from harness.scenarios import Scenario
    from harness.targets.layers import Layers

PACE_S = 1.0  # virtual seconds between two reads, so that a run can be aborted between any two
PING_S = 1.5  # of silence until a ping: two reads without an event
PATIENCE_S = 4.0  # of silence until the SDK gives up, whatever the scenario asks in real seconds
_MEMORY = "sqlite:///:memory:"  # and on a virtual loop without its thread


class Stack:
    """The full stack under one scenario; a context manager.

    Args:
        layers: the target's layers.
        scenario: what is requested and answered; an answer that calls tools is followed by another.
        keepalive: whether the service sends pings, for which it needs a task of its own.
    """

    def __init__(self, layers: Layers, scenario: Scenario, *, keepalive: bool) -> None:
        registry, script = ResponseRegistry(), scenario.script()._replace(pace=PACE_S)
        self._parts = Parts(
            layers,
            AgentPlan(
                scenario.protocol,
                scenario.call_arguments(),
                PATIENCE_S,
                (script, _second(scenario.protocol)),
            ),
            PING_S if keepalive else None,
            registry,
            SdkClients(memory_transport(registry)),
            make_runs(_MEMORY),
            open_database(_MEMORY, SCHEMA),
        )
        self._numbers = count(1)

    def __enter__(self) -> Self:
        """Return the stack; everything in it is opened when it is first needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        for opened in (self._parts.clients, self._parts.runs, self._parts.locks):
            run(opened.aclose())

    def run(self, abort: Abort | None = None) -> tuple[RunSeen, int]:
        """Run the scenario once; return what was observed, and the steps the event loop took.

        Args:
            abort: how and where the run is aborted, None for a client that reads to the end.
        """
        with captured_warnings() as warnings:
            one = StackRun(self._parts, abort, f"run-{next(self._numbers)}", warnings)
            return one.seen(), one.steps


def _second(protocol_name: str) -> Script:
    """Return what the provider answers to the second request."""
    made = protocol(protocol_name)
    events = made.encode(Message(), IN_ORDER)
    return Script(tuple(map(made.frame, events)), pace=PACE_S)
