r"""The texts of a JSON document and where they stand in its bytes, whether or not it is whole.

Rules of this file: a text is found by what leads to it (keys, and the ``index`` of a list's objects
where they have one), so that the fragments of one text get one name in all events of a stream; a
document is never decoded as a whole, because what is broken must be scrubbed too.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

Name: TypeAlias = tuple[str | bytes | int, ...]

_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"?|([{}\[\]:,])|([^\s"{}\[\]:,]+)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))|[^\\]+|\\", re.DOTALL)
_SHORT = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_FOREIGN = b"\x80"  # stands for a character beyond ASCII; no secret holds one
_ASCII = 0x80
# The scalars of an event that tell its fragments apart from those of another. Ids are none of them:
# some servers make up new ones for each event.
_TELLING = frozenset({b"type", b"index", b"output_index", b"content_index", b"summary_index"})
_TEXT, _MARK = 1, 2  # groups of a token


class Leaf(NamedTuple):
    """One text: its name, its last key, and where it stands, without its quotes."""

    name: Name
    key: bytes
    start: int
    end: int


class Value(NamedTuple):
    """A value that no name depends on: where it stands, without its quotes if it is a text."""

    start: int
    end: int
    is_text: bool


class Walked(NamedTuple):
    """What a document holds: its texts, and the values that may change and no name with them."""

    leaves: list[Leaf]
    free: list[Value]


def leaves(document: bytes) -> list[Leaf]:
    """Return the texts of a document, or of several, one behind the other."""
    return walked(document).leaves


def walked(document: bytes) -> Walked:
    """Return the texts of a document, and which of its values are free to change."""
    return _Walk().walk(document)


class Text(NamedTuple):
    """A text without its escapes: ``places`` has the offset of each byte, and of the end."""

    content: bytes
    places: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the content stands in the bytes it was read from."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end]


def unescaped(raw: bytes) -> Text:
    """Return a text as it reads; what is beyond ASCII stays one foreign byte or its own bytes."""
    if b"\\" not in raw:
        return Text(raw, None)
    content = bytearray()
    places: list[int] = []
    for piece in _ESCAPE.finditer(raw):
        read = _read(piece)
        content += read
        whole = len(read) == piece.end() - piece.start()
        places += range(*piece.span()) if whole else [piece.start()] * len(read)
    return Text(bytes(content), [*places, len(raw)])


def _read(piece: re.Match[bytes]) -> bytes:
    if piece[1]:
        code = int(piece[1], 16)
        return bytes((code,)) if code < _ASCII else _FOREIGN
    return _SHORT.get(piece[2], piece[2]) if piece[2] else piece[0]


class _Box:
    """An object or list that is open.

    Args:
        parent: the one around it.
        is_list: whether it is a list.
    """

    __slots__ = ("_place", "in_list", "index", "is_list", "next", "wants_key")

    def __init__(self, parent: _Box | None, *, is_list: bool) -> None:
        self._place = parent.next if parent else 0
        self.in_list = parent is not None and parent.is_list
        self.is_list: bool = is_list
        self.wants_key = not is_list
        self.index: bytes | None = None
        self.next: bytes | int = 0 if is_list else b""  # where the next value will stand

    @property
    def step(self) -> bytes | int:
        """What it adds to a name: objects of a list go by their index where they have one."""
        return self._place if self.index is None or not self.in_list else self.index


class _Walk:
    """One walk through the tokens of a document."""

    def __init__(self) -> None:
        self._open: list[_Box] = []
        self._found: list[tuple[tuple[_Box, ...], bytes | int, int, int]] = []
        self._telling: list[bytes] = []
        self._free: list[Value] = []

    def walk(self, document: bytes) -> Walked:
        """Return what it holds."""
        for token in _TOKEN.finditer(document):
            if token.lastindex == _TEXT:
                self._text(token)
            elif token.lastindex == _MARK:
                self._mark(token[_MARK])
            else:
                self._scalar(token, 0)
        return Walked([self._leaf(*found) for found in self._found], self._free)

    def _leaf(self, boxes: tuple[_Box, ...], last: bytes | int, start: int, end: int) -> Leaf:
        events = bool(boxes) and boxes[0].is_list  # their places in the list are no part of a name
        steps = tuple(box.step for box in boxes[1 + events :])
        name = (*self._telling, *steps, *(() if events and len(boxes) == 1 else (last,)))
        return Leaf(name, last if isinstance(last, bytes) else b"", start, end)

    def _text(self, token: re.Match[bytes]) -> None:
        box = self._open[-1] if self._open else None
        if box is None:
            self._found.append(((), b"", *token.span(_TEXT)))
        elif box.wants_key:
            box.next, box.wants_key = token[_TEXT], False
        else:
            self._found.append((tuple(self._open), box.next, *token.span(_TEXT)))
            self._scalar(token, _TEXT)

    def _scalar(self, token: re.Match[bytes], group: int) -> None:
        if not self._open:
            return
        box = self._open[-1]
        if box.next in _TELLING:
            self._tell(box, token[group])
        else:
            self._free.append(Value(*token.span(group), group == _TEXT))

    def _tell(self, box: _Box, value: bytes) -> None:
        if box.next == b"index":
            box.index = value
        if len(self._open) == 1:
            self._telling.append(value)

    def _mark(self, mark: bytes) -> None:
        if mark in b"{[":
            parent = self._open[-1] if self._open else None
            self._open.append(_Box(parent, is_list=mark == b"["))
        elif mark in b"}]" and self._open:
            self._open.pop()
        elif mark == b"," and self._open:
            box = self._open[-1]
            box.wants_key = not box.is_list
            box.next = box.next + 1 if isinstance(box.next, int) else b""
