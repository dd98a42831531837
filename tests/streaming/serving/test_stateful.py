"""Any order of starting, reading, cancelling and leaving: every run ends once, and lets go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from harness.errors import ConversationBusyError
from harness.streaming.serving.runs.statuses import StopReason
from tests.streaming.serving.world import CONVERSATION, Heard, World, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

ENDINGS = st.sampled_from(["end_turn", "max_steps", ValueError("broken"), None])
SCRIPTS = st.tuples(st.integers(0, 4), ENDINGS)
CONVERSATIONS = st.sampled_from([CONVERSATION, "conv_2", None])
ANY: frozenset[StopReason] = frozenset(get_args(StopReason))


class Reading:
    """One client, in a task of its own: what it heard so far, and what it is told to do next.

    Args:
        heard: what it hears.
        frames: where from.
        conversation: what its run holds.
    """

    def __init__(
        self, heard: Heard, frames: AsyncGenerator[bytes, None], conversation: str | None
    ) -> None:
        self.heard, self.conversation, self.over = heard, conversation, False
        self._frames = frames
        self._told: asyncio.Queue[tuple[int, asyncio.Future[None]]] = asyncio.Queue()
        self._task = asyncio.create_task(self._live())

    @property
    def holds(self) -> bool:
        """Whether its run may still hold the conversation: it lets go before it says why."""
        return not self.over and "stop_reason" not in self.heard.labels

    async def tell(self, count: int) -> None:
        """Have it read so many frames; none means that it leaves."""
        if not self.over:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            await self._told.put((count, done))
            await done

    async def _live(self) -> None:
        while not self.over:
            count, done = await self._told.get()
            pieces = [await anext(self._frames, None) for _ in range(count)]
            self.heard.sent += filter(None, pieces)
            self.over = not count or None in pieces
            if not count:
                self.heard.left = "done" not in self.heard.labels
                await self._frames.aclose()
            done.set_result(None)


class Clients(RuleBasedStateMachine):
    """Clients of one service, each of whom does what it likes."""

    readings = Bundle("readings")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.world = self.loop.run(_made())
        self.all: list[Reading] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(work)

    @rule(target=readings, script=SCRIPTS, conversation=CONVERSATIONS)
    def start(self, script: tuple[int, Any], conversation: str | None) -> Any:
        count, ending = script
        items = [*(text(str(n)) for n in range(count)), *([] if ending is None else [ending])]
        busy = any(one.holds and one.conversation == conversation for one in self.all)
        try:
            self.all.append(self.do(self._start(items, conversation)))
        except ConversationBusyError:
            assert busy
            return multiple()
        assert conversation is None or not busy
        return self.all[-1]

    async def _start(self, items: list[Any], conversation: str | None) -> Reading:
        request = self.world.request(conversation=conversation)
        _, frames = await self.world.service(items).stream(request)
        return Reading(Heard(request.run_id or ""), frames, conversation)

    @rule(reading=readings, count=st.integers(1, 9))
    def read(self, reading: Reading, count: int) -> None:
        self.do(reading.tell(count))

    @rule(reading=readings)
    def cancel(self, reading: Reading) -> None:
        self.world.registry.fire(reading.heard.run_id)

    @rule(reading=consumes(readings))
    def leave(self, reading: Reading) -> None:
        self.do(reading.tell(0))

    @invariant()
    def nobody_else_reads_the_provider(self) -> None:
        assert self.world.provider.faults == []
        assert self.world.provider.open <= sum(not one.over for one in self.all)

    def teardown(self) -> None:
        try:
            for reading in self.all:
                self.do(reading.tell(0))
            for reading in self.all:
                assert self.do(self.world.complaints(reading.heard, ANY)) == []
        finally:
            self.do(self.world.aclose())
            self.loop.close()


async def _made() -> World:
    return World()


TestClients = Clients.TestCase
TestClients.settings = settings(
    max_examples=30,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
