"""The photograph of an outcome: what a reviewer reads in a diff.

JSON with one chunk and one part a line. Ids are written as the order in which they were first seen,
so that random ones do not matter while two uses of one id stay one id.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model import JSON, Outcome

_IDS = frozenset({"id", "response_id"})
_LISTS = frozenset({"chunks", "content", "notes"})  # written an item a line


def photograph(outcome: Outcome) -> str:
    """Return the readable text of an outcome."""
    data = _with_ordinals(outcome.model_dump(mode="json"), {})
    return "{\n" + ",\n".join(f"  {_line(key, data[key])}" for key in data) + "\n}\n"


def _line(key: str, value: JSON) -> str:
    if key in _LISTS and value:
        items = ",\n".join(f"    {_text(item)}" for item in value)
        return f"{_text(key)}: [\n{items}\n  ]"
    return f"{_text(key)}: {_text(value)}"


def _text(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def _with_ordinals(value: JSON, seen: dict[str, str]) -> JSON:
    if isinstance(value, list):
        return [_with_ordinals(item, seen) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: seen.setdefault(item, f"id-{len(seen) + 1}")
        if key in _IDS and isinstance(item, str)
        else _with_ordinals(item, seen)
        for key, item in value.items()
    }
