"""A cassette as a value: HTTP exchanges, with the reads and the end of each body.

Rules of this file: bodies are the bytes of the wire, without transfer or content coding; what was
not recorded is None, never guessed; values that are written are scrubbed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]
StreamEnd: TypeAlias = Literal["clean", "reset", "client_closed"]


class Read(NamedTuple):
    """One read of a body: its length in bytes, and seconds since the request was sent."""

    length: int
    offset: float


@dataclass(frozen=True)
class Provenance:
    """What produced a recording.

    Args:
        what: the engine, server or source.
        version: its version.
        recorded: when, as an ISO 8601 date or time.
        licence: the licence of the content.
        command: the command that records it again.
    """

    what: str
    version: str | None = None
    recorded: str | None = None
    licence: str | None = None
    command: str | None = None


@dataclass(frozen=True)
class Stream:
    """How a body arrived: what vcrpy does not record.

    Args:
        reads: each read in order, their lengths summing to the body's; None if not recorded.
        end: ``clean``, ``reset`` (the provider's connection was lost before the body was complete)
            or ``client_closed`` (the client disconnected after the last recorded byte).
        provenance: what produced it, None if unknown.
    """

    reads: tuple[Read, ...] | None = None
    end: StreamEnd = "clean"
    provenance: Provenance | None = None


@dataclass(frozen=True)
class Request:
    """An HTTP request; headers keep their order and may repeat."""

    method: str
    uri: str
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """An HTTP response, complete or as far as it was read."""

    status: int = 200
    reason: str = "OK"
    headers: Headers = ()
    body: bytes = b""
    stream: Stream = Stream()


@dataclass(frozen=True)
class Interaction:
    """One exchange."""

    request: Request
    response: Response


@dataclass(frozen=True)
class Cassette:
    """Exchanges in the order of their requests."""

    interactions: tuple[Interaction, ...] = ()
