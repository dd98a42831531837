"""Reads the pages of docs/: their entries, their links, and the ids that other files cite."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_CASE = re.compile(r"\b[A-Z]{2}-\d{3}\b")
_SHORT = re.compile(r"\b[DIASTM]\d{1,2}\b")
_ENTRY = re.compile(r"([A-Z]{2}-\d{3}|[DIASTM]\d{1,2})")
_HEADING = re.compile(r"#{1,6} +(.+?) *#*")
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_ANCHOR = re.compile(r'<a (?:id|name)="([^"]+)"')


class Entry(NamedTuple):
    """One id of docs/: the page it stands on and the paragraphs below its heading."""

    id: str
    page: str
    paragraphs: tuple[str, ...]

    def labelled(self, label: str) -> str | None:
        """The paragraph that begins with this label, without it; None where there is none."""
        start = f"**{label}:** "
        found = (text for text in self.paragraphs if text.startswith(start))
        return next((text.removeprefix(start) for text in found), None)


def entries(page: Path) -> list[Entry]:
    """Every heading of a page that is an id, with its paragraphs, each as one line."""
    blocks = re.split(r"^#{1,6} ", page.read_text("utf-8"), flags=re.MULTILINE)
    return [
        Entry(heading, page.name, tuple(" ".join(text.split()) for text in body.split("\n\n")))
        for heading, _, body in ((block.partition("\n\n")) for block in blocks)
        if _ENTRY.fullmatch(heading)
    ]


def cases_in(text: str) -> set[str]:
    """The ids of the form OR-003 that a text cites."""
    return set(_CASE.findall(text))


def short_ids_in(text: str) -> set[str]:
    """The ids of the form D47 that a text cites; of a range D31-D39, its two ends."""
    return set(_SHORT.findall(text))


def anchors(page: Path) -> set[str]:
    """The fragments a page can be linked at, as GitHub makes them of its headings."""
    text = _without_code_blocks(page.read_text("utf-8"))
    headings = filter(None, map(_HEADING.fullmatch, text.splitlines()))
    return {*_ANCHOR.findall(text), *_slugs(heading[1] for heading in headings)}


def broken_links(page: Path) -> Iterator[str]:
    """The relative links of a page whose file or fragment does not exist."""
    for link in _LINK.findall(_without_code_blocks(page.read_text("utf-8"))):
        if not re.match(r"[a-z]+:", link):
            path, _, fragment = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (fragment and fragment not in anchors(target)):
                yield link


def _slugs(headings: Iterable[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for heading in headings:
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1


def _without_code_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
