"""A cassette as a value: HTTP exchanges, down to the reads of each body and the way it ended.

Rules of this file: bodies are the bytes that crossed the wire, without transfer or content coding;
what a recorder did not see is None, never guessed; values hold what may be kept, so nothing
unscrubbed is ever made into one that is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]
StreamEnd: TypeAlias = Literal["clean", "reset", "client_closed"]


class Read(NamedTuple):
    """One read of a body: its length in bytes, and seconds since the request was sent whole."""

    length: int
    offset: float


@dataclass(frozen=True)
class Provenance:
    """What produced a recording: ``what`` (engine or source), its version, when, its licence.

    ``command`` is the line that makes it again; ``recorded`` an ISO 8601 date.
    """

    what: str
    version: str | None = None
    recorded: str | None = None
    licence: str | None = None
    command: str | None = None


@dataclass(frozen=True)
class Stream:
    """How a body came: what vcrpy does not keep.

    Args:
        reads: each read in order, their lengths summing to the body's; None where nobody kept them.
        end: ``clean``, ``reset`` (the provider's connection was lost before the body was complete)
            or ``client_closed`` (the reader left after the last byte of the body kept here).
        provenance: what produced it, where that is known.
    """

    reads: tuple[Read, ...] | None = None
    end: StreamEnd = "clean"
    provenance: Provenance | None = None


@dataclass(frozen=True)
class Request:
    """What was asked; headers keep their order and may repeat."""

    method: str
    uri: str
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """What was answered, whole or as far as it was read."""

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
    """Exchanges in the order in which they were asked for."""

    interactions: tuple[Interaction, ...] = ()
