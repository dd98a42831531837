"""One JSON line a group, then the summary: for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparing.events import Ended, Unusable
from harness.reports.comparing.page import again, verdict
from harness.reports.files import json_text, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparing.events import CompareEvent
    from harness.comparing.grouping import Group
    from harness.comparing.vocabulary import WordChange
    from harness.model import JSON


class JsonlReport:
    """Writes its lines at once when the comparison is over.

    Args:
        path: the file, or None for standard output.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: list[str] = []

    def handle(self, happening: CompareEvent) -> None:
        """Take one happening."""
        if isinstance(happening, Unusable):
            self._lines.append(json_text({"bad_input": str(happening.error)}))
        elif isinstance(happening, Ended):
            self._lines += [json_text(group_data(happening, g)) for g in happening.groups]
            self._lines += [json_text({"word": word_data(change)}) for change in happening.words]
            self._lines.append(json_text({"summary": summary(happening)}))

    def close(self) -> None:
        """Write the file."""
        write_whole(self._path, "".join(f"{line}\n" for line in self._lines))


def group_data(end: Ended, group: Group) -> dict[str, JSON]:
    """Return a group as a JSON object."""
    example = group.example
    return {
        "verdict": group.meaning,
        "layer": example.layer,
        "shape": example.shape,
        "streams": group.streams,
        "place": example.place,
        "before": example.before,
        "after": example.after,
        "consequences": dict(group.followed),
        "reproduce": again(end, group),
    }


def word_data(change: WordChange) -> dict[str, JSON]:
    """Return a change of the vocabulary as a JSON object."""
    data: dict[str, JSON] = {**change.row.model_dump(mode="json"), "how": change.how}
    if change.was is not None:
        data["was"] = change.was
    return {**data, "cure": change.cure} if change.unclassified else data


def summary(end: Ended) -> dict[str, JSON]:
    """Return the summary of a comparison as a JSON object."""
    began = end.began
    return {
        "target": began.target,
        "sides": dict(began.sides),
        "versions": {letter: dict(found) for letter, found in began.versions.items()},
        "compared": len(end.compared),
        "same": end.same,
        "left_out": dict(began.left_out),
        "streams": dict(end.counts),
        "still_broken": sum(bool(each.still_broken) for each in end.compared),
        "unclassified": len(end.unclassified),
        "verdict": verdict(end)[0],
        "seconds": round(end.seconds, 3),
        "bad_input": end.unusable,
        "interrupted": end.interrupted,
    }


REPORT = JsonlReport
