"""One side of a comparison: a target in an environment, and its result for a stream.

Rules of this file: a side answers in a process of its own, also in the current environment; its SDK
is asked for the typed events of a stream, then its target for the outcome, each over a connection
of its own; what a side does wrong becomes part of its result and is never raised.
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
from harness.sdks import binding_of, names
from harness.targets.addresses import is_external_command, process_of
from harness.targets.base import Call
from harness.targets.stdio import outcome_of, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparing.streams import Stream
    from harness.model import JSON
    from harness.playback.response_registry import ResponseRegistry

SETTLE = 1.0  # seconds in which the server notices that a client disconnected


class SideResult(NamedTuple):
    """The result of one side for one stream, one value per layer.

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
        self._is_command = is_external_command(address)
        self._protocols: frozenset[str] = frozenset()
        self.versions: Mapping[str, str] = {}

    async def handshake(self) -> None:
        """Start the process and read which SDKs are installed there.

        Raises:
            InputError: it cannot be used.
        """
        if self._is_command:
            return
        try:
            reply = await self._handshake()
        except TargetError as error:
            raise InputError(f"{self.label}: {error}") from None
        self.versions, self._protocols = reply["versions"], frozenset(reply["protocols"])

    async def vocabulary(self, protocols: Sequence[str] | None = None) -> Mapping[str, JSON]:
        """Return the vocabulary of the SDKs: protocol -> category -> words."""
        asked = None if protocols is None else list(protocols)
        reply = await self._process.ask(ask="vocabulary", protocols=asked)
        vocabulary: Mapping[str, JSON] = reply["vocabulary"]
        return vocabulary

    def supports(self, protocol: str) -> bool:
        """Return whether target and SDK support a protocol; an external command needs no SDK."""
        installed = protocol in names() and binding_of(protocol).distribution in self.versions
        return self._is_command or (installed and protocol in self._protocols)

    async def handle(self, stream: Stream, registry: ResponseRegistry, base_url: str) -> SideResult:
        """Replay one stream twice: into the SDK alone, for its events, and into the target."""
        wire = {} if self._is_command else await self._wire(stream, registry, base_url)
        key = self._register(stream, registry)
        outcome, complaint = await self._outcome(_call(stream, f"{base_url}/{key}"))
        connection = await _connection(stream, registry, key)
        registry.unregister(key)
        return SideResult(wire, outcome, connection, complaint)

    async def aclose(self) -> None:
        """End the process."""
        await self._process.aclose()

    def _register(self, stream: Stream, registry: ResponseRegistry) -> str:
        return registry.register(stream.script, f"{self.letter}/{next(self._numbers)}")

    async def _wire(self, stream: Stream, registry: ResponseRegistry, base_url: str) -> JSON:
        key = self._register(stream, registry)
        call = _call(stream, f"{base_url}/{key}")
        try:
            reply = await self._request(ask="events", **request_of(call))
        except TargetError as error:
            return {"failed": str(error)}
        finally:
            seen = registry.exchanges(key)
            registry.unregister(key)
        asked = [{"method": e.method, "path": e.path, "body": _json(e.body)} for e in seen]
        return {"request": asked, "events": reply["events"], "raised": reply.get("raised")}

    async def _outcome(self, call: Call) -> tuple[Outcome, str | None]:
        try:
            reply = await self._request(**request_of(call))
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

    async def _handshake(self) -> Mapping[str, JSON]:
        try:
            async with asyncio.timeout(START):
                return await self._process.ask(ask="hello")
        except TimeoutError:
            raise TargetError(f"no greeting within {START:g} s") from None

    async def _request(self, **request: JSON) -> Mapping[str, JSON]:
        if not (self._is_command or self._process.runs):
            await self._handshake()  # it was ended after a fault, and a start takes longer
        try:
            async with asyncio.timeout(self._timeout):
                return await self._process.ask(**request)
        except TimeoutError:
            raise TargetError(f"gave no reply within {self._timeout:g} s") from None


async def _connection(stream: Stream, registry: ResponseRegistry, key: str) -> JSON:
    """Return the number of requests, and who closed a stream that does not end by itself.

    The server notices a moment later than the client that the client disconnected.
    """
    seen = registry.exchanges(key)
    if stream.script.end != "stall":
        return {"requests": len(seen)}
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE):
            while any(exchange.closed_by is None for exchange in seen):
                await asyncio.sleep(SETTLE / 100)
                seen = registry.exchanges(key)
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
