"""The journal: what was recorded so far, in an append-only file.

Each entry is one JSON line, written in one call, so a process that is killed leaves at most one
incomplete line, the last. At the end of a recording a cassette is made from the journal, and the
journal is removed. Bytes are stored as text; those that are not UTF-8 as lone surrogates.

Rule of this file: only scrubbed content is written.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.cassettes.cassette import (
    Interaction,
    Provenance,
    Read,
    Request,
    Response,
    Stream,
    StreamEnd,
)
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO, Self

_VERSION = 1


@dataclass(frozen=True)
class JournalHeader:
    """The first line of a journal; the field names are its JSON keys.

    Args:
        cassette: name of the cassette to make.
        keeps: whether the interactions that the cassette holds already are kept.
        provenance: of every exchange, without ``what``, which differs for each upstream.
    """

    cassette: str
    keeps: bool
    provenance: dict[str, str] = field(default_factory=dict)


class Journal:
    """A journal being written.

    Args:
        path: the file to create.
        header: its first line.

    Raises:
        InputError: the file exists or cannot be written.
    """

    def __init__(self, path: Path, header: JournalHeader) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            message = (
                "this journal belongs to a recording that is running or was interrupted; "
                "if it was interrupted, make a cassette of it with `harness record --recover`"
            )
            raise InputError(message, path=path) from None
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror})", path=path) from None
        self.append(journal=_VERSION, **vars(header))

    def append(self, **entry: object) -> None:
        """Append an entry; the operating system has it when this returns."""
        self._file.write(json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def text_of(content: bytes) -> str:
    """Return bytes as the text that an entry stores."""
    return content.decode("utf-8", "surrogateescape")


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class JournalReader:
    """A journal being read, one exchange at a time, so only one body is in memory.

    Args:
        path: the journal.

    Raises:
        InputError: the file cannot be read or is not a journal.

    ``answered`` counts the exchanges with a response, which is how many a cassette can hold.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offsets: dict[int, list[int]] = defaultdict(list)
        self.answered = 0
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", path=path) from None
        try:
            self.header = self._read_header()
        except (ValueError, KeyError, TypeError):
            self._file.close()
            message = "not a recording journal; name a .journal file that `harness record` wrote"
            raise InputError(message, path=path, line=1) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _read_header(self) -> JournalHeader:
        first = json.loads(self._file.readline())
        if first.pop("journal") != _VERSION:
            raise ValueError
        offset = self._file.tell()
        for line in self._file:
            if line.endswith(b"\n"):
                entry = json.loads(line)
                self._offsets[int(entry["n"])].append(offset)
                self.answered += "status" in entry
            offset += len(line)
        return JournalHeader(**first)

    def interactions(self) -> Iterator[Interaction]:
        """Yield each exchange that has a response, in the order of the requests."""
        for number in sorted(self._offsets):
            entries = [self._entry(offset) for offset in self._offsets[number]]
            if any("status" in entry for entry in entries):
                yield _interaction(entries, self.header.provenance)

    def _entry(self, offset: int) -> dict[str, Any]:
        self._file.seek(offset)
        entry: dict[str, Any] = json.loads(self._file.readline())
        return entry


def _interaction(entries: list[dict[str, Any]], provenance: dict[str, str]) -> Interaction:
    request_entry = next(entry for entry in entries if "method" in entry)
    answered = next(entry for entry in entries if "status" in entry)
    body = b"".join(_bytes_of(entry.get("text", "")) for entry in entries)
    reads = [Read(*read) for entry in entries for read in entry.get("reads", ())]
    # A killed process recorded no end: the stream counts as reset.
    end: StreamEnd = next((entry["end"] for entry in entries if "end" in entry), "reset")
    request = Request(
        request_entry["method"],
        request_entry["uri"],
        _headers(request_entry["headers"]),
        _bytes_of(request_entry["body"]),
    )
    stream = Stream(
        tuple(_reads_within(reads, len(body))), end, Provenance(request_entry["what"], **provenance)
    )
    response = Response(
        answered["status"], answered["reason"], _headers(answered["headers"]), body, stream
    )
    return Interaction(request, response)


def _headers(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)


def _reads_within(reads: list[Read], size: int) -> Iterator[Read]:
    """Yield the reads that cover the recorded bytes.

    A scrubber may have held back the last bytes of a read, and a killed process may not have
    recorded the end of one: the bytes that remain then count as one read.
    """
    offset = 0.0
    for read in reads:
        if size <= 0:
            return
        yield read._replace(length=min(read.length, size))
        size, offset = size - read.length, read.offset
    if size > 0:
        yield Read(size, offset)
