"""What a worker replies, one method per kind of request.

``outcome`` (the default) lets the target read a stream; ``events`` returns what the SDK alone makes
of the same stream; ``vocabulary`` what the installed SDKs know; ``hello`` their versions, and the
protocols that the target supports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import UnknownWordError
from harness.sdks.clients import SdkClients
from harness.sdks.events import describe_exception, read_events
from harness.sdks.vocabulary import versions, vocabulary
from harness.targets.base import Call
from harness.targets.resolving import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON
    from harness.targets.base import Listening, Target

_CALL_FIELDS = ("protocol", "base_url", "request", "consumer", "read_timeout")
_REQUESTS = ("outcome", "events", "vocabulary", "hello")


class WorkerService:
    """One target, and the SDK clients it uses.

    Args:
        address: the target's.

    Raises:
        InputError: the address does not name a target.
    """

    def __init__(self, address: str) -> None:
        self._clients = SdkClients()
        self._target: Target = resolve(address, self._clients)

    async def aclose(self) -> None:
        """Close the clients."""
        await self._clients.aclose()

    async def reply(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the reply to a request, without its id.

        Raises:
            UnknownWordError: there is no such kind of request.
        """
        kind = request.get("ask", "outcome")
        match kind:
            case "outcome":
                return await self._outcome(request)
            case "events":
                return await read_events(self._clients, _call(request))
            case "vocabulary":
                return self._vocabulary(request)
            case "hello":
                return {"protocols": list(self._target.protocols), "versions": versions()}
            case _:
                raise UnknownWordError("request", kind, _REQUESTS)

    async def _outcome(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        call = _call(request)
        if call.protocol not in self._target.protocols:
            return {"unsupported": f"the target supports {', '.join(self._target.protocols)}"}
        listening = self._target.listen(call)
        try:
            await consume(listening, call.consumer)
        except BaseException as error:  # noqa: BLE001 - a target may even ask the process to exit
            return {"outcome": _dump(listening), "raised": describe_exception(error)}
        return {"outcome": _dump(listening)}

    def _vocabulary(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        known = {
            name: {category: sorted(words) for category, words in categories.items()}
            for name, categories in vocabulary(request.get("protocols")).items()
        }
        return {"vocabulary": known, "versions": versions()}


async def consume(listening: Listening, consumer: Mapping[str, JSON]) -> None:
    """Read a listening as a consumer does that is at this end of the pipe.

    A consumer that interrupts a wait (``cancel``, ``timeout``) is at the other end and ends the
    process; here it reads to the end.

    Args:
        listening: what is read; entered and exited here.
        consumer: ``{"do": "break" | "aclose", "at": chunks}``; any other reads to the end.

    Raises:
        BaseException: what the stream raises.
    """
    at = consumer.get("at") if consumer.get("do") in {"break", "aclose"} else None
    async with listening:
        chunks = aiter(listening)
        received = 0
        while received != at:
            try:
                await anext(chunks)
            except StopAsyncIteration:
                return
            received += 1
        close = getattr(chunks, "aclose", None)
        if consumer["do"] == "aclose" and close is not None:
            await close()


def _call(request: Mapping[str, JSON]) -> Call:
    return Call(**{field: request[field] for field in _CALL_FIELDS if field in request})


def _dump(listening: Any) -> JSON:
    return listening.outcome().model_dump(mode="json")
