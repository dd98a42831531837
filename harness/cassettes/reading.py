"""Cassettes read: ours, and those of plain vcrpy, whatever version wrote them.

Rules of this file: a file is never believed, so each value has its form checked and each refusal
names line and cure; bodies come out decoded (vcrpy stores what crossed the wire, gzip included),
and then no header says otherwise.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from harness.cassettes.cassette import (
    Cassette,
    Headers,
    Interaction,
    Provenance,
    Read,
    Request,
    Response,
    Stream,
    StreamEnd,
)
from harness.cassettes.coding import codings_of, decoded
from harness.errors import InputError, UnknownWordError
from harness.yaml_file import Allowed, Lines, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

_ALLOWED = Allowed(size=256 * 1024 * 1024, values=1_000_000, binary=True)
_CODING = "content-encoding"
_CODED = frozenset({_CODING, "content-length"})  # untrue of a body that was decoded
_PROVENANCE = tuple(Provenance.__dataclass_fields__)


def load(path: Path) -> Cassette:
    """Read a cassette.

    Raises:
        InputError: the file is at fault; names file, line and cure.
    """
    return load_with_lines(path)[0]


def load_with_lines(path: Path) -> tuple[Cassette, Lines]:
    """Read a cassette, and the line of every key; otherwise as ``load``."""
    data, lines = read_yaml(path, _ALLOWED)
    try:
        return _cassette(Place(data, lines)), lines
    except InputError as error:
        raise error.at(path, error.line) from None


class Place:
    """A value of the file and where it stands.

    Args:
        value: the value.
        lines: the lines of the whole file.
        path: the keys that lead to it.
    """

    def __init__(self, value: Any, lines: Lines, path: tuple[str | int, ...] = ()) -> None:
        self.value, self._lines, self._path = value, lines, path

    def __getitem__(self, key: str) -> Place:
        """Return the place of a key that must be there."""
        if key not in self.mapping():
            self.refuse(f"`{key}` is missing here; is this a cassette?")
        return Place(self.value[key], self._lines, (*self._path, key))

    def get(self, key: str) -> Place | None:
        """Return the place of a key, None where it is absent or empty."""
        return self[key] if self.mapping().get(key) is not None else None

    def refuse(self, words: str) -> NoReturn:
        """Refuse the value."""
        raise InputError(words, line=self._lines.at(*self._path))

    def _what(self) -> str:
        return f"`{self._path[-1]}`" if self._path else "a cassette"

    def mapping(self) -> dict[str, Any]:
        """Return a mapping."""
        if not isinstance(self.value, dict):
            self.refuse(f"{self._what()} must be a mapping of keys")
        return self.value

    def items(self) -> list[Place]:
        """Return the places of a list, or of its one value where vcrpy once wrote no list."""
        values = self.value if isinstance(self.value, list) else [self.value]
        return [Place(value, self._lines, (*self._path, at)) for at, value in enumerate(values)]

    def text(self) -> str:
        """Return a text; a number that nobody quoted is one."""
        if isinstance(self.value, bytes):
            return self.value.decode("latin-1")
        if not isinstance(self.value, str | int | float) or isinstance(self.value, bool):
            self.refuse(f"{self._what()} must be text; put it in quotes")
        return str(self.value)

    def number(self) -> int:
        """Return a whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.refuse(f"{self._what()} must be a whole number")
        return self.value

    def content(self) -> bytes:
        """Return the bytes of a body."""
        if self.value is None:
            return b""
        if isinstance(self.value, bytes):
            return self.value
        if not isinstance(self.value, str):
            self.refuse(f"{self._what()} must be text or !!binary; only plain vcrpy YAML is read")
        try:
            return self.value.encode()
        except UnicodeEncodeError:
            self.refuse(f"{self._what()} holds half a character; write it as !!binary")


def _cassette(top: Place) -> Cassette:
    if isinstance(top.value, list):
        top.refuse("a list: vcrpy before 1.0 wrote such cassettes; record it again")
    interactions = top["interactions"]
    if not isinstance(interactions.value, list):
        interactions.refuse("`interactions` must be a list")
    found = tuple(map(_interaction, interactions.items()))
    version = top.get("version")
    if version is None:  # every writer ends with it
        interactions.refuse("`version: 1` is missing at the end; was the file cut short?")
    if version.value != 1:
        version.refuse(f"version {version.value!r:.20} is not read; 1 is the one there is")
    return Cassette(found)


def _interaction(place: Place) -> Interaction:
    return Interaction(_request(place["request"]), _response(place["response"]))


def _request(place: Place) -> Request:
    body = place.get("body")
    headers = place.get("headers")
    return Request(
        method=place["method"].text(),
        uri=place["uri"].text(),
        headers=_headers(headers) if headers else (),
        body=body.content() if body else b"",
    )


def _response(place: Place) -> Response:
    headers = _headers(place["headers"])
    status, reason = _status(place)
    stored = _body(place)
    body = stored.content()
    for coding in codings_of(value for name, value in headers if name.lower() == _CODING):
        try:
            body = decoded(body, coding)
        except InputError as error:
            stored.refuse(error.message)
        headers = tuple(pair for pair in headers if pair[0].lower() not in _CODED)
    stream = place.get("stream")
    return Response(status, reason, headers, body, _stream(stream, body) if stream else Stream())


def _status(place: Place) -> tuple[int, str]:
    if "status_code" in place.mapping():  # vcrpy wrote httpx so before 6.0
        return place["status_code"].number(), ""
    status = place["status"]
    message = status.get("message")
    return status["code"].number(), message.text() if message else ""


def _body(place: Place) -> Place:
    if "content" in place.mapping():  # the same
        return place["content"]
    body = place["body"]
    if "base64_string" not in body.mapping():
        return body["string"]
    coded = body["base64_string"]
    try:
        coded.value = base64.b64decode(coded.content(), validate=False)
    except binascii.Error:
        coded.refuse("`base64_string` is no base64")
    return coded


def _headers(place: Place) -> Headers:
    return tuple((name, value.text()) for name in place.mapping() for value in place[name].items())


def _stream(place: Place, body: bytes) -> Stream:
    end = place["end"]
    if end.value not in get_args(StreamEnd):
        end.refuse(str(UnknownWordError("end", str(end.value), get_args(StreamEnd))))
    reads = place.mapping().get("reads")
    provenance = place.get("provenance")
    return Stream(
        reads=None if reads is None else _reads(place["reads"], body),
        end=end.value,
        provenance=_provenance(provenance) if provenance else None,
    )


def _reads(place: Place, body: bytes) -> tuple[Read, ...]:
    try:
        pairs = [word.split("@") for word in place.text().split()]
        reads = tuple(Read(int(length), float(offset)) for length, offset in pairs)
    except ValueError:
        place.refuse("`reads` holds LENGTH@SECONDS, one after the other, as in 213@0.102")
    if any(read.length <= 0 for read in reads):
        place.refuse("`reads` holds a read without a byte")
    if sum(read.length for read in reads) != len(body):
        words = f"`reads` sum to {sum(read.length for read in reads):,} bytes"
        place.refuse(f"{words}, the body holds {len(body):,}; was it edited by hand?")
    return reads


def _provenance(place: Place) -> Provenance:
    for key in place.mapping():
        if key not in _PROVENANCE:
            place[key].refuse(str(UnknownWordError("provenance key", key, _PROVENANCE)))
    place["what"].text()
    return Provenance(**{key: place[key].text() for key in place.mapping()})
