"""Clients that start, read, cancel and abort in any order: every run ends once and is released."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from harness.errors import ConversationBusyError
from harness.streaming.serving.runs.statuses import StopReason
from tests.streaming.serving.service_env import CONVERSATION, Received, ServiceEnv, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

ENDINGS = st.sampled_from(["end_turn", "max_steps", ValueError("broken"), None])
SCRIPTS = st.tuples(st.integers(0, 4), ENDINGS)
CONVERSATIONS = st.sampled_from([CONVERSATION, "conv_2", None])
ANY: frozenset[StopReason] = frozenset(get_args(StopReason))


class Client:
    """One client, in a task of its own, that reads on request.

    Args:
        received: what it has received.
        frames: the run's frames.
        conversation: the conversation that its run holds.
    """

    def __init__(
        self, received: Received, frames: AsyncGenerator[bytes, None], conversation: str | None
    ) -> None:
        self.received, self.conversation, self.over = received, conversation, False
        self._frames = frames
        self._commands: asyncio.Queue[tuple[int, asyncio.Future[None]]] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())

    @property
    def may_hold(self) -> bool:
        """Whether its run may hold the conversation: it is free before the stop reason is sent."""
        return not self.over and "stop_reason" not in self.received.labels

    async def read(self, count: int) -> None:
        """Read so many frames."""
        await self._do(count)

    async def abort(self) -> None:
        """Close the frames."""
        await self._do(0)

    async def _do(self, count: int) -> None:
        if not self.over:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            await self._commands.put((count, done))
            await done

    async def _run(self) -> None:
        while not self.over:
            count, done = await self._commands.get()
            frames = [await anext(self._frames, None) for _ in range(count)]
            self.received.sent += filter(None, frames)
            self.over = not count or None in frames
            if not count:
                self.received.aborted = "done" not in self.received.labels
                await self._frames.aclose()
            done.set_result(None)


class Clients(RuleBasedStateMachine):
    """Independent clients of one service."""

    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.env = self.run(_new_env())
        self.all: list[Client] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @rule(target=clients, script=SCRIPTS, conversation=CONVERSATIONS)
    def start(self, script: tuple[int, Any], conversation: str | None) -> Any:
        count, ending = script
        items = [*(text(str(n)) for n in range(count)), *([] if ending is None else [ending])]
        busy = any(client.may_hold and client.conversation == conversation for client in self.all)
        try:
            self.all.append(self.run(self._start(items, conversation)))
        except ConversationBusyError:
            assert busy
            return multiple()
        assert conversation is None or not busy
        return self.all[-1]

    async def _start(self, items: list[Any], conversation: str | None) -> Client:
        request = self.env.request(conversation=conversation)
        _, frames = await self.env.scripted(items).stream(request)
        return Client(Received(request.run_id or ""), frames, conversation)

    @rule(client=clients, count=st.integers(1, 9))
    def read(self, client: Client, count: int) -> None:
        self.run(client.read(count))

    @rule(client=clients)
    def cancel(self, client: Client) -> None:
        self.env.registry.fire(client.received.run_id)

    @rule(client=consumes(clients))
    def abort(self, client: Client) -> None:
        self.run(client.abort())

    @invariant()
    def only_clients_read_the_provider(self) -> None:
        assert self.env.provider.faults == []
        assert self.env.provider.open <= sum(not client.over for client in self.all)

    def teardown(self) -> None:
        try:
            for client in self.all:
                self.run(client.abort())
            for client in self.all:
                assert self.run(self.env.violations(client.received, ANY)) == []
        finally:
            self.run(self.env.aclose())
            self.runner.close()


async def _new_env() -> ServiceEnv:
    return ServiceEnv()


TestClients = Clients.TestCase
TestClients.settings = settings(
    max_examples=30,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
