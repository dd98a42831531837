"""SDK clients that ask the recorder: by a table, how each SDK's address is read and changed.

Rules of this file: no SDK is imported, a client is known by where its class comes from; what is
wrapped keeps the connections and the credentials of the original, and nothing is closed that was
not opened here; a client that cannot be copied is changed in place, and is what it was when the
recording ends.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Move = Callable[[str], str]

Client = TypeVar("Client")


class _Way(NamedTuple):
    """How a kind of client is wrapped.

    Args:
        wrapped: yields the client that asks elsewhere; is given what moves an address.
        signs: whether, without an API key, requests carry a signature over host and path.
    """

    wrapped: Callable[[Any, Move], AbstractContextManager[Any]]
    signs: bool = False


def wrapped(client: Client, move: Move, *, records: bool) -> AbstractContextManager[Client]:
    """Return a context whose client asks elsewhere.

    Args:
        client: a client of a provider's SDK.
        move: what an address becomes.
        records: whether its requests reach the server.

    Raises:
        InputError: it is no client that is known here, or its requests cannot be sent on.
    """
    way = _way(client)
    if records and way.signs and getattr(client, "api_key", None) is None:
        words = "signs requests for AWS's own address, which a recorder cannot pass on"
        raise InputError(f"{type(client).__name__} {words}; give it an api_key")
    return way.wrapped(client, move)


def _way(client: object) -> _Way:
    """Return the way of the nearest class that has one."""
    for kind in type(client).__mro__:
        for (package, name), way in _WAYS.items():
            if kind.__name__ == name and f"{kind.__module__}.".startswith(f"{package}."):
                return way
    what = f"{type(client).__module__}.{type(client).__qualname__}"
    words = "is no client of openai, anthropic or google-genai; give it base_url(NAME) as address"
    raise InputError(f"{what} {words}")


@contextmanager
def _copied(client: Any, move: Move) -> Iterator[Any]:
    """Copy first and move then: asked for another address, a copy changes its credentials."""
    copy = client.copy()
    copy.base_url = move(str(client.base_url))
    yield copy


@contextmanager
def _azure(client: Any, move: Move) -> Iterator[Any]:
    """Move both addresses: with a deployment, what is no deployment's goes past ``base_url``."""
    with _copied(client, move) as copy:
        endpoint = client._azure_endpoint  # noqa: SLF001 - no copy of openai carries it over
        if endpoint is not None:
            copy._azure_endpoint = type(endpoint)(move(str(endpoint)))  # noqa: SLF001 - the same
            copy._azure_deployment = client._azure_deployment  # noqa: SLF001 - the same
        yield copy


@contextmanager
def _changed(client: Any, move: Move) -> Iterator[Any]:
    """Change a client of google-genai in place, with all that was made of it.

    It has no copy, and one by force would close the connections of both when it is collected. Its
    parts share the options of one inner client and read the address there at each request (1.20 to
    3.4); only those of the interactions API keep it, so they are set aside and made anew.
    """
    options = client._api_client._http_options  # noqa: SLF001 - where all versions keep it
    address = options.base_url
    parts = [vars(part) for part in (client, getattr(client, "_aio", None)) if part is not None]
    kept = [dict(part) for part in parts]
    for part in parts:
        part.update((name, None) for name, value in part.items() if _keeps_address(value))
    options.base_url = move(address)
    try:
        yield client
    finally:
        options.base_url = address
        for part, before in zip(parts, kept, strict=True):
            part.update(before)


def _keeps_address(value: object) -> bool:
    return type(value).__module__.startswith(("google.genai._gaos", "google.genai._interactions"))


# Read in the source of openai 3.52 (_client.py, lib/azure.py), anthropic 2.11 (_client.py,
# lib/bedrock, lib/aws) and google-genai 1.75 and 3.4 (client.py, _api_client.py); tried with those
# and with openai 1.66 and 2.54, anthropic 0.40 and 0.125, google-genai 1.20.
_WAYS: dict[tuple[str, str], _Way] = {
    ("openai", "BaseAzureClient"): _Way(_azure),
    ("openai", "BaseClient"): _Way(_copied),
    ("anthropic", "BaseBedrockClient"): _Way(_copied, signs=True),
    ("anthropic", "BaseMantleClient"): _Way(_copied, signs=True),
    ("anthropic", "AnthropicAWS"): _Way(_copied, signs=True),
    ("anthropic", "AsyncAnthropicAWS"): _Way(_copied, signs=True),
    ("anthropic", "BaseClient"): _Way(_copied),
    ("google.genai", "Client"): _Way(_changed),
    ("google.genai", "AsyncClient"): _Way(_changed),
}
