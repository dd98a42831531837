"""The journal: what was taken down so far, in a file that is only ever appended to.

One JSON line an entry, whole at once, so whoever kills the process at any moment leaves a journal
of which at most the last line is torn; a cassette is made of it, then it goes. Bytes stand as text,
those that are no UTF-8 as half surrogates.

Rule of this file: what is written here was scrubbed before.
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
class Opening:
    """What the first line says.

    Args:
        cassette: the file that is to be made.
        keeps: whether what stands in that file stays.
        provenance: of every exchange; ``what`` is each upstream's own.
    """

    cassette: str
    keeps: bool
    provenance: dict[str, str] = field(default_factory=dict)


class Journal:
    """A journal being written.

    Args:
        path: its place; nothing may lie there.
        opening: its first line.

    Raises:
        InputError: something lies there, or nothing can be written there.
    """

    def __init__(self, path: Path, opening: Opening) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            words = (
                "a recording that goes on, or was interrupted; of the latter "
                "`harness record --recover` makes a cassette"
            )
            raise InputError(words, path=path) from None
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror})", path=path) from None
        self.note(journal=_VERSION, **vars(opening))

    def note(self, **entry: object) -> None:
        """Append an entry; it reaches the system before this returns."""
        self._file.write(json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def text_of(content: bytes) -> str:
    """Return bytes as an entry holds them."""
    return content.decode("utf-8", "surrogateescape")


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class JournalReader:
    """A journal being read, one exchange after the other, never all bodies at once.

    Args:
        path: its place.

    Raises:
        InputError: it is no journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[int, list[int]] = defaultdict(list)
        self.answered = 0  # exchanges of which a cassette can be made
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", path=path) from None
        try:
            self.opening = self._open()
        except (ValueError, KeyError, TypeError):
            self._file.close()
            words = "no journal of a recording; name the file that `harness record` left"
            raise InputError(words, path=path, line=1) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _open(self) -> Opening:
        first = json.loads(self._file.readline())
        if first.pop("journal") != _VERSION:
            raise ValueError
        place = self._file.tell()
        for line in self._file:
            if line.endswith(b"\n"):
                entry = json.loads(line)
                self._places[int(entry["n"])].append(place)
                self.answered += "status" in entry
            place += len(line)
        return Opening(**first)

    def interactions(self) -> Iterator[Interaction]:
        """Yield each exchange that was answered, in the order in which they were asked."""
        for number in sorted(self._places):
            entries = [self._entry(place) for place in self._places[number]]
            if any("status" in entry for entry in entries):
                yield _interaction(entries, self.opening.provenance)

    def _entry(self, place: int) -> dict[str, Any]:
        self._file.seek(place)
        entry: dict[str, Any] = json.loads(self._file.readline())
        return entry


def _interaction(entries: list[dict[str, Any]], provenance: dict[str, str]) -> Interaction:
    asked = next(entry for entry in entries if "method" in entry)
    answered = next(entry for entry in entries if "status" in entry)
    body = b"".join(_bytes_of(entry.get("text", "")) for entry in entries)
    reads = [Read(*read) for entry in entries for read in entry.get("reads", ())]
    # Whoever was killed took down no end: the stream is as good as reset.
    end: StreamEnd = next((entry["end"] for entry in entries if "end" in entry), "reset")
    request = Request(
        asked["method"], asked["uri"], _headers(asked["headers"]), _bytes_of(asked["body"])
    )
    stream = Stream(tuple(_fitting(reads, len(body))), end, Provenance(asked["what"], **provenance))
    response = Response(
        answered["status"], answered["reason"], _headers(answered["headers"]), body, stream
    )
    return Interaction(request, response)


def _headers(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)


def _fitting(reads: list[Read], size: int) -> Iterator[Read]:
    """Yield the reads of the bytes that were taken down.

    The last of a read may have been held; or its end was not taken down any more, as when somebody
    was killed: then what there is of it is one.
    """
    offset = 0.0
    for read in reads:
        if size <= 0:
            return
        yield read._replace(length=min(read.length, size))
        size, offset = size - read.length, read.offset
    if size > 0:
        yield Read(size, offset)
