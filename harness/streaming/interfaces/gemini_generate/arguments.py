"""A function call's arguments as Vertex streams them: JSON paths and their values, piece by piece.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
https://www.rfc-editor.org/rfc/rfc9535 (JSON paths; only names and indexes occur)

Rules of this file: pieces of a string are collected while their path goes on and joined once, any
other value is set; a path that contradicts what stands already is refused, never guessed at.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.streaming.error_mapping import protocol_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import JSON

    Place: TypeAlias = str | int

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_ESCAPED = re.compile(r"\\(.)")


class _Open(NamedTuple):
    """A string that has more pieces to come: its path, where it stands, and what came so far."""

    path: str
    holder: Any
    place: Place
    pieces: list[str]


class StreamedArguments:
    """The arguments of one call, growing by partial values."""

    def __init__(self) -> None:
        self._value: dict[str, JSON] = {}
        self._open: _Open | None = None

    @property
    def value(self) -> dict[str, JSON]:
        """The arguments so far."""
        self._join()
        return self._value

    def update(self, pieces: Iterable[Any]) -> None:
        """Take the partial arguments of one event, in order.

        Raises:
            ProtocolError: a path cannot be read, or contradicts an earlier one.
        """
        for piece in pieces:
            path, value = str(getattr(piece, "json_path", None)), _value_of(piece)
            if self._open is not None and self._open.path == path and isinstance(value, str):
                self._open.pieces.append(value)
            else:
                self._set(path, value)
            if not getattr(piece, "will_continue", None):
                self._close()

    def _set(self, path: str, value: JSON) -> None:
        self._close()
        places = _places(path)
        holder: Any = self._value
        for place, inner in pairwise(places):
            holder = _enter(holder, place, inner, path)
        last = places[-1]
        _present(holder, last, path)  # refuses what contradicts it
        _put(holder, last, value)
        if isinstance(value, str):
            self._open = _Open(path, holder, last, [value])

    def _close(self) -> None:
        self._join()
        self._open = None  # what comes for its path now replaces it

    def _join(self) -> None:
        if self._open is not None:
            self._open.holder[self._open.place] = "".join(self._open.pieces)


def _places(path: str) -> list[Place]:
    """Split a JSON path into names and indexes."""
    steps = list(_STEP.finditer(path, 1))
    if path[:1] != "$" or not steps or "$" + "".join(step[0] for step in steps) != path:
        raise protocol_error(f"a partial argument has the path {path!r}")
    return [_place(step) for step in steps]


def _place(step: re.Match[str]) -> Place:
    plain, index, *quoted = step.groups()
    if index is not None:
        return int(index)
    return plain or _ESCAPED.sub(r"\1", quoted[0] or quoted[1] or "")


def _enter(holder: Any, place: Place, inner: Place, path: str) -> Any:
    """Return what stands at a place, an object or an array made for the place inside it."""
    present = _present(holder, place, path)
    if present is None:
        present = [] if isinstance(inner, int) else {}
        _put(holder, place, present)
    return present


def _present(holder: Any, place: Place, path: str) -> JSON:
    """Return what stands at a place, or None; an array grows by one element at a time."""
    if isinstance(holder, dict) and isinstance(place, str):
        return holder.get(place)
    if isinstance(holder, list) and isinstance(place, int) and place <= len(holder):
        return holder[place] if place < len(holder) else None
    raise protocol_error(f"a partial argument at {path!r} contradicts an earlier one")


def _put(holder: Any, place: Any, value: JSON) -> None:
    if isinstance(holder, list) and place == len(holder):
        holder.append(value)
    else:
        holder[place] = value


def _value_of(piece: Any) -> JSON:
    """Return the one value a partial argument sets; none set is null."""
    for field in ("string_value", "number_value", "bool_value"):
        value = getattr(piece, field, None)
        if isinstance(value, float) and value.is_integer():
            return int(value)  # protobuf's only number is the double; JSON writes 5, not 5.0
        if value is not None:
            return value
    return None
