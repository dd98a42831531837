"""The photograph of an outcome: what a reviewer reads in a diff.

JSON with one chunk and one part a line. Ids are written as the order in which they were first seen,
so that random ones do not matter while two uses of one id stay one id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.matching import with_ordinals
from harness.reports.files import json_text

if TYPE_CHECKING:
    from harness.model import JSON, Outcome

_LISTS = frozenset({"chunks", "content", "notes"})  # written an item a line


def snapshot_text(outcome: Outcome) -> str:
    """Return the readable text of an outcome."""
    data = with_ordinals(outcome.model_dump(mode="json"))
    return "{\n" + ",\n".join(f"  {_line(key, data[key])}" for key in data) + "\n}\n"


def _line(key: str, value: JSON) -> str:
    if key in _LISTS and value:
        items = ",\n".join(f"    {json_text(item)}" for item in value)
        return f"{json_text(key)}: [\n{items}\n  ]"
    return f"{json_text(key)}: {json_text(value)}"
