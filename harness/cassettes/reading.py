"""Cassettes read: ours, and those of plain vcrpy in all its versions.

Rules of this file: the type of each value is checked, and each error names line and cure; bodies
are returned decoded (vcrpy stores them as sent, gzip included), without the headers of the coding.
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
_CODED = frozenset({_CODING, "content-length"})  # not true of a decoded body
_PROVENANCE = tuple(Provenance.__dataclass_fields__)


def load(path: Path) -> Cassette:
    """Read a cassette.

    Raises:
        InputError: the file is invalid; names file, line and cure.
    """
    return load_with_lines(path)[0]


def load_with_lines(path: Path) -> tuple[Cassette, Lines]:
    """Read a cassette and the line of every key; otherwise like ``load``."""
    data, lines = read_yaml(path, _ALLOWED)
    try:
        return _cassette(Node(data, lines)), lines
    except InputError as error:
        raise error.at(path, error.line) from None


class Node:
    """A value of the file and its position.

    Args:
        value: the value.
        lines: the lines of the file.
        path: the keys that lead to the value.
    """

    def __init__(self, value: Any, lines: Lines, path: tuple[str | int, ...] = ()) -> None:
        self.value, self._lines, self._path = value, lines, path

    def __getitem__(self, key: str) -> Node:
        """Return the node of a required key."""
        if key not in self.mapping():
            self.refuse(f"`{key}` is missing here; is this a cassette?")
        return Node(self.value[key], self._lines, (*self._path, key))

    def get(self, key: str) -> Node | None:
        """Return the node of a key, None if it is absent or null."""
        return self[key] if self.mapping().get(key) is not None else None

    def refuse(self, message: str) -> NoReturn:
        """Raise an InputError with the line of the value."""
        raise InputError(message, line=self._lines.at(*self._path))

    def _label(self) -> str:
        return f"`{self._path[-1]}`" if self._path else "a cassette"

    def mapping(self) -> dict[str, Any]:
        """Return the value, which must be a mapping."""
        if not isinstance(self.value, dict):
            self.refuse(f"{self._label()} must be a mapping of keys")
        return self.value

    def items(self) -> list[Node]:
        """Return the nodes of a list; some versions of vcrpy wrote a single value without list."""
        values = self.value if isinstance(self.value, list) else [self.value]
        return [Node(value, self._lines, (*self._path, at)) for at, value in enumerate(values)]

    def text(self) -> str:
        """Return the value, which must be text; an unquoted number is accepted."""
        if isinstance(self.value, bytes):
            return self.value.decode("latin-1")
        if not isinstance(self.value, str | int | float) or isinstance(self.value, bool):
            self.refuse(f"{self._label()} must be text; put it in quotes")
        return str(self.value)

    def number(self) -> int:
        """Return the value, which must be an integer."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.refuse(f"{self._label()} must be an integer")
        return self.value

    def content(self) -> bytes:
        """Return the bytes of a body."""
        if self.value is None:
            return b""
        if isinstance(self.value, bytes):
            return self.value
        if not isinstance(self.value, str):
            self.refuse(f"{self._label()} must be text or !!binary; only plain vcrpy YAML is read")
        try:
            return self.value.encode()
        except UnicodeEncodeError:
            self.refuse(f"{self._label()} contains a lone surrogate; write it as !!binary")


def _cassette(top: Node) -> Cassette:
    if isinstance(top.value, list):
        top.refuse("a cassette in the format of vcrpy before 1.0; record it again")
    nodes = top["interactions"]
    if not isinstance(nodes.value, list):
        nodes.refuse("`interactions` must be a list")
    interactions = tuple(map(_interaction, nodes.items()))
    version = top.get("version")
    if version is None:  # all writers put it at the end
        nodes.refuse("`version: 1` is missing at the end; was the file cut short?")
    if version.value != 1:
        version.refuse(f"version {version.value!r:.20} is not supported; the only version is 1")
    return Cassette(interactions)


def _interaction(node: Node) -> Interaction:
    return Interaction(_request(node["request"]), _response(node["response"]))


def _request(node: Node) -> Request:
    body = node.get("body")
    headers = node.get("headers")
    return Request(
        method=node["method"].text(),
        uri=node["uri"].text(),
        headers=_headers(headers) if headers else (),
        body=body.content() if body else b"",
    )


def _response(node: Node) -> Response:
    headers = _headers(node["headers"])
    status, reason = _status(node)
    stored = _body(node)
    body = stored.content()
    for coding in codings_of(value for name, value in headers if name.lower() == _CODING):
        try:
            body = decoded(body, coding)
        except InputError as error:
            stored.refuse(error.message)
        headers = tuple(pair for pair in headers if pair[0].lower() not in _CODED)
    stream = node.get("stream")
    return Response(status, reason, headers, body, _stream(stream, body) if stream else Stream())


def _status(node: Node) -> tuple[int, str]:
    if "status_code" in node.mapping():  # vcrpy before 6.0 wrote httpx this way
        return node["status_code"].number(), ""
    status = node["status"]
    message = status.get("message")
    return status["code"].number(), message.text() if message else ""


def _body(node: Node) -> Node:
    if "content" in node.mapping():  # the same
        return node["content"]
    body = node["body"]
    if "base64_string" not in body.mapping():
        return body["string"]
    coded = body["base64_string"]
    try:
        coded.value = base64.b64decode(coded.content(), validate=False)
    except binascii.Error:
        coded.refuse("`base64_string` is not valid base64")
    return coded


def _headers(node: Node) -> Headers:
    return tuple((name, value.text()) for name in node.mapping() for value in node[name].items())


def _stream(node: Node, body: bytes) -> Stream:
    end = node["end"]
    if end.value not in get_args(StreamEnd):
        end.refuse(str(UnknownWordError("end", str(end.value), get_args(StreamEnd))))
    reads = node.mapping().get("reads")
    provenance = node.get("provenance")
    return Stream(
        reads=None if reads is None else _reads(node["reads"], body),
        end=end.value,
        provenance=_provenance(provenance) if provenance else None,
    )


def _reads(node: Node, body: bytes) -> tuple[Read, ...]:
    try:
        pairs = [item.split("@") for item in node.text().split()]
        reads = tuple(Read(int(length), float(offset)) for length, offset in pairs)
    except ValueError:
        node.refuse("`reads` must be a list of LENGTH@SECONDS, as in 213@0.102 88@0.104")
    if any(read.length <= 0 for read in reads):
        node.refuse("`reads` contains a read of 0 bytes")
    if sum(read.length for read in reads) != len(body):
        message = f"`reads` sum to {sum(read.length for read in reads):,} bytes"
        node.refuse(f"{message}, but the body has {len(body):,}; was it edited by hand?")
    return reads


def _provenance(node: Node) -> Provenance:
    for key in node.mapping():
        if key not in _PROVENANCE:
            node[key].refuse(str(UnknownWordError("provenance key", key, _PROVENANCE)))
    node["what"].text()
    return Provenance(**{key: node[key].text() for key in node.mapping()})
