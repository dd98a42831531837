"""The members of one JSON object, read while its text arrives in pieces.

https://www.rfc-editor.org/rfc/rfc8259

Rules of this file: every character is looked at once, wherever the text is cut; a member's value is
handed on as raw text and, where it is a string, as the words it spells; an escape is never handed
on in halves; text that is no object is handed on as it is, for somebody else to refuse.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    State: TypeAlias = Callable[[str, "list[Piece]"], str]

Kind: TypeAlias = Literal["key", "raw", "words", "end", "close", "stray"]

_WINDOW = 4096  # characters read at once, so that what is left of a text is cheap to hand on


class Piece(NamedTuple):
    """What was read: a member's ``key``, ``raw`` text and ``words`` of its value, its ``end``.

    ``close`` is the object's own brace; ``stray`` is all the text where it is no object.
    """

    kind: Kind
    text: str = ""


_BLANK = " \t\r\n"
_SCALAR_END = re.compile(r"[,}\s]")
_NESTED = re.compile(r'["{}\[\]]')
# What a string holds, token by token; a high surrogate waits for its other half.
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_TOKEN = re.compile(
    rf'[^"\\]+|{_HIGH}{_LOW}|{_HIGH}(?=[^\\]|\\[^u])|(?!{_HIGH})\\u[0-9a-fA-F]{{4}}|\\[^u]'
)
_PAIRLESS = re.compile(rf"{_HIGH}(?=\\u[0-9a-fA-F]{{4}})")


class ObjectReader:
    """Reads one JSON object from pieces of text.

    ``feed`` returns what each piece completes; nothing has to be called at the end, for what is
    then missing never came.
    """

    def __init__(self) -> None:
        self._state: State = self._before_object
        self._held = ""  # the end of a piece that cannot be read without the next
        self._key: list[str] = []
        self._depth = 0
        self._in_key = False

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of text; return the pieces of members it completes."""
        found: list[Piece] = []
        for start in range(0, len(text), _WINDOW):
            rest = self._held + text[start : start + _WINDOW]
            self._held = ""
            while rest:
                rest = self._state(rest, found)
        return found

    # Each state takes a non-empty text and returns what it left of it.

    def _before_object(self, text: str, _: list[Piece]) -> str:
        text = text.lstrip(_BLANK)
        if text:
            self._state = self._before_key if text[0] == "{" else self._stray
        return text[1:] if text[:1] == "{" else text

    def _stray(self, text: str, found: list[Piece]) -> str:
        found.append(Piece("stray", text))
        return ""

    def _before_key(self, text: str, found: list[Piece]) -> str:
        text = text.lstrip(_BLANK + ",")
        if text[:1] == '"':
            self._in_key, self._key, self._state = True, [], self._string
            return text[1:]
        if text:
            self._state = self._tail
            if text[0] == "}":
                found.append(Piece("close"))
        return ""

    def _tail(self, _text: str, _found: list[Piece]) -> str:
        return ""  # nothing that follows the object belongs to it

    def _before_value(self, text: str, found: list[Piece]) -> str:
        text = text.lstrip(_BLANK + ":")
        if not text:
            return ""
        if text[0] == '"':
            found.append(Piece("raw", '"'))
            self._in_key, self._state = False, self._string
            return text[1:]
        self._state = self._nested if text[0] in "{[" else self._scalar
        return text

    def _scalar(self, text: str, found: list[Piece]) -> str:
        end = _SCALAR_END.search(text)
        raw = text[: end.start()] if end else text
        if raw:
            found.append(Piece("raw", raw))
        if end is None:
            return ""
        self._end_member(found)
        return text[end.start() :]

    def _nested(self, text: str, found: list[Piece]) -> str:
        """Pass an object or array through; strings in it only matter for the brackets they hold."""
        for mark in _NESTED.finditer(text):
            if mark.group() == '"':
                found.append(Piece("raw", text[: mark.end()]))
                self._state = self._nested_string
                return text[mark.end() :]
            self._depth += 1 if mark.group() in "{[" else -1
            if self._depth == 0:
                found.append(Piece("raw", text[: mark.end()]))
                self._end_member(found)
                return text[mark.end() :]
        found.append(Piece("raw", text))
        return ""

    def _nested_string(self, text: str, found: list[Piece]) -> str:
        raw, rest, closed = self._tokens(text)
        if closed:
            self._state = self._nested
        if raw or closed:
            found.append(Piece("raw", raw + ('"' if closed else "")))
        return rest

    def _string(self, text: str, found: list[Piece]) -> str:
        raw, rest, closed = self._tokens(text)
        if self._in_key:
            self._key.append(raw)
            if closed:
                found.append(Piece("key", _spelled("".join(self._key))))
                self._state = self._before_value
            return rest
        if raw:
            found += (Piece("raw", raw), Piece("words", _spelled(raw)))
        if closed:
            found.append(Piece("raw", '"'))
            self._end_member(found)
        return rest

    def _end_member(self, found: list[Piece]) -> None:
        found.append(Piece("end"))
        self._state = self._before_key

    def _tokens(self, text: str) -> tuple[str, str, bool]:
        """Split what is whole of a string from the rest; say whether its closing quote came."""
        at = 0
        while at < len(text) and text[at] != '"':
            token = _TOKEN.match(text, at) or _PAIRLESS.match(text, at)
            if token is None:
                self._held = text[at:]  # half an escape, or half a pair of them
                return text[:at], "", False
            at = token.end()
        closed = at < len(text)
        return text[:at], text[at + 1 :] if closed else "", closed


def _spelled(raw: str) -> str:
    """Return the words that the inside of a JSON string spells; a bad escape stays as it is."""
    if "\\" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
