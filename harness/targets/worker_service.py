"""What a worker answers, a kind of request each.

``outcome`` (the default) lets the target listen; ``events`` shows what the SDK alone makes of the
same stream; ``vocabulary`` which words the installed SDKs know; ``hello`` which they are, and what
the target speaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import UnknownWordError
from harness.targets.abort import consume
from harness.targets.base import Call
from harness.targets.clients import Clients
from harness.targets.observing import observe, raised
from harness.targets.resolving import resolve
from harness.targets.vocabulary import versions, vocabulary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from harness.model import JSON
    from harness.targets.base import Target

_FIELDS = ("protocol", "base_url", "request", "consumer", "read_timeout")


class Answering:
    """One target and the clients it asks with.

    Args:
        address: the target's.

    Raises:
        InputError: the address names no target.
    """

    def __init__(self, address: str) -> None:
        self._clients = Clients()
        self._target: Target = resolve(address, self._clients)

    async def aclose(self) -> None:
        """Close the clients."""
        await self._clients.aclose()

    async def answer(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the reply to a request, without its id.

        Raises:
            UnknownWordError: nobody knows what is asked.
        """
        word = request.get("ask", "outcome")
        if word not in _ASKS:
            raise UnknownWordError("request", word, _ASKS)
        return await _ASKS[word](self, request)

    async def _outcome(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        call = _call(request)
        if call.protocol not in self._target.protocols:
            return {"unspoken": f"it speaks {', '.join(self._target.protocols)}"}
        listening = self._target.listen(call)
        try:
            await consume(listening, call.consumer)
        except BaseException as error:  # noqa: BLE001 - a target may even ask the process to exit
            return {"outcome": _dump(listening), "raised": raised(error)}
        return {"outcome": _dump(listening)}

    async def _events(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        return await observe(self._clients, _call(request))

    async def _vocabulary(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        known = {
            name: {category: sorted(words) for category, words in categories.items()}
            for name, categories in vocabulary(request.get("protocols")).items()
        }
        return {"vocabulary": known, "versions": versions()}

    async def _hello(self, _request: Mapping[str, JSON]) -> dict[str, JSON]:
        return {"protocols": list(self._target.protocols), "versions": versions()}


def _call(request: Mapping[str, JSON]) -> Call:
    return Call(**{field: request[field] for field in _FIELDS if field in request})


def _dump(listening: Any) -> JSON:
    return listening.outcome().model_dump(mode="json")


_ASKS: Mapping[str, Callable[[Answering, Mapping[str, JSON]], Awaitable[dict[str, JSON]]]] = {
    "outcome": Answering._outcome,  # noqa: SLF001 - the table of this class's own answers
    "events": Answering._events,  # noqa: SLF001 - the same
    "vocabulary": Answering._vocabulary,  # noqa: SLF001 - the same
    "hello": Answering._hello,  # noqa: SLF001 - the same
}
