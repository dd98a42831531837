"""An incremental reader of one JSON object: its members while the text still arrives.

Part of the API of the streaming system: ``inner_thoughts`` is built on it, and so can be any other
stage that must act on a tool's arguments before they are complete. Nothing else here imports it.

https://www.rfc-editor.org/rfc/rfc8259

Rules of this file: every character is read once, wherever the text is cut; a member's value is
returned as raw text and, where it is a string, also decoded; an escape is never split; text that is
not an object is returned unchanged, as ``stray``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    State: TypeAlias = Callable[[str, "list[Piece]"], str]

Kind: TypeAlias = Literal["key", "raw", "text", "end", "close", "stray"]

_WINDOW = 4096  # characters per step, so that copying the unread rest of a text stays cheap


class Piece(NamedTuple):
    """What was read: a member's ``key``, its value as ``raw`` JSON and as ``text``, its ``end``.

    ``close`` is the closing brace of the object; ``stray`` is text that is not an object.
    """

    kind: Kind
    text: str = ""


_BLANK = " \t\r\n"
_SCALAR_END = re.compile(r"[,}\s]")
_NESTED = re.compile(r'["{}\[\]]')
# The tokens of a string; a high surrogate waits for the low one.
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_TOKEN = re.compile(
    rf'[^"\\]+|{_HIGH}{_LOW}|{_HIGH}(?=[^\\]|\\[^u])|(?!{_HIGH})\\u[0-9a-fA-F]{{4}}|\\[^u]'
)
_PAIRLESS = re.compile(rf"{_HIGH}(?=\\u[0-9a-fA-F]{{4}})")


class ObjectReader:
    """Reads one JSON object from pieces of text.

    ``feed`` returns what each piece completes. There is nothing to call at the end.
    """

    def __init__(self) -> None:
        self._state: State = self._before_object
        self._held = ""  # the end of a piece that is incomplete without the next
        self._key: list[str] = []
        self._depth = 0
        self._in_key = False

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of text; return the pieces of members it completes."""
        pieces: list[Piece] = []
        for start in range(0, len(text), _WINDOW):
            rest = self._held + text[start : start + _WINDOW]
            self._held = ""
            while rest:
                rest = self._state(rest, pieces)
        return pieces

    # Each state takes a non-empty text and returns the unread rest of it.

    def _before_object(self, text: str, _: list[Piece]) -> str:
        text = text.lstrip(_BLANK)
        if text:
            self._state = self._before_key if text[0] == "{" else self._stray
        return text[1:] if text[:1] == "{" else text

    def _stray(self, text: str, pieces: list[Piece]) -> str:
        pieces.append(Piece("stray", text))
        return ""

    def _before_key(self, text: str, pieces: list[Piece]) -> str:
        text = text.lstrip(_BLANK + ",")
        if text[:1] == '"':
            self._in_key, self._key, self._state = True, [], self._string
            return text[1:]
        if text:
            self._state = self._tail
            if text[0] == "}":
                pieces.append(Piece("close"))
        return ""

    def _tail(self, _text: str, _pieces: list[Piece]) -> str:
        return ""  # text after the object is ignored

    def _before_value(self, text: str, pieces: list[Piece]) -> str:
        text = text.lstrip(_BLANK + ":")
        if not text:
            return ""
        if text[0] == '"':
            pieces.append(Piece("raw", '"'))
            self._in_key, self._state = False, self._string
            return text[1:]
        self._state = self._nested if text[0] in "{[" else self._scalar
        return text

    def _scalar(self, text: str, pieces: list[Piece]) -> str:
        end = _SCALAR_END.search(text)
        raw = text[: end.start()] if end else text
        if raw:
            pieces.append(Piece("raw", raw))
        if end is None:
            return ""
        self._end_member(pieces)
        return text[end.start() :]

    def _nested(self, text: str, pieces: list[Piece]) -> str:
        """Return an object or array as raw text; strings are skipped, as they may hold brackets."""
        for mark in _NESTED.finditer(text):
            if mark.group() == '"':
                pieces.append(Piece("raw", text[: mark.end()]))
                self._state = self._nested_string
                return text[mark.end() :]
            self._depth += 1 if mark.group() in "{[" else -1
            if self._depth == 0:
                pieces.append(Piece("raw", text[: mark.end()]))
                self._end_member(pieces)
                return text[mark.end() :]
        pieces.append(Piece("raw", text))
        return ""

    def _nested_string(self, text: str, pieces: list[Piece]) -> str:
        raw, rest, closed = self._tokens(text)
        if closed:
            self._state = self._nested
        if raw or closed:
            pieces.append(Piece("raw", raw + ('"' if closed else "")))
        return rest

    def _string(self, text: str, pieces: list[Piece]) -> str:
        raw, rest, closed = self._tokens(text)
        if self._in_key:
            self._key.append(raw)
            if closed:
                pieces.append(Piece("key", _decoded("".join(self._key))))
                self._state = self._before_value
            return rest
        if raw:
            pieces += (Piece("raw", raw), Piece("text", _decoded(raw)))
        if closed:
            pieces.append(Piece("raw", '"'))
            self._end_member(pieces)
        return rest

    def _end_member(self, pieces: list[Piece]) -> None:
        pieces.append(Piece("end"))
        self._state = self._before_key

    def _tokens(self, text: str) -> tuple[str, str, bool]:
        """Return the complete tokens of a string, the rest, and whether it was closed."""
        at = 0
        while at < len(text) and text[at] != '"':
            token = _TOKEN.match(text, at) or _PAIRLESS.match(text, at)
            if token is None:
                self._held = text[at:]  # an incomplete escape or surrogate pair
                return text[:at], "", False
            at = token.end()
        closed = at < len(text)
        return text[:at], text[at + 1 :] if closed else "", closed


def _decoded(raw: str) -> str:
    """Decode the inside of a JSON string; an invalid one stays as it is."""
    if "\\" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
