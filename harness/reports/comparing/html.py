"""A comparison as one HTML file: the verdict first, each group folded with all its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparing.classification import CATEGORIES
from harness.comparing.events import ComparisonFinished, UnusableInput
from harness.reports.comparing.page import COLOURS, TITLES, reproduce, stream_count, verdict
from harness.reports.files import json_text, write_report
from harness.reports.html_page import document, folded, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.comparing.events import CompareEvent, Group

# Colour of a terminal -> class of the page's style.
_KINDS: Mapping[str, str] = {"red": "bad", "yellow": "new", "green": "good", "dim": "dim"}


class HtmlReport:
    """Writes its page when the comparison is over.

    Args:
        path: the file, or None for standard output.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._unusable: list[str] = []
        self._end: ComparisonFinished | None = None

    def handle(self, event: CompareEvent) -> None:
        """Take the next event."""
        if isinstance(event, UnusableInput):
            self._unusable.append(str(event.error))
        elif isinstance(event, ComparisonFinished):
            self._end = event

    def close(self) -> None:
        """Write the file."""
        if self._end is not None:
            title = f"{self._end.start.target} under two versions"
            write_report(self._path, document(title, self._body(self._end)))

    def _body(self, end: ComparisonFinished) -> Iterator[str]:
        yield from (tag("p", text, "bad") for text in self._unusable)
        yield from (tag("p", f"{side}: {label}") for side, label in end.start.sides.items())
        text, colour = verdict(end)
        yield tag("p", f"{text} ({len(end.compared)} streams, {end.same} the same)", _KINDS[colour])
        for category in CATEGORIES:
            groups = [group for group in end.groups if group.category == category]
            if groups:
                yield tag("h2", TITLES[category], _KINDS[COLOURS[category]])
            yield from (_group(group, end) for group in groups)
        yield from (
            tag("p", f"in no table: {c.row.word}. {c.cure}", "bad") for c in end.unclassified
        )


def _group(group: Group, end: ComparisonFinished) -> str:
    one = group.example
    lines = (
        f"example  {group.streams[0]} {one.place}",
        f"A        {json_text(one.before)}",
        f"B        {json_text(one.after)}",
        *(f"causes   {shape} ({count})" for shape, count in group.followed),
        f"reproduce {reproduce(end, group)}",
        *(f"also     {name}" for name in group.streams[1:]),
    )
    return folded(f"{one.layer}, {stream_count(group)}: {one.shape}", "\n".join(lines))


REPORT = HtmlReport
