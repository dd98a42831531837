"""The catalogue of cases as data: what ``docs/catalogue.md`` says of an id.

Reports print the sentence of a case next to its id. The page is read from the source tree, or from
the wheel, which contains a copy.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

_PACKAGE = Path(__file__).parent.parent
_PLACES = (_PACKAGE / "_docs" / "catalogue.md", _PACKAGE.parent / "docs" / "catalogue.md")
_ENTRY = re.compile(
    r"^### (?P<id>[A-Z]{2}-\d{3})\n+\*\*Sent:\*\* (?P<sent>.*?)\n\n"
    r"\*\*Expected:\*\* (?P<expected>.*?)\n\n\*\*Evidence:\*\*(?P<evidence>.*?)(?=\n\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_URL = re.compile(r"\((https?://[^)\s]+)\)")


class Case(NamedTuple):
    """One case: what is sent, what must be delivered, and the links to the public evidence."""

    id: str
    sent: str
    expected: str
    evidence: tuple[str, ...]

    @property
    def page(self) -> str:
        """The place of the entry in the documentation, relative to the repository."""
        return f"docs/catalogue.md#{self.id.lower()}"


def case(case_id: str) -> Case | None:
    """Return the case of an id such as ``OR-003``; None where the catalogue has no such entry."""
    return _catalogue().get(case_id)


@cache
def _catalogue() -> dict[str, Case]:
    path = next((place for place in _PLACES if place.is_file()), None)
    text = path.read_text("utf-8") if path else ""
    found = (
        Case(
            entry["id"],
            " ".join(entry["sent"].split()),
            " ".join(entry["expected"].split()),
            tuple(_URL.findall(entry["evidence"])),
        )
        for entry in _ENTRY.finditer(text)
    )
    return {one.id: one for one in found}
