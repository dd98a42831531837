"""YAML read safely, with the line of every key: the one door to PyYAML.

Rules of this file: only plain JSON values come out; a tag, a merge key, a repeated key or a date is
refused with its line; nothing in a file is ever executed; no file, however it nests or repeats
itself, takes the process or its memory with it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import yaml

from harness.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import JSON

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH = 100  # collections inside one another; libyaml's composer recurses in C and would crash
_VALUES = 200_000  # of one document; aliases of aliases multiply without end
_CORE = "tag:yaml.org,2002:"
_PLAIN: dict[type, str] = {
    yaml.MappingNode: f"{_CORE}map",
    yaml.SequenceNode: f"{_CORE}seq",
}
_MERGE = f"{_CORE}merge"


class Lines:
    """Where each key and list item of a document stands.

    ``at(path)`` returns the line, counted from 1, of the deepest known part of a path such as
    ``("stream", 3, "error")``.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {(): 1}

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, path: tuple[str | int, ...], line: int) -> None:
        """Remember the line of one path."""
        self._lines[path] = line

    def at(self, *path: str | int) -> int:
        """Return the line of a path, or of its nearest known parent."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]


def read_yaml(path: Path) -> tuple[JSON, Lines]:
    """Return a file's one document, None where it is empty, and the lines of its keys.

    Raises:
        InputError: the file cannot be read, is no YAML, or holds what is no JSON value.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise InputError("not a text file; a scenario is YAML in UTF-8", path=path) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=path) from None
    try:
        return _parse(text)
    except yaml.YAMLError as error:
        line = _line(error, text)
        raise InputError(f"not valid YAML: {_words(error)}", path=path, line=line) from None
    except InputError as error:
        raise error.at(path, error.line) from None


def _parse(text: str) -> tuple[JSON, Lines]:
    _refuse_depth(text)
    loader = _Loader(text)
    lines = Lines()
    try:
        node = loader.get_single_node()
        return (None if node is None else _value(loader, node, (), lines)), lines
    finally:
        loader.dispose()


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH:
            raise InputError("nested too deeply", line=_line_of(event))


def _words(error: yaml.YAMLError) -> str:
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


def _value(loader: Any, node: yaml.Node, path: tuple[str | int, ...], lines: Lines) -> JSON:
    lines.put(path, _line_of(node))
    if len(lines) > _VALUES or len(path) > _DEPTH:
        raise InputError("its aliases multiply without end", line=_line_of(node))
    if node.tag != _PLAIN.get(type(node), node.tag):
        tag = node.tag.replace(_CORE, "!!")
        raise InputError(f"the tag {tag} is not read; write plain values", line=_line_of(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        items = enumerate(node.value)
        return [_value(loader, item, (*path, place), lines) for place, item in items]
    return _scalar(loader, node)


def _scalar(loader: Any, node: yaml.Node) -> JSON:
    line = _line_of(node)
    try:
        value = loader.construct_object(node)
    except ValueError:  # no such day, or more digits than Python reads
        words = f"{node.value!r:.40} looks like a date or a number, but is none; put it in quotes"
        raise InputError(words, line=line) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{node.value!r} is no JSON number; put it in quotes", line=line)
    if value is None or isinstance(value, str | int | float):
        return value
    kind = type(value).__name__
    raise InputError(f"{node.value!r:.40} reads as {kind}; put it in quotes", line=line)


def _mapping(
    loader: Any, node: yaml.MappingNode, path: tuple[str | int, ...], lines: Lines
) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for key_node, value_node in node.value:
        line = _line_of(key_node)
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _MERGE:
            raise InputError("a key must be a word", line=line)
        key = key_node.value
        if key in found:
            raise InputError(f"{key!r} stands here twice", line=line)
        found[key] = _value(loader, value_node, (*path, key), lines)
        lines.put((*path, key), line)
    return found
