"""The registry of scripted responses by key, and the log of the exchanges of each key.

Rules of this file: a key is the first segments of a request's path and the rest is the provider's
own path, so no provider's URLs are known here; every method may be called from any thread; memory
is bounded by the registered scripts, whatever clients do.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import count
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote

from harness.errors import InputError

if TYPE_CHECKING:
    from harness.wire.script import Script

Side: TypeAlias = Literal["server", "client"]
Headers: TypeAlias = tuple[tuple[str, str], ...]

MAX_BODY = 64 * 1024  # bytes of a request body that are logged
MAX_EXCHANGES = 16  # newest exchanges that are logged for one key
MAX_LOGGED_KEYS = 512  # most recently used keys whose exchanges are logged

# The transport sets framing and connection headers: those of a recording would contradict them.
_HOP_BY_HOP = frozenset(
    {"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token
_HEADER_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_STATUSES = frozenset(range(200, 600)) - {204, 205, 304}  # RFC 9110, 15: those with content


class Request(NamedTuple):
    """A client's request; ``path`` is the request target, query included."""

    method: str
    path: str
    headers: Headers
    body: bytes


class ExchangeLog(NamedTuple):
    """What the server knows of one exchange.

    ``path`` is the provider's own path, without the key and with its query; ``body`` holds the
    first ``MAX_BODY`` bytes of the request body; ``bytes_sent`` counts response body bytes handed
    to the client; ``started`` is a value of ``time.monotonic``. ``closed_by`` is the side that
    closed the connection before the response was complete, None while it is being sent and after a
    clean end. A client that disconnects after the last byte was written cannot be distinguished
    from one that read it all: to observe a disconnect, give the script a pace or let it stall.
    """

    key: str
    method: str
    path: str
    headers: Headers
    body: bytes
    started: float
    bytes_sent: int
    closed_by: Side | None


class Exchange:
    """One exchange in progress; the transport records here what happens.

    Args:
        script: the response.
        request: the request.
        key: the key of the script.
    """

    __slots__ = ("_closed_by", "_key", "_request", "_started", "script", "sent")

    def __init__(self, script: Script, request: Request, key: str = "") -> None:
        # The response to HEAD is the head alone (RFC 9110, 9.3.2).
        head_only = request.method == "HEAD"
        self.script = script._replace(frames=(), recorded=(), end="clean") if head_only else script
        self.sent = 0
        self._key, self._request, self._started = key, request, monotonic()
        self._closed_by: Side | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The response headers as bytes."""
        return [(name.encode(), value.encode("latin-1")) for name, value in self.script.headers]

    def record_close(self, side: Side) -> None:
        """Record which side closed the connection; ignored after the first call or the end."""
        if self._closed_by is None and not self._complete:
            self._closed_by = side

    def log(self) -> ExchangeLog:
        """Return the current state of the exchange."""
        method, path, headers, body = self._request
        return ExchangeLog(
            self._key, method, path, headers, body, self._started, self.sent, self._closed_by
        )

    @property
    def _complete(self) -> bool:
        return self.script.end == "clean" and self.sent == sum(map(len, self.script.frames))


class ResponseRegistry:
    """Scripts by key, and the log of their exchanges. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._scripts: dict[str, Script] = {}
        self._exchanges: dict[str, deque[Exchange]] = {}  # least recently used key first

    def register(self, script: Script, key: str | None = None) -> str:
        """Register a script, replacing one under the same key and its log.

        Args:
            script: the response; connection and framing headers are removed.
            key: a path of one or more segments, or None for the next free number.

        Returns:
            The key, to be appended to the transport's base URL.

        Raises:
            InputError: the key is empty, or HTTP/1.1 cannot carry the script.
        """
        sendable = _sendable(script)
        with self._lock:
            name = self._next_number() if key is None else key.strip("/")
            if not name:
                raise InputError(f"key {key!r}: give at least one path segment, or None")
            self._scripts[name] = sendable
            self._exchanges.pop(name, None)
        return name

    def script_for(self, path: str) -> tuple[str, Script] | None:
        """Return the longest key that a path begins with, and its script, or None."""
        candidate = _decoded(path)
        while candidate:
            script = self._scripts.get(candidate)
            if script is not None:
                return candidate, script
            candidate = candidate.rpartition("/")[0]
        return None

    def unregister(self, key: str) -> None:
        """Remove a key with its log; an unknown key is ignored."""
        with self._lock:
            self._scripts.pop(key, None)
            self._exchanges.pop(key, None)

    def exchanges(self, key: str) -> tuple[ExchangeLog, ...]:
        """Return the newest exchanges of a key, oldest first, including those in progress."""
        with self._lock:
            exchanges = tuple(self._exchanges.get(key, ()))
        return tuple(exchange.log() for exchange in exchanges)

    def respond(self, request: Request) -> Exchange:
        """Start an exchange with the script of the path, or with a default response."""
        found = self.script_for(request.path)
        if found is None:
            return Exchange(self._default_response(request.path), request)
        key, script = found
        logged = request._replace(path=_own_path(request.path, key), body=request.body[:MAX_BODY])
        exchange = Exchange(script, logged, key)
        self._log(key, exchange)
        return exchange

    def _next_number(self) -> str:
        return next(name for name in map(str, self._numbers) if name not in self._scripts)

    def _default_response(self, path: str) -> Script:
        from harness.playback import default_responses

        with self._lock:
            keys = tuple(self._scripts)
        return (
            default_responses.not_found(path, keys)
            if _decoded(path)
            else default_responses.index(keys)
        )

    def _log(self, key: str, exchange: Exchange) -> None:
        with self._lock:
            exchanges = self._exchanges.pop(key, None) or deque(maxlen=MAX_EXCHANGES)
            exchanges.append(exchange)
            self._exchanges[key] = exchanges
            if len(self._exchanges) > MAX_LOGGED_KEYS:
                del self._exchanges[next(iter(self._exchanges))]


def _decoded(path: str) -> str:
    return unquote(path.partition("?")[0]).strip("/")


def _own_path(path: str, key: str) -> str:
    """Remove the key's segments from a request target; the rest stays as the client sent it."""
    without_query, mark, query = path.partition("?")
    segments = without_query.strip("/").split("/")[key.count("/") + 1 :]
    return "/" + "/".join(segments) + mark + query


def _sendable(script: Script) -> Script:
    """Return the script without headers of the transfer; refuse what HTTP/1.1 cannot carry."""
    script.check()
    if script.status not in _STATUSES:
        raise InputError(
            f"status {script.status}: a script needs a status whose response has a body"
        )
    for name, value in script.headers:
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise InputError(f"header {name!r}: {value!r} cannot be sent in HTTP/1.1")
    headers = tuple(pair for pair in script.headers if pair[0].lower() not in _HOP_BY_HOP)
    return script._replace(headers=headers)
