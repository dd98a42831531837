"""Runs in the background, in any order of talking, cancelling, leaving and coming back.

Real databases, a real Redis, and a second process' part that knows of the runs only through it.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from harness.errors import ConversationBusyError
from harness.streaming.cancellation import CancellationRegistry
from harness.streaming.serving import BackgroundRuns
from harness.streaming.serving.client_events import ClientEventReader, client_event_violations
from tests.streaming.databases.conftest import dsn, postgres
from tests.streaming.serving.background.runs import PREFIX, drained, eventually, new_id, tuned
from tests.streaming.serving.test_background_runs import listening
from tests.streaming.serving.world import Heard, World, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from harness.streaming.serving import AgentChunk, AgentRequest
    from harness.streaming.serving.runs.statuses import StopReason

__all__ = ["dsn", "postgres"]
ENDINGS: dict[str, Any] = {"end_turn": "end_turn", "max_steps": "max_steps", "error": ValueError()}
QUICK = settings(
    max_examples=25,
    phases=[Phase.generate],  # a failure waits in vain for seconds: shrinking it would take hours
    report_multiple_bugs=False,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass
class Talk:
    """One run as it should be: what its model said, and the reasons it may have ended by."""

    run_id: str
    conversation: str
    said: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    words: int = 0
    reasons: set[StopReason] = field(default_factory=set)
    left: bool = False  # by the client it lived by, so that nobody wrote down its end

    @property
    def over(self) -> bool:
        return bool(self.reasons)


class Reader:
    """Somebody who reads a run behind some frame, in a task of its own.

    Args:
        talk: the run.
        after: the number of the last frame it has.
        frames: what comes.
        own: whether the run lives by this client.
    """

    def __init__(
        self, talk: Talk, after: int, frames: AsyncGenerator[bytes, None], *, own: bool = False
    ) -> None:
        self.talk, self.after, self.own = talk, after, own
        self.sent: list[bytes] = []
        self.task = asyncio.create_task(self._read(frames))

    async def _read(self, frames: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(frames):
            async for frame in frames:
                self.sent.append(frame)

    @property
    def last(self) -> int:
        """The number of the last frame it has."""
        reader = ClientEventReader()
        seen = [frame.seq_id for piece in self.sent for frame in reader.feed(piece)]
        return max((number for number in seen if number is not None), default=self.after)

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


class Product:
    """The service, its background, and another process that shares only the Redis.

    Args:
        dsn: the database of runs and locks.
    """

    def __init__(self, dsn: str) -> None:
        self.world, self._stack = World(dsn), AsyncExitStack()
        self.talks: dict[str, Talk] = {}

    async def open(self) -> None:
        enter, prefix = self._stack.enter_async_context, f"{PREFIX}:{new_id()}"
        here, there = await enter(tuned(prefix=prefix)), await enter(tuned(prefix=prefix))
        service = self.world.serving(self._agent)
        elsewhere = self.world.serving(self._agent, registry=CancellationRegistry())
        self.kept = await enter(BackgroundRuns(service, here))
        self.other = await enter(BackgroundRuns(elsewhere, there))
        await eventually(partial(listening, here._client, here, 2))

    async def close(self) -> None:
        await self._stack.aclose()

    async def _agent(self, work: AgentRequest) -> AsyncGenerator[AgentChunk | StopReason, None]:
        assert work.run is not None
        said, reader = self.talks[work.run.id].said, asyncio.current_task()
        self.world.provider.open += 1
        try:
            while True:
                item = await said.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.world.provider.open -= 1
            assert asyncio.current_task() is reader

    async def start(self, conversation: str, *, own: bool) -> tuple[Talk, Reader | None]:
        talk = Talk(new_id(), conversation)
        self.talks[talk.run_id] = talk
        request = self.world.request(run_id=talk.run_id, conversation=conversation)
        if own:
            _, frames = await self.kept.stream(request)
            return talk, Reader(talk, 0, frames, own=True)
        await self.kept.start(request)
        return talk, None

    async def follow(self, talk: Talk, after: int, kept: BackgroundRuns) -> Reader:
        return Reader(talk, after, await kept.follow(talk.run_id, after))

    async def ended(self, talk: Talk, *reasons: StopReason) -> None:
        """Wait until a run has ended, as it should by now, and has let go of its conversation."""
        talk.reasons |= set(reasons)
        await eventually(lambda: self._is_over(talk))
        await eventually(lambda: self._is_free(talk))

    async def _is_over(self, talk: Talk) -> bool:
        run = await self.world.runs.get(talk.run_id)
        return run is not None and run.terminal

    async def _is_free(self, talk: Talk) -> bool:
        try:
            async with self.world.other.held(talk.conversation):
                return True
        except ConversationBusyError:
            return False

    async def whole(self, talk: Talk) -> list[bytes]:
        return await drained(await self.other.follow(talk.run_id))


class Background(RuleBasedStateMachine):
    """Clients and runs of one product; each rule is what somebody may do at any time."""

    runs, readers = Bundle("runs"), Bundle("readers")

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.loop, self.all = asyncio.Runner(), list[Reader]()
        self.product = self.do(_made(dsn))
        self.conversations = [new_id(), new_id()]

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something; what does not end in time is a failure."""
        return self.loop.run(_in_time(work))

    def _begin(self, place: int, *, own: bool) -> tuple[Talk, Reader | None] | None:
        conversation = self.conversations[place]
        talks = self.product.talks.values()
        busy = any(not talk.over and talk.conversation == conversation for talk in talks)
        try:
            talk, reader = self.do(self.product.start(conversation, own=own))
        except ConversationBusyError:
            self.product.talks.popitem()
            assert busy
            return None
        assert not busy
        return talk, reader

    @rule(target=runs, place=st.integers(0, 1))
    def start(self, place: int) -> Any:
        begun = self._begin(place, own=False)
        return begun[0] if begun else multiple()

    @rule(target=readers, place=st.integers(0, 1))
    def start_and_watch(self, place: int) -> Any:
        begun = self._begin(place, own=True)
        return self._seen(begun[1]) if begun and begun[1] else multiple()

    def _seen(self, reader: Reader) -> Reader:
        self.all.append(reader)
        return reader

    @rule(talk=runs, words=st.integers(1, 5))
    def say(self, talk: Talk, words: int) -> None:
        if talk.over:
            return
        for number in range(words):
            talk.said.put_nowait(text(f"{talk.words + number} "))
        talk.words += words
        self.do(asyncio.sleep(0.01))  # so that some of it is kept before what comes next

    @rule(talk=runs, reason=st.sampled_from(sorted(ENDINGS)))
    def end(self, talk: Talk, reason: Any) -> None:
        if not talk.over:
            talk.said.put_nowait(ENDINGS[reason])
            self.do(self.product.ended(talk, reason))

    @rule(talk=runs, elsewhere=st.booleans())
    def cancel(self, talk: Talk, elsewhere: bool) -> None:  # noqa: FBT001 - drawn
        kept = self.product.other if elsewhere else self.product.kept
        heard = self.do(kept.cancel(talk.run_id))
        if not talk.over:
            assert heard
            self.do(self.product.ended(talk, "cancelled"))

    @rule(talk=runs)
    def end_and_cancel_at_once(self, talk: Talk) -> None:
        if not talk.over:
            talk.said.put_nowait("end_turn")
            self.do(self.product.kept.cancel(talk.run_id))
            self.do(self.product.ended(talk, "cancelled", "end_turn"))

    @rule(target=readers, talk=runs, elsewhere=st.booleans())
    def follow(self, talk: Talk, elsewhere: bool) -> Reader:  # noqa: FBT001 - drawn
        kept = self.product.other if elsewhere else self.product.kept
        return self._seen(self.do(self.product.follow(talk, 0, kept)))

    @rule(target=readers, reader=readers)
    def resume(self, reader: Reader) -> Any:
        """Come back behind the last frame, on another connection."""
        after, other = reader.last, self.product.other
        return self._seen(self.do(self.product.follow(reader.talk, after, other)))

    @rule(reader=consumes(readers))
    def leave(self, reader: Reader) -> None:
        going = not reader.talk.over
        self.do(reader.leave())
        if reader.own and going:
            reader.talk.left = True
            self.do(self.product.ended(reader.talk, "cancelled"))

    @invariant()
    def what_goes_on_goes_on_and_what_ended_stays_ended(self) -> None:
        for talk in self.product.talks.values():
            run = self.do(self.product.world.runs.get(talk.run_id))
            assert run.terminal is talk.over, run
            assert not talk.over or run.stop_reason in talk.reasons

    def teardown(self) -> None:
        try:
            self.do(self._settled())
        finally:
            self.do(self.product.world.aclose())
            self.loop.close()

    async def _settled(self) -> None:
        """End what goes on, and hold every reader against what was kept."""
        product = self.product
        try:
            for talk in product.talks.values():
                if not talk.over:
                    talk.said.put_nowait("end_turn")
                    await product.ended(talk, "end_turn")
            async with asyncio.timeout(10):
                await asyncio.gather(*(one.task for one in self.all), return_exceptions=True)
            for talk in product.talks.values():
                await self._held(talk, await product.whole(talk))
        finally:
            for reader in self.all:
                await reader.leave()
            await product.close()
        for talk in product.talks.values():
            heard = Heard(talk.run_id, left=True)
            assert await product.world.complaints(heard, talk.reasons) == []

    async def _held(self, talk: Talk, whole: list[bytes]) -> None:
        told = Heard(talk.run_id, whole)
        spoken = told.labels.count("message")
        assert spoken == talk.words or (told.reason == "cancelled" and spoken <= talk.words)
        assert [sentence for _, _, sentence in client_event_violations(told.frames)] == []
        kept = whole[:spoken] if talk.left else whole  # behind them each is told an end of its own
        for reader in (one for one in self.all if one.talk is talk):
            rest = kept[reader.after :]
            assert reader.sent[: len(rest)] == rest[: len(reader.sent)]
            assert reader.task.cancelled() or len(reader.sent) >= len(rest)


async def _in_time(work: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(20):
        return await work


async def _made(dsn: str) -> Product:
    product = Product(dsn)
    await product.open()
    return product


@pytest.mark.usefixtures("redis")
def test_background_runs_in_any_order(dsn: str) -> None:
    class Here(Background):
        def __init__(self) -> None:
            super().__init__(dsn)

    run_state_machine_as_test(Here, settings=QUICK)
