"""The arguments of a function call as Vertex streams them: JSON paths with partial values.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
https://www.rfc-editor.org/rfc/rfc9535 (JSON paths; only names and indexes occur)

Rules of this file: pieces of a string are collected while their path repeats and joined once, any
other value is set; a path that contradicts an earlier one is an error.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.streaming.error_mapping import protocol_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import JSON

    Step: TypeAlias = str | int  # a name or an index

_STEP_PATTERN = re.compile(
    r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]"""
)
_ESCAPED = re.compile(r"\\(.)")


class _Open(NamedTuple):
    """A string that may continue: its path, the container and key that hold it, its pieces."""

    path: str
    container: Any
    key: Step
    pieces: list[str]


class StreamedArguments:
    """The arguments of one call, built from partial values."""

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
        steps = _steps(path)
        container: Any = self._value
        for key, inner in pairwise(steps):
            container = _enter(container, key, inner, path)
        last = steps[-1]
        _get(container, last, path)  # raises where the path contradicts an earlier one
        _put(container, last, value)
        if isinstance(value, str):
            self._open = _Open(path, container, last, [value])

    def _close(self) -> None:
        self._join()
        self._open = None  # a later value for its path replaces it

    def _join(self) -> None:
        if self._open is not None:
            self._open.container[self._open.key] = "".join(self._open.pieces)


def _steps(path: str) -> list[Step]:
    """Split a JSON path into names and indexes."""
    matches = list(_STEP_PATTERN.finditer(path, 1))
    if path[:1] != "$" or not matches or "$" + "".join(one[0] for one in matches) != path:
        raise protocol_error(f"a partial argument has the path {path!r}")
    return [_step(match) for match in matches]


def _step(match: re.Match[str]) -> Step:
    plain, index, *quoted = match.groups()
    if index is not None:
        return int(index)
    return plain or _ESCAPED.sub(r"\1", quoted[0] or quoted[1] or "")


def _enter(container: Any, key: Step, inner: Step, path: str) -> Any:
    """Return the value at a key; where there is none, create a container for the next key."""
    value = _get(container, key, path)
    if value is None:
        value = [] if isinstance(inner, int) else {}
        _put(container, key, value)
    return value


def _get(container: Any, key: Step, path: str) -> JSON:
    """Return the value at a key, or None; an array grows by one element at a time."""
    if isinstance(container, dict) and isinstance(key, str):
        return container.get(key)
    if isinstance(container, list) and isinstance(key, int) and key <= len(container):
        return container[key] if key < len(container) else None
    raise protocol_error(f"a partial argument at {path!r} contradicts an earlier one")


def _put(container: Any, key: Any, value: JSON) -> None:
    if isinstance(container, list) and key == len(container):
        container.append(value)
    else:
        container[key] = value


def _value_of(piece: Any) -> JSON:
    """Return the value that a partial argument sets; null where it sets none."""
    for field in ("string_value", "number_value", "bool_value"):
        value = getattr(piece, field, None)
        if isinstance(value, float) and value.is_integer():
            return int(value)  # protobuf numbers are doubles; JSON has 5, not 5.0
        if value is not None:
            return value
    return None
