"""One story told through the whole stack, again and again.

The provider speaks in memory to the real SDK; above it are interface and adapter, an agent that
runs its calls and asks again, the service with runs, conversation lock, registry and keepalive,
and a client. All of it lives on a loop of our own clockwork, so a second of silence costs nothing,
and step 57 is the same step each time.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from harness.engine.stack.agent import Asking
from harness.engine.stack.captured_warnings import captured_warnings
from harness.engine.stack.stack_run import Parts, StackRun
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

    from harness.checks.runs import SeenRun
    from harness.engine.stack.stack_run import Abort
    from harness.scenarios import Scenario
    from harness.targets.layers import Layers

PACE_S = 1.0  # virtual seconds between two reads, so that every read is a silence to be left in
PING_S = 1.5  # of silence until a ping: two reads without a word
PATIENCE_S = 4.0  # of silence until the SDK gives up, whatever the story says of real seconds
_MEMORY = "sqlite:///:memory:"  # and on a virtual loop without its thread


class Stack:
    """The stack under one story; a context manager.

    Args:
        layers: whose layers.
        scenario: what is asked and answered; an answer that calls tools is followed by another.
        keepalive: whether the service sends pings, for which it needs a task of its own.
    """

    def __init__(self, layers: Layers, scenario: Scenario, *, keepalive: bool) -> None:
        stage, script = ResponseRegistry(), scenario.script()._replace(pace=PACE_S)
        self._parts = Parts(
            layers,
            Asking(
                scenario.protocol,
                scenario.ask(),
                PATIENCE_S,
                (script, _second(scenario.protocol)),
            ),
            PING_S if keepalive else None,
            stage,
            SdkClients(memory_transport(stage)),
            make_runs(_MEMORY),
            open_database(_MEMORY, SCHEMA),
        )
        self._numbers = count(1)

    def __enter__(self) -> Self:
        """Return the stack; everything in it is opened when it is first needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give back what was opened."""
        for opened in (self._parts.clients, self._parts.runs, self._parts.locks):
            run(opened.aclose())

    def play(self, leave: Abort | None = None) -> tuple[SeenRun, int]:
        """Tell the story once; return what was seen of it, and the steps it took.

        Args:
            leave: how and where its client leaves, None for one that reads to the end.
        """
        with captured_warnings() as heard:
            telling = StackRun(self._parts, leave, f"run-{next(self._numbers)}", heard)
            return telling.seen(), telling.steps


def _second(protocol_name: str) -> Script:
    """Return what the provider answers when it is asked again."""
    made = protocol(protocol_name)
    events = made.encode(Message(), IN_ORDER)
    return Script(tuple(map(made.frame, events)), pace=PACE_S)
