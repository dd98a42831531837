"""Dotted paths into JSON objects and SDK models alike: ``a.b`` is field b of field a."""

from __future__ import annotations

from typing import Any


def get(value: object, path: str) -> Any:
    """Return the value at a path, through mappings or attributes; None if it is missing."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if value is None:
            return None
    return value


def put(target: dict[str, Any], path: str, value: object) -> None:
    """Set the value at a path; missing objects on the way are created."""
    *way, last = path.split(".")
    for name in way:
        target = target.setdefault(name, {})
    target[last] = value


def json_name(field: str) -> str:
    """Return the lowerCamelCase name that a snake_case proto field has in JSON.

    https://protobuf.dev/programming-guides/json/
    """
    head, *rest = field.split("_")
    return head + "".join(map(str.capitalize, rest))
