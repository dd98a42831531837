"""The servers behind the recorder, and the environment variables that point SDKs at it.

Rule of this file: an address that the environment sets already is the upstream, so a gateway stays
in the path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urlsplit

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PORTS = {"http": 80, "https": 443}
_BRACKETS = str.maketrans("[]", "()")  # of an IPv6 address; a path must not contain them


class Upstream(NamedTuple):
    """A server behind the recorder: its name, its URL, and the variable that SDKs read, if any."""

    name: str
    url: SplitResult
    variable: str | None

    @property
    def host(self) -> str:
        """The host to connect to."""
        return self.url.hostname or ""

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self.url.port or _PORTS[self.url.scheme]

    @property
    def authority(self) -> str:
        """The host, and the port if it is not the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.url.scheme] else f"{host}:{self.port}"

    def target(self, rest: str) -> str:
        """Return the request target: the server's base path and the path that the client asked."""
        return f"{self.url.path.rstrip('/')}/{rest.lstrip('/')}"

    def uri(self, rest: str) -> str:
        """Return the full URL for a path that the client asked."""
        return f"{self.url.scheme}://{self.authority}{self.target(rest)}"


class _SdkAddress(NamedTuple):
    """The variable an SDK reads, and its default URL, None if that depends on the account."""

    variable: str
    url: str | None


# Read in the source of openai 3.52 (_client.py, lib/azure.py), anthropic 2.11 (_client.py,
# lib/vertex/_client.py) and google-genai 3.4 (_base_url.py).
_SDKS = {
    "openai": _SdkAddress("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    "azure": _SdkAddress("AZURE_OPENAI_ENDPOINT", None),
    "anthropic": _SdkAddress("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
    "anthropic-vertex": _SdkAddress("ANTHROPIC_VERTEX_BASE_URL", None),
    "gemini": _SdkAddress("GOOGLE_GEMINI_BASE_URL", "https://generativelanguage.googleapis.com"),
    "vertex": _SdkAddress("GOOGLE_VERTEX_BASE_URL", None),
}


def upstreams(arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, Upstream]:
    """Return the servers to proxy, by name.

    Args:
        arguments: ``NAME=URL``, each overriding the default of that name.
        environment: the variables in which SDKs look for their base URL.

    Raises:
        InputError: an argument is not ``NAME=URL``, or a URL is not http or https.
    """
    urls = {name: environment.get(known.variable) or known.url for name, known in _SDKS.items()}
    for argument in arguments:
        name, equals, url = argument.partition("=")
        if not (equals and name.replace("-", "").replace("_", "").isalnum()):
            raise InputError(
                f"upstream {argument!r}: write it as NAME=URL, as in openai=http://…/v1"
            )
        urls[name] = url
    return {name: _upstream(name, url) for name, url in urls.items() if url}


def _upstream(name: str, url: str) -> Upstream:
    known = _SDKS.get(name)
    variable = known.variable if known else f"{name.upper().replace('-', '_')}_BASE_URL"
    return Upstream(name, _split(name, url), variable)


def origin(url: str) -> Upstream:
    """Return the server of a URL, under a name that cannot collide with a ``NAME=URL`` argument.

    Raises:
        InputError: the URL is not http or https.
    """
    parsed = _split("of the client", url)
    root = parsed._replace(netloc=parsed.netloc.rpartition("@")[2], path="", query="", fragment="")
    server = Upstream("", root, None)
    name = f"{root.scheme}:{server.authority}".translate(_BRACKETS)
    return server._replace(name=name)


def _split(name: str, url: str) -> SplitResult:
    try:
        parsed = urlsplit(url)
        usable = parsed.scheme in _PORTS and parsed.hostname and parsed.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"upstream {name}: {url!r} is not an http:// or https:// URL")
    return parsed
