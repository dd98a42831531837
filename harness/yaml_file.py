"""YAML read safely, with the line of every key: the one door to PyYAML.

Rules of this file: only plain JSON values come out; a tag, a repeated key or a date is refused with
its line; nothing in a file is ever executed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from harness.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import JSON

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = (str, int, float, bool, type(None))


class Lines:
    """Where each key and list item of a document stands.

    ``at(path)`` returns the line, counted from 1, of the deepest known part of a path such as
    ``("stream", 3, "error")``.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {(): 1}

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
    return _parse(text, path)


def _parse(text: str, path: Path) -> tuple[JSON, Lines]:
    loader = _Loader(text)
    lines = Lines()
    try:
        node = loader.get_single_node()
        return (None if node is None else _value(loader, node, (), lines)), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        words = getattr(error, "problem", None) or "a character YAML does not allow"
        line = mark.line + 1 if mark else None
        raise InputError(f"not valid YAML: {words}", path=path, line=line) from None
    except InputError as error:
        raise error.at(path, error.line) from None
    except RecursionError:
        raise InputError("nested too deeply", path=path) from None
    finally:
        loader.dispose()


def _value(loader: Any, node: yaml.Node, path: tuple[str | int, ...], lines: Lines) -> JSON:
    lines.put(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        items = enumerate(node.value)
        return [_value(loader, item, (*path, place), lines) for place, item in items]
    value = loader.construct_object(node)
    if not isinstance(value, _SCALARS):
        words = f"{node.value!r} reads as a {type(value).__name__}; put it in quotes"
        raise InputError(words, line=node.start_mark.line + 1)
    return value


def _mapping(
    loader: Any, node: yaml.MappingNode, path: tuple[str | int, ...], lines: Lines
) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if key is None or key in found:
            problem = "a key must be a word" if key is None else f"{key!r} stands here twice"
            raise InputError(problem, line=line)
        found[key] = _value(loader, value_node, (*path, key), lines)
        lines.put((*path, key), line)
    return found
