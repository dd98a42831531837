"""SDK clients redirected to the recorder: a table of how each SDK's base URL is read and changed.

Rules of this file: no SDK is imported, a client is recognised by the module of its class; a wrapped
client keeps the connections and credentials of the original, and nothing is closed that was not
opened here; a client that cannot be copied is changed in place and restored when the recording
ends.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Redirect = Callable[[str], str]

Client = TypeVar("Client")


class _Method(NamedTuple):
    """How a kind of client is wrapped.

    Args:
        wrap: yields the redirected client, given the client and the mapping of URLs.
        signs_requests: whether, without an API key, requests are signed over host and path.
    """

    wrap: Callable[[Any, Redirect], AbstractContextManager[Any]]
    signs_requests: bool = False


def redirected(
    client: Client, redirect: Redirect, *, records: bool
) -> AbstractContextManager[Client]:
    """Return a context manager that yields a redirected client.

    Args:
        client: a client of a provider's SDK.
        redirect: maps the client's base URL to the recorder's.
        records: whether requests are forwarded to the server.

    Raises:
        InputError: the kind of client is not supported, or its requests cannot be forwarded.
    """
    method = _method_for(client)
    if records and method.signs_requests and getattr(client, "api_key", None) is None:
        reason = "signs requests for the AWS address, so the recorder cannot forward them"
        raise InputError(f"{type(client).__name__} {reason}; give it an api_key")
    return method.wrap(client, redirect)


def _method_for(client: object) -> _Method:
    """Return the method of the nearest base class that has one."""
    for kind in type(client).__mro__:
        for (package, name), method in _METHODS.items():
            if kind.__name__ == name and f"{kind.__module__}.".startswith(f"{package}."):
                return method
    name = f"{type(client).__module__}.{type(client).__qualname__}"
    reason = "is not a client of openai, anthropic or google-genai; set its URL to base_url(NAME)"
    raise InputError(f"{name} {reason}")


@contextmanager
def _copy(client: Any, redirect: Redirect) -> Iterator[Any]:
    """Copy first, then redirect: given a URL, ``copy`` would change the credentials."""
    copy = client.copy()
    copy.base_url = redirect(str(client.base_url))
    yield copy


@contextmanager
def _azure(client: Any, redirect: Redirect) -> Iterator[Any]:
    """Redirect both URLs: with a deployment, some requests go to the endpoint instead."""
    with _copy(client, redirect) as copy:
        endpoint = client._azure_endpoint  # noqa: SLF001 - no copy of openai carries it over
        if endpoint is not None:
            copy._azure_endpoint = type(endpoint)(redirect(str(endpoint)))  # noqa: SLF001 - the same
            copy._azure_deployment = client._azure_deployment  # noqa: SLF001 - the same
        yield copy


@contextmanager
def _change_in_place(client: Any, redirect: Redirect) -> Iterator[Any]:
    """Change a client of google-genai in place, with the parts it has created.

    It has no ``copy``, and a forced copy would close the shared connections when it is collected.
    Its parts share the options of one inner client and read the URL there at each request (1.20 to
    3.4); only those of the interactions API store it, so they are removed and created again.
    """
    options = client._api_client._http_options  # noqa: SLF001 - where all versions keep it
    address = options.base_url
    parts = [vars(part) for part in (client, getattr(client, "_aio", None)) if part is not None]
    saved = [dict(part) for part in parts]
    for part in parts:
        part.update((name, None) for name, value in part.items() if _keeps_address(value))
    options.base_url = redirect(address)
    try:
        yield client
    finally:
        options.base_url = address
        for part, before in zip(parts, saved, strict=True):
            part.update(before)


def _keeps_address(value: object) -> bool:
    return type(value).__module__.startswith(("google.genai._gaos", "google.genai._interactions"))


# Read in the source of openai 3.52 (_client.py, lib/azure.py), anthropic 2.11 (_client.py,
# lib/bedrock, lib/aws) and google-genai 1.75 and 3.4 (client.py, _api_client.py); tried with those
# and with openai 1.66 and 2.54, anthropic 0.40 and 0.125, google-genai 1.20.
_METHODS: dict[tuple[str, str], _Method] = {
    ("openai", "BaseAzureClient"): _Method(_azure),
    ("openai", "BaseClient"): _Method(_copy),
    ("anthropic", "BaseBedrockClient"): _Method(_copy, signs_requests=True),
    ("anthropic", "BaseMantleClient"): _Method(_copy, signs_requests=True),
    ("anthropic", "AnthropicAWS"): _Method(_copy, signs_requests=True),
    ("anthropic", "AsyncAnthropicAWS"): _Method(_copy, signs_requests=True),
    ("anthropic", "BaseClient"): _Method(_copy),
    ("google.genai", "Client"): _Method(_change_in_place),
    ("google.genai", "AsyncClient"): _Method(_change_in_place),
}
