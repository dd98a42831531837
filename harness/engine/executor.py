"""A place where a target may do its worst: a thread with its own event loop and SDK clients.

Rules of this file: a target that raises, hangs, blocks the loop or talks nonsense is reported,
never obeyed; a lane that stays blocked is left behind, cleans up if it ever wakes, and a new one
takes its place; whatever interrupts the waiting thread first cancels what the target is doing.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from harness.model import ErrorInfo, Outcome
from harness.sdks.clients import SdkClients
from harness.targets.addresses import replies_once
from harness.targets.resolving import resolve
from harness.targets.stdio import StdioTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine.consumer_probe import ConsumerProbe
    from harness.targets.base import Call, Listening, Target

START = 120.0  # seconds a process has to start and to import what it needs
GRACE = 2.0  # seconds a cancelled target has to clean up before its lane is given up


class TargetResult(NamedTuple):
    """What came of one call.

    ``complaint`` is what the target did wrong besides, if anything; ``unspoken`` says that it does
    not speak the protocol, so that nothing could be judged.
    """

    outcome: Outcome
    complaint: str | None = None
    unspoken: bool = False


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Hide what SDKs warn of while they read odd streams: turned into errors it would be judged.

    The filters are the process's own, which is well while one target listens at a time.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class ThreadExecutor:
    """One thread, one loop, one set of SDK clients, one instance of each target."""

    def __init__(self) -> None:
        self._clients: SdkClients | None = None
        self._targets: dict[str | int, Target] = {}
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._live, args=(ready,), name="lane", daemon=True)
        self._thread.start()
        self._loop, self._leave = ready.result()

    def play(
        self, address: str | object, call: Call, timeout: float, reader: ConsumerProbe | None = None
    ) -> TargetResult | None:
        """Let a target listen to one stream; return None if it blocked the lane for good.

        Args:
            address: the target's, or the target itself.
            call: what it is asked.
            timeout: seconds it may take.
            reader: who reads, and leaves; None reads everything.

        Raises:
            InputError: the address names no target.
        """
        self._prepare(address, call)
        playing = self._play(address, call, timeout, reader)
        future = asyncio.run_coroutine_threadsafe(playing, self._loop)
        try:
            return future.result(timeout + GRACE)
        except CancelledError:
            return TargetResult(Outcome(), "raised CancelledError, though nobody cancelled it")
        except TimeoutError:
            return None
        finally:
            future.cancel()  # whoever interrupts us, or gives the lane up, ends the target as well

    def _prepare(self, address: str | object, call: Call) -> None:
        """Let a worker start before its patience is counted; others are ready."""
        if not replies_once(address):
            return
        future = asyncio.run_coroutine_threadsafe(self._prepared(address, call), self._loop)
        try:
            future.result(START)
        except TimeoutError:
            return  # the first stream will be late, and is told to be
        finally:
            future.cancel()

    async def _prepared(self, address: str | object, call: Call) -> None:
        target = self._target(address, call)
        if isinstance(target, StdioTarget):
            await target.prepare()

    def close(self, patience: float = GRACE) -> None:
        """Cancel what still runs, close the clients and end the thread.

        Args:
            patience: seconds to wait for it; a blocked lane ends when it wakes.
        """
        with suppress(RuntimeError):  # the loop is closed: the target ended its thread
            self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(patience)

    def _live(self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        asyncio.run(self._until_left(ready))

    async def _until_left(
        self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]
    ) -> None:
        leave = asyncio.Event()
        ready.set_result((asyncio.get_running_loop(), leave))
        await leave.wait()
        playing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in playing:
            task.cancel()
        if playing:
            await asyncio.wait(playing, timeout=GRACE)
        for target in self._targets.values():
            if isinstance(target, StdioTarget):
                await target.aclose()
        if self._clients is not None:
            await self._clients.aclose()

    async def _play(
        self, address: str | object, call: Call, seconds: float, reader: ConsumerProbe | None
    ) -> TargetResult:
        target = self._target(address, call)
        if call.protocol not in target.protocols:
            words = f"it speaks {', '.join(target.protocols)}"
            return TargetResult(Outcome(), words, unspoken=True)
        listening: Listening | None = None
        raised: BaseException | None = None
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                listening = target.listen(call)
                with _no_warnings():
                    await (reader.read(listening) if reader else _read(listening))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a target may even ask the process to exit
            raised = error
        if deadline.expired():
            return TargetResult(_outcome(listening)[0], f"no end within {seconds:g} s")
        return _with_raised(listening, raised)

    def _target(self, address: str | object, call: Call) -> Target:
        if self._clients is None:
            self._clients = SdkClients(call.transport)
        key = address if isinstance(address, str) else id(address)
        if key not in self._targets:
            self._targets[key] = resolve(address, self._clients)
        return self._targets[key]


async def _read(listening: Listening) -> None:
    async with listening:
        async for _ in listening:
            pass


def _with_raised(listening: Listening | None, error: BaseException | None) -> TargetResult:
    """Return the outcome a target reports, completed by what it raised without naming it."""
    outcome, nonsense = _outcome(listening)
    if error is None or outcome.error is not None:
        return TargetResult(outcome, nonsense)
    crash = f"raised {type(error).__name__}: {error}"[:300]
    info = ErrorInfo(kind="unknown", code=type(error).__name__, message=str(error))
    named = outcome.model_copy(update={"error": info, "ending": "failed", "finish": "error"})
    return TargetResult(named, nonsense or crash)


def _outcome(listening: Listening | None) -> tuple[Outcome, str | None]:
    if listening is None:
        return Outcome(), None
    try:
        outcome = listening.outcome()
    except Exception as error:  # noqa: BLE001 - the same: it is about the target
        return Outcome(), f"outcome() raised {type(error).__name__}: {error}"[:300]
    if not isinstance(outcome, Outcome):
        return Outcome(), f"outcome() returned {type(outcome).__name__}, not an Outcome"
    return outcome, None
