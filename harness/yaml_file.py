"""YAML read safely, with the line of every key: the only importer of PyYAML.

Rules of this file: only plain JSON values are returned, and bytes if the caller allows them; other
tags, merge keys, repeated keys and dates are refused with their line; nothing in a file is
executed; size, nesting and aliases are limited, so no file can exhaust the memory or crash the
process.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from harness.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import JSON

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH = 100  # nested collections; libyaml's composer recurses in C and would crash
_VALUES = 200_000  # values of one document; nested aliases multiply
_SIZE = 16 * 1024 * 1024  # bytes of one file
_CORE = "tag:yaml.org,2002:"
_PLAIN: dict[type, str] = {
    yaml.MappingNode: f"{_CORE}map",
    yaml.SequenceNode: f"{_CORE}seq",
}
_MERGE = f"{_CORE}merge"


class Lines:
    """The line of each key and list item of a document.

    ``at(path)`` returns the line, counted from 1, of the deepest known part of a path such as
    ``("stream", 3, "error")``.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {(): 1}

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, path: tuple[str | int, ...], line: int) -> None:
        """Store the line of one path."""
        self._lines[path] = line

    def at(self, *path: str | int) -> int:
        """Return the line of a path, or of its nearest known parent."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]


class Allowed(NamedTuple):
    """What a file may contain.

    Args:
        size: maximum size of the file in bytes.
        values: maximum number of values, an alias counted as the values it stands for.
        binary: whether ``!!binary`` is allowed, and returned as bytes.
    """

    size: int = _SIZE
    values: int = _VALUES
    binary: bool = False


_PLAIN_TEXT = Allowed()


def read_yaml(path: Path, allowed: Allowed = _PLAIN_TEXT) -> tuple[JSON, Lines]:
    """Return the one document of a file, None if it is empty, and the lines of its keys.

    Raises:
        InputError: the file cannot be read, is not YAML, or contains what is not allowed.
    """
    text = _read(path, allowed.size)
    try:
        return _Document(text, allowed).read()
    except yaml.YAMLError as error:
        line = _line(error, text)
        raise InputError(f"not valid YAML: {_message(error)}", path=path, line=line) from None
    except InputError as error:
        raise error.at(path, error.line) from None


def _read(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise InputError(f"larger than {limit:,} bytes; split it", path=path)
        return content.decode()
    except UnicodeDecodeError:
        raise InputError("not a text file; it must be YAML in UTF-8", path=path) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=path) from None


def _message(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or "a character YAML does not allow"
    context = getattr(error, "context", None)
    return f"{context}, {problem}" if context else str(problem)


def _line(error: yaml.YAMLError, text: str) -> int:
    if isinstance(error, yaml.reader.ReaderError):
        return text.encode()[: error.position].count(b"\n") + 1  # libyaml counts bytes
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _line_of(found: Any) -> int:
    return int(found.start_mark.line) + 1


class _Document:
    """One document being read.

    Args:
        text: the document.
        allowed: what it may contain.
    """

    def __init__(self, text: str, allowed: Allowed) -> None:
        self._text, self._allowed = text, allowed
        self._lines = Lines()

    def read(self) -> tuple[JSON, Lines]:
        """Return its value and its lines."""
        self._refuse_excess()
        self._loader = _Loader(self._text)
        try:
            node = self._loader.get_single_node()
            return (None if node is None else self._value(node, ())), self._lines
        finally:
            self._loader.dispose()

    def _refuse_excess(self) -> None:
        """Refuse what the composer could not handle."""
        depth = values = 0
        for event in yaml.parse(self._text, _Loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            values += isinstance(event, yaml.NodeEvent)
            if depth > _DEPTH:
                raise InputError("nested too deeply", line=_line_of(event))
            if values > 2 * self._allowed.values:  # keys count here, and do not below
                message = f"more than {self._allowed.values:,} values; split the file"
                raise InputError(message, line=_line_of(event))

    def _value(self, node: yaml.Node, path: tuple[str | int, ...]) -> JSON:
        self._lines.add(path, _line_of(node))
        if len(self._lines) > self._allowed.values or len(path) > _DEPTH:
            raise InputError("too many YAML aliases; write the values out", line=_line_of(node))
        if node.tag != _PLAIN.get(type(node), node.tag):
            tag = node.tag.replace(_CORE, "!!")
            raise InputError(
                f"the tag {tag} is not allowed; write plain values", line=_line_of(node)
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items = enumerate(node.value)
            return [self._value(item, (*path, index)) for index, item in items]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> JSON:
        line = _line_of(node)
        try:
            value: JSON = self._loader.construct_object(node)
        except ValueError:  # an impossible date, or more digits than Python reads
            problem = "looks like a date or a number, but is not valid; put it in quotes"
            raise InputError(f"{node.value!r:.40} {problem}", line=line) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{node.value!r} is not a JSON number; put it in quotes", line=line)
        if value is None or isinstance(value, str | int | float):
            return value
        if self._allowed.binary and isinstance(value, bytes):
            return value
        kind = type(value).__name__
        raise InputError(f"{node.value!r:.40} is read as {kind}; put it in quotes", line=line)

    def _mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        for key_node, value_node in node.value:
            line = _line_of(key_node)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _MERGE:
                raise InputError("a key must be a plain string", line=line)
            key = key_node.value
            if key in found:
                raise InputError(f"duplicate key {key!r}; remove one", line=line)
            found[key] = self._value(value_node, (*path, key))
            self._lines.add((*path, key), line)
        return found
