"""Runs one target on one stream, and survives whatever the target does.

Theory of operation. A target is code under test: it may raise, hang, block its event loop, swallow
a cancellation or ask the process to exit. None of this may stop the run, so a target never runs in
the caller's thread::

    caller's thread                         executor's thread (one event loop)
    run() --- run_coroutine_threadsafe ---> resolve the target, enter its listening,
      |                                     read it (or let a consumer read it) under a deadline
      | waits timeout + GRACE               |
      |<--------------- TargetResult -------+ outcome and problem
      |
      +-- nothing came: the loop is blocked. run() returns None, the caller abandons this executor
          (its thread is a daemon and cleans up if it ever wakes) and creates a new one.

Three levels of force follow from this: the deadline inside the loop ends a target that waits; the
cancellation after ``timeout + GRACE`` ends one that ignored the deadline; abandoning the thread
ends one that blocks the loop. An exception that interrupts the waiting caller (Ctrl-C) first
cancels what the target does. SDK clients and target objects are made once for each executor and
used for every stream, because making them costs more than a stream does.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, cast

from harness.engine.results import TargetResult
from harness.model import ErrorInfo, Outcome
from harness.sdks import load
from harness.sdks.clients import SdkClients
from harness.targets.addresses import BUILTIN, replies_once
from harness.targets.resolving import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model import JSON
    from harness.playback.response_registry import ExchangeLog
    from harness.targets.base import Call, Listening, Target
    from harness.targets.stdio import StdioTarget

START = 120.0  # seconds a process has to start and to import what it needs
GRACE = 2.0  # seconds a cancelled target has to clean up before its executor is abandoned
UNASKED_CANCEL = "raised CancelledError although it was not cancelled"


class StreamConsumer(Protocol):
    """Reads the chunks of one listening in place of the executor, and may abort it."""

    @property
    def consumer(self) -> Mapping[str, JSON]:
        """The consumer as a target in another process receives it: ``Call.consumer``."""

    def watch(self, log: Callable[[], ExchangeLog | None]) -> None:
        """Take a function that returns what the server has logged of this exchange so far."""

    async def read(self, listening: Listening) -> None:
        """Enter the listening, read it, and leave it; what the stream raises may come out."""


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Hide the warnings of SDKs about odd streams: turned into errors, they would fail the target.

    Filters belong to the whole process; that is safe because one target runs at a time.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class ThreadExecutor:
    """One thread, one loop, one set of SDK clients, one instance of each target."""

    def __init__(self) -> None:
        self._clients: SdkClients | None = None
        self._targets: dict[str | int, Target] = {}
        self._loaded: set[tuple[str, str]] = set()
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(
            target=self._run_thread, args=(ready,), name="target executor", daemon=True
        )
        self._thread.start()
        self._loop, self._closing = ready.result()

    def run(
        self,
        address: str | object,
        call: Call,
        timeout: float,
        consumer: StreamConsumer | None = None,
    ) -> TargetResult | None:
        """Run a target on one stream; return None if it blocks this executor for good.

        Args:
            address: the target's, or the target itself.
            call: what to ask of it.
            timeout: seconds it may take.
            consumer: who reads its chunks; None reads all of them.

        Raises:
            InputError: the address does not name a target.
        """
        self._load(address, call.protocol)
        self._start_process(address, call)
        running = self._run(address, call, timeout, consumer)
        future = asyncio.run_coroutine_threadsafe(running, self._loop)
        try:
            return future.result(timeout + GRACE)
        except CancelledError:
            return TargetResult(Outcome(), UNASKED_CANCEL)
        except TimeoutError:
            return None
        finally:
            future.cancel()  # an interrupt, and giving up, end what the target does

    def _load(self, address: str | object, protocol: str) -> None:
        """Import what a built-in target needs, once, before its timeout is counted."""
        if not isinstance(address, str) or address not in BUILTIN:
            return
        if (address, protocol) not in self._loaded:
            self._loaded.add((address, protocol))
            load(protocol)

    def _start_process(self, address: str | object, call: Call) -> None:
        """Let a process start before its timeout is counted; other targets are ready at once."""
        if not replies_once(address):
            return
        future = asyncio.run_coroutine_threadsafe(self._prepare(address, call), self._loop)
        try:
            future.result(START)
        except TimeoutError:
            return  # the first stream will be reported as late
        finally:
            future.cancel()

    async def _prepare(self, address: str | object, call: Call) -> None:
        await cast("StdioTarget", self._target(address, call)).prepare()

    def close(self, patience: float = GRACE) -> None:
        """Cancel what still runs, close the clients and end the thread.

        Args:
            patience: seconds to wait for it; a blocked thread ends when it wakes.
        """
        with suppress(RuntimeError):  # the loop is closed: the target ended its thread
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(patience)

    def _run_thread(self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        asyncio.run(self._until_closed(ready))

    async def _until_closed(
        self, ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]
    ) -> None:
        closing = asyncio.Event()
        ready.set_result((asyncio.get_running_loop(), closing))
        await closing.wait()
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=GRACE)
        for address, target in self._targets.items():
            if replies_once(address):
                await cast("StdioTarget", target).aclose()
        if self._clients is not None:
            await self._clients.aclose()

    async def _run(
        self, address: str | object, call: Call, seconds: float, consumer: StreamConsumer | None
    ) -> TargetResult:
        target = self._target(address, call)
        if call.protocol not in target.protocols:
            problem = f"it supports {', '.join(target.protocols)}"
            return TargetResult(Outcome(), problem, unsupported=True)
        listening: Listening | None = None
        raised: BaseException | None = None
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                listening = target.listen(call)
                with _no_warnings():
                    await (consumer.read(listening) if consumer else _read(listening))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a target may even ask the process to exit
            raised = error
        if deadline.expired():
            return TargetResult(_outcome(listening)[0], f"did not finish within {seconds:g} s")
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
    """Return the outcome a target reports, with an error it raised but did not report."""
    outcome, problem = _outcome(listening)
    if error is None or outcome.error is not None:
        return TargetResult(outcome, problem)
    raised = f"raised {type(error).__name__}: {error}"[:300]
    info = ErrorInfo(kind="unknown", code=type(error).__name__, message=str(error))
    failed = outcome.model_copy(update={"error": info, "ending": "failed", "finish": "error"})
    return TargetResult(failed, problem or raised)


def _outcome(listening: Listening | None) -> tuple[Outcome, str | None]:
    if listening is None:
        return Outcome(), None
    try:
        outcome = listening.outcome()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the target's fault
        return Outcome(), f"outcome() raised {type(error).__name__}: {error}"[:300]
    if not isinstance(outcome, Outcome):
        return Outcome(), f"outcome() returned {type(outcome).__name__}, not an Outcome"
    return outcome, None
