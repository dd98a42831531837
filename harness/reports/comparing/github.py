"""A comparison on GitHub: violations as annotations, the groups as tables in the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparing.classification import CATEGORIES
from harness.comparing.events import ComparisonFinished, UnusableInput
from harness.reports.comparing.page import TITLES, reproduce, shortened, stream_count, verdict
from harness.reports.github_actions import SHOWN, Level, annotation, code, write_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.comparing.classification import Category
    from harness.comparing.events import CompareEvent, Group

_LEVELS: Mapping[Category, Level] = {"requirement violated": "error", "snapshot changed": "notice"}


class GithubReport:
    """Writes annotations and summary when the comparison is over.

    Args:
        path: a file for the summary, None for the one the runner names.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._annotations: list[str] = []
        self._page = ""

    def handle(self, event: CompareEvent) -> None:
        """Take the next event."""
        if isinstance(event, UnusableInput):
            line = annotation("error", str(event.error), "harness compare: cannot be used")
            self._annotations.append(line)
        elif isinstance(event, ComparisonFinished):
            self._annotations += _annotations(event)
            self._page = "".join(f"{line}\n" for line in _page(event))

    def close(self) -> None:
        """Write annotations and summary."""
        write_step(self._annotations, self._page, self._path)


def _annotations(end: ComparisonFinished) -> Iterator[str]:
    paths = {
        one.stream.name: one.stream.scenario.path for one in end.compared if one.stream.scenario
    }
    for category, level in _LEVELS.items():
        for group in [group for group in end.groups if group.category == category][:SHOWN]:
            title = f"{category}, {stream_count(group)} ({group.example.layer})"
            text = f"{group.example.shape}\nreproduce: {reproduce(end, group)}"
            yield annotation(level, text, title, paths.get(group.streams[0]))
    for change in end.unclassified[:SHOWN]:
        yield annotation("error", change.cure, f"a new word in no table: {change.row.word}")


def _page(end: ComparisonFinished) -> Iterator[str]:
    yield f"## harness compare: {code(end.start.target)}"
    yield ""
    for letter, label in end.start.sides.items():
        yield f"- {letter}: {code(label)}"
    yield ""
    yield f"**{verdict(end)[0]}** ({len(end.compared)} streams, {end.same} the same)"
    yield ""
    for category in CATEGORIES:
        groups = [group for group in end.groups if group.category == category]
        if groups and category != "only cosmetic":
            yield from _table(TITLES[category], groups, end)
    for change in end.unclassified:
        yield f"- a new word that no table holds: {code(change.row.word)}. {change.cure}"


def _table(title: str, groups: list[Group], end: ComparisonFinished) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield "| layer | streams | what | A | B | reproduce |"
    yield "|---|---:|---|---|---|---|"
    for group in groups:
        one = group.example
        cells = (shortened(one.before), shortened(one.after), reproduce(end, group))
        text = " | ".join(map(code, (one.shape, *cells)))
        yield f"| {one.layer} | {len(group.streams)} | {text} |"
    yield ""


REPORT = GithubReport
