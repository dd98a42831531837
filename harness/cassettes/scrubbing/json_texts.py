r"""The texts of a JSON document and their positions in its bytes, complete or truncated.

Rules of this file: a text is named by the path to it (keys, and the ``index`` of a list's objects
if they have one), so that the fragments of one text have the same name in all events of a stream;
the document is tokenized, not decoded, because malformed documents must be scrubbed too.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

Name: TypeAlias = tuple[str | bytes | int, ...]

_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"?|([{}\[\]:,])|([^\s"{}\[\]:,]+)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))|[^\\]+|\\", re.DOTALL)
_SHORT = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NON_ASCII = b"\x80"  # replaces an escaped character beyond ASCII; secrets contain none
_ASCII = 0x80
# The scalars of an event that distinguish its fragments from those of other texts. Ids are not
# among them: some servers create a new one for each event.
_DISTINGUISHING = frozenset(
    {b"type", b"index", b"output_index", b"content_index", b"summary_index"}
)
_TEXT, _MARK = 1, 2  # groups of a token


class JsonText(NamedTuple):
    """One text: its name, its last key, and its position without the quotes."""

    name: Name
    key: bytes
    start: int
    end: int


class FreeValue(NamedTuple):
    """A value that no name depends on: its position, without the quotes if it is a text."""

    start: int
    end: int
    is_text: bool


class Parsed(NamedTuple):
    """The texts of a document, and the values that may change without changing a name."""

    texts: list[JsonText]
    free: list[FreeValue]


def json_texts(document: bytes) -> list[JsonText]:
    """Return the texts of a document, or of several in a row."""
    return parse(document).texts


def parse(document: bytes) -> Parsed:
    """Return the texts of a document, and its values that no name depends on."""
    return _Parser().parse(document)


class Text(NamedTuple):
    """A text without its escapes; ``offsets`` are those of each byte and of the end, or None."""

    content: bytes
    offsets: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the position of a part of the content in the bytes it was read from."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end]


def unescaped(raw: bytes) -> Text:
    """Return a text without escapes; an escaped non-ASCII character becomes one 0x80 byte."""
    if b"\\" not in raw:
        return Text(raw, None)
    content = bytearray()
    offsets: list[int] = []
    for piece in _ESCAPE.finditer(raw):
        read = _read(piece)
        content += read
        verbatim = len(read) == piece.end() - piece.start()
        offsets += range(*piece.span()) if verbatim else [piece.start()] * len(read)
    return Text(bytes(content), [*offsets, len(raw)])


def _read(piece: re.Match[bytes]) -> bytes:
    if piece[1]:
        code = int(piece[1], 16)
        return bytes((code,)) if code < _ASCII else _NON_ASCII
    return _SHORT.get(piece[2], piece[2]) if piece[2] else piece[0]


class _Container:
    """An object or list that is open.

    Args:
        parent: the container around it.
        is_list: whether it is a list.
    """

    __slots__ = ("_position", "in_list", "index", "is_list", "next", "wants_key")

    def __init__(self, parent: _Container | None, *, is_list: bool) -> None:
        self._position = parent.next if parent else 0
        self.in_list = parent is not None and parent.is_list
        self.is_list: bool = is_list
        self.wants_key = not is_list
        self.index: bytes | None = None
        self.next: bytes | int = 0 if is_list else b""  # key or index of the next value

    @property
    def step(self) -> bytes | int:
        """What it adds to a name: for an object in a list its ``index``, if it has one."""
        return self._position if self.index is None or not self.in_list else self.index


class _Parser:
    """Parses the tokens of one document."""

    def __init__(self) -> None:
        self._open: list[_Container] = []
        self._texts: list[tuple[tuple[_Container, ...], bytes | int, int, int]] = []
        self._prefix: list[bytes] = []
        self._free: list[FreeValue] = []

    def parse(self, document: bytes) -> Parsed:
        """Return its texts and free values."""
        for token in _TOKEN.finditer(document):
            if token.lastindex == _TEXT:
                self._on_text(token)
            elif token.lastindex == _MARK:
                self._on_mark(token[_MARK])
            else:
                self._on_scalar(token, 0)
        return Parsed([self._json_text(*text) for text in self._texts], self._free)

    def _json_text(
        self, containers: tuple[_Container, ...], last: bytes | int, start: int, end: int
    ) -> JsonText:
        # In a list of events, the index of an event is not part of a name.
        events = bool(containers) and containers[0].is_list
        steps = tuple(container.step for container in containers[1 + events :])
        name = (*self._prefix, *steps, *(() if events and len(containers) == 1 else (last,)))
        return JsonText(name, last if isinstance(last, bytes) else b"", start, end)

    def _on_text(self, token: re.Match[bytes]) -> None:
        container = self._open[-1] if self._open else None
        if container is None:
            self._texts.append(((), b"", *token.span(_TEXT)))
        elif container.wants_key:
            container.next, container.wants_key = token[_TEXT], False
        else:
            self._texts.append((tuple(self._open), container.next, *token.span(_TEXT)))
            self._on_scalar(token, _TEXT)

    def _on_scalar(self, token: re.Match[bytes], group: int) -> None:
        if not self._open:
            return
        container = self._open[-1]
        if container.next in _DISTINGUISHING:
            self._name_by(container, token[group])
        else:
            self._free.append(FreeValue(*token.span(group), group == _TEXT))

    def _name_by(self, container: _Container, value: bytes) -> None:
        if container.next == b"index":
            container.index = value
        if len(self._open) == 1:
            self._prefix.append(value)

    def _on_mark(self, mark: bytes) -> None:
        if mark in b"{[":
            parent = self._open[-1] if self._open else None
            self._open.append(_Container(parent, is_list=mark == b"["))
        elif mark in b"}]" and self._open:
            self._open.pop()
        elif mark == b"," and self._open:
            container = self._open[-1]
            container.wants_key = not container.is_list
            container.next = container.next + 1 if isinstance(container.next, int) else b""
