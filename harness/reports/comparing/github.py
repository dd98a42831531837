"""A comparison on GitHub: broken law as annotations, the groups as tables in the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparing.classification import MEANINGS
from harness.comparing.events import Ended, Unusable
from harness.reports.comparing.page import TITLES, again, counted, short, verdict
from harness.reports.github_actions import SHOWN, Level, annotation, code, write_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.comparing.classification import Category
    from harness.comparing.events import CompareEvent
    from harness.comparing.grouping import Group

_LEVELS: Mapping[Category, Level] = {"law broken": "error", "photograph changed": "notice"}


class GithubReport:
    """Tells annotations and summary when the comparison is over.

    Args:
        path: a file for the summary, None for the one the runner names.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._annotations: list[str] = []
        self._page = ""

    def handle(self, happening: CompareEvent) -> None:
        """Take one happening."""
        if isinstance(happening, Unusable):
            line = annotation("error", str(happening.error), "harness compare: cannot be used")
            self._annotations.append(line)
        elif isinstance(happening, Ended):
            self._annotations += _annotations(happening)
            self._page = "".join(f"{line}\n" for line in _page(happening))

    def close(self) -> None:
        """Write annotations and summary."""
        write_step(self._annotations, self._page, self._path)


def _annotations(end: Ended) -> Iterator[str]:
    paths = {
        one.stream.name: one.stream.scenario.path for one in end.compared if one.stream.scenario
    }
    for meaning, level in _LEVELS.items():
        for group in [group for group in end.groups if group.meaning == meaning][:SHOWN]:
            title = f"{meaning}, {counted(group)} ({group.example.layer})"
            words = f"{group.example.shape}\nagain: {again(end, group)}"
            yield annotation(level, words, title, paths.get(group.streams[0]))
    for change in end.unclassified[:SHOWN]:
        yield annotation("error", change.cure, f"a new word in no table: {change.row.word}")


def _page(end: Ended) -> Iterator[str]:
    yield f"## harness compare: {code(end.began.target)}"
    yield ""
    for letter, label in end.began.sides.items():
        yield f"- {letter}: {code(label)}"
    yield ""
    yield f"**{verdict(end)[0]}** ({len(end.compared)} streams, {end.same} the same)"
    yield ""
    for meaning in MEANINGS:
        groups = [group for group in end.groups if group.meaning == meaning]
        if groups and meaning != "only cosmetic":
            yield from _table(TITLES[meaning], groups, end)
    for change in end.unclassified:
        yield f"- a new word that no table holds: {code(change.row.word)}. {change.cure}"


def _table(title: str, groups: list[Group], end: Ended) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield "| layer | streams | what | A | B | again |"
    yield "|---|---:|---|---|---|---|"
    for group in groups:
        one = group.example
        cells = (short(one.before), short(one.after), again(end, group))
        words = " | ".join(map(code, (one.shape, *cells)))
        yield f"| {one.layer} | {len(group.streams)} | {words} |"
    yield ""


REPORT = GithubReport
