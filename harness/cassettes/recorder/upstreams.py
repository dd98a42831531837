"""Whom the recorder stands for, and the environment variables that tell SDKs to ask it instead.

Rule of this file: an address that the environment names already is the one that is recorded, so a
gateway stays in the path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urlsplit

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PORTS = {"http": 80, "https": 443}
_BRACKETS = str.maketrans("[]", "()")  # those of an IPv6 address, which no path may hold


class Upstream(NamedTuple):
    """A server behind the recorder: its name, its address, and a variable that names it, if any."""

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
        """The host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.url.scheme] else f"{host}:{self.port}"

    def target(self, rest: str) -> str:
        """Return what to ask it for: its own path, and what the client asked below the recorder."""
        return f"{self.url.path.rstrip('/')}/{rest.lstrip('/')}"

    def uri(self, rest: str) -> str:
        """Return the whole address of what a client asked for."""
        return f"{self.url.scheme}://{self.authority}{self.target(rest)}"


class _Known(NamedTuple):
    """What an SDK reads, and whom it asks by default; None where that depends on the account."""

    variable: str
    url: str | None


# Read in the source of openai 3.52 (_client.py, lib/azure.py), anthropic 2.11 (_client.py,
# lib/vertex/_client.py) and google-genai 3.4 (_base_url.py).
_SDKS = {
    "openai": _Known("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    "azure": _Known("AZURE_OPENAI_ENDPOINT", None),
    "anthropic": _Known("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
    "anthropic-vertex": _Known("ANTHROPIC_VERTEX_BASE_URL", None),
    "gemini": _Known("GOOGLE_GEMINI_BASE_URL", "https://generativelanguage.googleapis.com"),
    "vertex": _Known("GOOGLE_VERTEX_BASE_URL", None),
}


def upstreams(named: Sequence[str], environment: Mapping[str, str]) -> dict[str, Upstream]:
    """Return the servers to stand for, by name.

    Args:
        named: ``NAME=URL``, each over what is known of that name.
        environment: where SDKs would look for an address.

    Raises:
        InputError: a word is no ``NAME=URL``.
    """
    urls = {name: environment.get(known.variable) or known.url for name, known in _SDKS.items()}
    for word in named:
        name, equals, url = word.partition("=")
        if not (equals and name.replace("-", "").replace("_", "").isalnum()):
            raise InputError(f"upstream {word!r}: write it as NAME=URL, as in openai=http://…/v1")
        urls[name] = url
    return {name: _upstream(name, url) for name, url in urls.items() if url}


def _upstream(name: str, url: str) -> Upstream:
    known = _SDKS.get(name)
    variable = known.variable if known else f"{name.upper().replace('-', '_')}_BASE_URL"
    return Upstream(name, _split(name, url), variable)


def origin(url: str) -> Upstream:
    """Return the server of an address; no word of ``NAME=URL`` is a name like its own.

    Raises:
        InputError: the address is none of http or https.
    """
    found = _split("of the client", url)
    root = found._replace(netloc=found.netloc.rpartition("@")[2], path="", query="", fragment="")
    bare = Upstream("", root, None)
    name = f"{root.scheme}:{bare.authority}".translate(_BRACKETS)
    return bare._replace(name=name)


def _split(name: str, url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        usable = found.scheme in _PORTS and found.hostname and found.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"upstream {name}: {url!r} is no http:// or https:// address")
    return found
