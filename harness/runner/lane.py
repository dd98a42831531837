"""A place where a target may do its worst: a thread with its own event loop and SDK clients.

Rules of this file: a target that raises, hangs, blocks the loop or talks nonsense is reported,
never obeyed; a lane that stays blocked is left behind and a new one takes its place.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import TimeoutError as NoAnswer
from typing import TYPE_CHECKING, NamedTuple

from harness.model import ErrorInfo, Outcome
from harness.targets.addressing import resolve
from harness.targets.clients import Clients

if TYPE_CHECKING:
    from harness.targets.base import Call, Listening, Target

GRACE = 2.0  # seconds a cancelled target has to clean up before its lane is given up


class Played(NamedTuple):
    """What came of one call: the outcome, and what the target did wrong besides, if anything."""

    outcome: Outcome
    complaint: str | None = None


class Lane:
    """One thread, one loop, one set of SDK clients, one instance of each target."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._clients: Clients | None = None
        self._targets: dict[object, Target] = {}
        self._thread = threading.Thread(target=self._live, name="lane", daemon=True)
        self._thread.start()

    def play(self, address: str | object, call: Call, timeout: float) -> Played | None:
        """Let a target listen to one stream; return None if it blocked the lane for good.

        Args:
            address: the target's, or the target itself.
            call: what it is asked.
            timeout: seconds it may take.
        """
        future = asyncio.run_coroutine_threadsafe(self._play(address, call, timeout), self._loop)
        try:
            return future.result(timeout + GRACE)
        except NoAnswer:
            return None

    def close(self) -> None:
        """Close the clients and end the thread."""
        if self._clients is not None:
            asyncio.run_coroutine_threadsafe(self._clients.aclose(), self._loop).result(GRACE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GRACE)

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _play(self, address: str | object, call: Call, seconds: float) -> Played:
        listening: Listening | None = None
        try:
            async with asyncio.timeout(seconds):
                listening = self._target(address, call).listen(call)
                async with listening:
                    async for _ in listening:
                        pass
        except TimeoutError as error:
            late = f"no end within {seconds:g} s"
            return _with_raised(listening, error, late if _is_ours(error) else None)
        except Exception as error:  # noqa: BLE001 - whatever a target raises is about the target
            return _with_raised(listening, error, None)
        return _with_raised(listening, None, None)

    def _target(self, address: str | object, call: Call) -> Target:
        if self._clients is None:
            self._clients = Clients(call.transport)
        if address not in self._targets:
            self._targets[address] = resolve(address, self._clients)
        return self._targets[address]


def _is_ours(error: TimeoutError) -> bool:
    """Tell the deadline's own TimeoutError, which a cancellation caused, from a target's."""
    return isinstance(error.__cause__ or error.__context__, asyncio.CancelledError)


def _with_raised(
    listening: Listening | None, error: Exception | None, complaint: str | None
) -> Played:
    """Return the outcome a target reports, completed by what it raised without naming it."""
    outcome, nonsense = _outcome(listening)
    if error is None or outcome.error is not None or complaint:
        return Played(outcome, complaint or nonsense)
    crash = f"raised {type(error).__name__}: {error}"[:300]
    info = ErrorInfo(kind="unknown", code=type(error).__name__, message=str(error))
    named = outcome.model_copy(update={"error": info, "ending": "failed", "finish": "error"})
    return Played(named, nonsense or crash)


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
