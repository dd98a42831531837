"""Dotted paths into JSON objects and SDK models alike: ``a.b`` is field b of field a."""

from __future__ import annotations

from typing import Any


def get(value: object, path: str) -> Any:
    """Return what stands at a path, of mappings or of attributes; None where it is missing."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if value is None:
            return None
    return value


def put(target: dict[str, Any], path: str, value: object) -> None:
    """Set what stands at a path, making the objects on the way."""
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
