"""The registry both speakers share: scripts under keys, and evidence of who asked for them.

Rules of this file: a key is the first segments of a request's path and whatever follows is the
provider's own path, so no provider's URLs are known here; every method may be called from any
thread; memory is bounded by the scripts put, whatever clients do.
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
from harness.playback import notices

if TYPE_CHECKING:
    from harness.wire.script import Script

Side: TypeAlias = Literal["server", "client"]
Headers: TypeAlias = tuple[tuple[str, str], ...]

BODY_KEPT = 64 * 1024  # bytes of a request body kept as evidence
EXCHANGES_KEPT = 16  # of one key, the newest
KEYS_KEPT = 512  # keys with evidence, the last used

# Framing and connection are the speaker's: those of a recording would contradict them.
_HOP_BY_HOP = frozenset(
    {"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token
_HEADER_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_STATUSES = frozenset(range(200, 600)) - {204, 205, 304}  # RFC 9110, 15: those with content


class Request(NamedTuple):
    """What a client sent; ``path`` is the whole request target, its query included."""

    method: str
    path: str
    headers: Headers
    body: bytes


class ExchangeLog(NamedTuple):
    """What happened in one exchange, as far as the server can know.

    ``path`` is the provider's own path, without the key and with its query; ``body`` holds the
    first ``BODY_KEPT`` bytes of the request's; ``bytes_sent`` counts response body bytes handed to
    the client; ``started`` is a reading of ``time.monotonic``. ``closed_by`` names who left before
    the response was complete, and is None while it is being spoken and after a clean end. A client
    that leaves after the last byte was handed to its socket cannot be told from one that read it
    all: to see a client leave, give the script a pace or let it stall.
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
    """One request being answered; its speaker notes here what happens.

    Args:
        script: what to say.
        request: what was asked.
        key: the key it was found under.
    """

    __slots__ = ("_closed_by", "_key", "_request", "_started", "script", "sent")

    def __init__(self, script: Script, request: Request, key: str = "") -> None:
        # The answer to a HEAD is the head of the answer (RFC 9110, 9.3.2).
        head_only = request.method == "HEAD"
        self.script = script._replace(frames=(), recorded=(), end="clean") if head_only else script
        self.sent = 0
        self._key, self._request, self._started = key, request, monotonic()
        self._closed_by: Side | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The response headers as they stand on the wire."""
        return [(name.encode(), value.encode("latin-1")) for name, value in self.script.headers]

    def left(self, side: Side) -> None:
        """Note who ended the exchange; only the first to do so counts, and only before its end."""
        if self._closed_by is None and not self._complete:
            self._closed_by = side

    def evidence(self) -> ExchangeLog:
        """Return what is known by now."""
        method, path, headers, body = self._request
        return ExchangeLog(
            self._key, method, path, headers, body, self._started, self.sent, self._closed_by
        )

    @property
    def _complete(self) -> bool:
        return self.script.end == "clean" and self.sent == sum(map(len, self.script.frames))


class ResponseRegistry:
    """Scripts under keys, and the evidence of their exchanges. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._scripts: dict[str, Script] = {}
        self._kept: dict[str, deque[Exchange]] = {}  # in the order of last use

    def put(self, script: Script, key: str | None = None) -> str:
        """Register what is to be said, in place of what the key said before.

        Args:
            script: the response; headers of the transfer itself are left out of it.
            key: a path of one or more segments, or None for the next number.

        Returns:
            The key, to be appended to a speaker's base URL.

        Raises:
            InputError: the key is empty, or the script is no response that HTTP/1.1 can carry.
        """
        spoken = _speakable(script)
        with self._lock:
            name = self._next_number() if key is None else key.strip("/")
            if not name:
                raise InputError(f"key {key!r}: give at least one path segment, or None")
            self._scripts[name] = spoken
            self._kept.pop(name, None)
        return name

    def script_for(self, path: str) -> tuple[str, Script] | None:
        """Return the longest key a path begins with, and its script; None where there is none."""
        candidate = _decoded(path)
        while candidate:
            script = self._scripts.get(candidate)
            if script is not None:
                return candidate, script
            candidate = candidate.rpartition("/")[0]
        return None

    def forget(self, key: str) -> None:
        """Drop a key with its evidence; an unknown key is nothing to complain about."""
        with self._lock:
            self._scripts.pop(key, None)
            self._kept.pop(key, None)

    def evidence(self, key: str) -> tuple[ExchangeLog, ...]:
        """Return the newest exchanges of a key, oldest first; those still going on included."""
        with self._lock:
            kept = tuple(self._kept.get(key, ()))
        return tuple(exchange.evidence() for exchange in kept)

    def answer(self, request: Request) -> Exchange:
        """Begin an exchange: the script the path asks for, or a notice that says what would do."""
        found = self.script_for(request.path)
        if found is None:
            return Exchange(self._notice(request.path), request)
        key, script = found
        own = request._replace(path=_own_path(request.path, key), body=request.body[:BODY_KEPT])
        exchange = Exchange(script, own, key)
        self._keep(key, exchange)
        return exchange

    def _next_number(self) -> str:
        return next(name for name in map(str, self._numbers) if name not in self._scripts)

    def _notice(self, path: str) -> Script:
        with self._lock:
            keys = tuple(self._scripts)
        return notices.not_found(path, keys) if _decoded(path) else notices.index(keys)

    def _keep(self, key: str, exchange: Exchange) -> None:
        with self._lock:
            kept = self._kept.pop(key, None) or deque(maxlen=EXCHANGES_KEPT)
            kept.append(exchange)
            self._kept[key] = kept
            if len(self._kept) > KEYS_KEPT:
                del self._kept[next(iter(self._kept))]


def _decoded(path: str) -> str:
    return unquote(path.partition("?")[0]).strip("/")


def _own_path(path: str, key: str) -> str:
    """Cut the key's segments off a request target; the rest stays as the client spelled it."""
    bare, mark, query = path.partition("?")
    segments = bare.strip("/").split("/")[key.count("/") + 1 :]
    return "/" + "/".join(segments) + mark + query


def _speakable(script: Script) -> Script:
    """Return the script with the headers a speaker may send; refuse what HTTP/1.1 cannot carry."""
    script.check()
    if script.status not in _STATUSES:
        raise InputError(
            f"status {script.status}: a script needs a status of a response with a body"
        )
    for name, value in script.headers:
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise InputError(f"header {name!r}: {value!r} cannot be sent in HTTP/1.1")
    kept = tuple(pair for pair in script.headers if pair[0].lower() not in _HOP_BY_HOP)
    return script._replace(headers=kept)
