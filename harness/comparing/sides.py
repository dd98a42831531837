"""One side of a comparison: a target in an environment, and what it makes of a stream.

Rules of this file: a side answers in a process of its own, also in the current environment; its SDK
is asked for the typed events of a stream, then its target for the outcome, each over a connection
of its own; whatever the side does wrong is heard, never raised.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from harness.engine.executor import START
from harness.errors import InputError, TargetError
from harness.model import ErrorInfo, Outcome
from harness.targets.addresses import is_external_command, process_of
from harness.targets.base import Call
from harness.targets.stdio import outcome_of, request_of
from harness.targets.vocabulary import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparing.streams import Stream
    from harness.model import JSON
    from harness.playback.response_registry import ResponseRegistry

SETTLE = 1.0  # seconds for a connection that was left to be seen as such


class SideResult(NamedTuple):
    """What one side made of one stream, a value a layer.

    ``complaint`` is what the target did wrong besides, as ``Played`` has it.
    """

    wire: JSON
    outcome: Outcome
    connection: JSON
    complaint: str | None = None

    @property
    def chunks(self) -> JSON:
        """The chunks."""
        return [chunk.dump() for chunk in self.outcome.chunks]

    @property
    def delivered(self) -> JSON:
        """The outcome without its chunks, and what else could be seen from outside."""
        data = self.outcome.model_dump(mode="json", exclude={"chunks"})
        return {**data, "connection": self.connection, "complaint": self.complaint}


class Side:
    """A target in an environment.

    Args:
        label: how reports call it.
        address: the target's, with its environment.
        letter: ``A`` or ``B``, also the first segment of the addresses it asks.
        timeout: seconds for one reply.
    """

    def __init__(self, label: str, address: str, letter: str, timeout: float) -> None:
        self.label, self.address, self.letter = label, address, letter
        self._timeout = timeout
        self._numbers = count(1)
        self._process = process_of(address)
        self._alone = is_external_command(address)
        self._protocols: frozenset[str] = frozenset()
        self.versions: Mapping[str, str] = {}

    async def greet(self) -> None:
        """Start the process and learn which SDKs it has.

        Raises:
            InputError: it cannot be used.
        """
        if self._alone:
            return
        try:
            reply = await self._greeting()
        except TargetError as error:
            raise InputError(f"{self.label}: {error}") from None
        self.versions, self._protocols = reply["versions"], frozenset(reply["protocols"])

    async def vocabulary(self, protocols: Sequence[str] | None = None) -> Mapping[str, JSON]:
        """Return the words of the side's SDKs: protocol -> category -> words."""
        asked = None if protocols is None else list(protocols)
        reply = await self._process.ask(ask="vocabulary", protocols=asked)
        words: Mapping[str, JSON] = reply["vocabulary"]
        return words

    def speaks(self, protocol: str) -> bool:
        """Say whether the target does, and its SDK is there; a program may need none."""
        installed = PACKAGES.get(protocol) in self.versions
        return self._alone or (installed and protocol in self._protocols)

    async def handle(self, stream: Stream, stage: ResponseRegistry, base_url: str) -> SideResult:
        """Let the side listen to one stream, twice: its SDK, then its target."""
        wire = {} if self._alone else await self._wire(stream, stage, base_url)
        key = self._put(stream, stage)
        outcome, complaint = await self._outcome(_call(stream, f"{base_url}/{key}"))
        connection = await _connection(stream, stage, key)
        stage.forget(key)
        return SideResult(wire, outcome, connection, complaint)

    async def aclose(self) -> None:
        """End the process."""
        await self._process.aclose()

    def _put(self, stream: Stream, stage: ResponseRegistry) -> str:
        return stage.put(stream.script, f"{self.letter}/{next(self._numbers)}")

    async def _wire(self, stream: Stream, stage: ResponseRegistry, base_url: str) -> JSON:
        key = self._put(stream, stage)
        call = _call(stream, f"{base_url}/{key}")
        try:
            reply = await self._ask(ask="events", **request_of(call))
        except TargetError as error:
            return {"failed": str(error)}
        finally:
            seen = stage.evidence(key)
            stage.forget(key)
        asked = [{"method": e.method, "path": e.path, "body": _json(e.body)} for e in seen]
        return {"request": asked, "events": reply["events"], "raised": reply.get("raised")}

    async def _outcome(self, call: Call) -> tuple[Outcome, str | None]:
        try:
            reply = await self._ask(**request_of(call))
            outcome = outcome_of(reply)
        except TargetError as error:
            return _failed("TargetError", str(error)), str(error)
        raised = reply.get("raised")
        if raised is None or outcome.error is not None:
            return outcome, None
        info = ErrorInfo(kind="unknown", code=raised["type"], message=raised["message"])
        changes = {"error": info, "ending": "failed", "finish": "error"}
        complaint = f"raised {raised['type']}: {raised['message']}"[:300]
        return outcome.model_copy(update=changes), complaint

    async def _greeting(self) -> Mapping[str, JSON]:
        try:
            async with asyncio.timeout(START):
                return await self._process.ask(ask="hello")
        except TimeoutError:
            raise TargetError(f"no greeting within {START:g} s") from None

    async def _ask(self, **request: JSON) -> Mapping[str, JSON]:
        if not (self._alone or self._process.runs):
            await self._greeting()  # it was ended after a fault; starting again takes its time
        try:
            async with asyncio.timeout(self._timeout):
                return await self._process.ask(**request)
        except TimeoutError:
            raise TargetError(f"gave no reply within {self._timeout:g} s") from None


async def _connection(stream: Stream, stage: ResponseRegistry, key: str) -> JSON:
    """Return how often the target asked, and who left, where a stream does not end by itself.

    The server learns a moment later than the reader that the reader left.
    """
    seen = stage.evidence(key)
    if stream.script.end != "stall":
        return {"requests": len(seen)}
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE):
            while any(exchange.closed_by is None for exchange in seen):
                await asyncio.sleep(SETTLE / 100)
                seen = stage.evidence(key)
    return {"requests": len(seen), "closed_by": [exchange.closed_by for exchange in seen]}


def _json(body: bytes) -> JSON:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _call(stream: Stream, base_url: str) -> Call:
    ask = stream.ask
    return Call(ask.protocol, base_url, ask.request, read_timeout=ask.read_timeout)


def _failed(code: str, message: str) -> Outcome:
    info = ErrorInfo(kind="unknown", code=code, message=message)
    return Outcome(finish="error", ending="failed", error=info)
