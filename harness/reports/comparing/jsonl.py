"""One JSON line per group, then the summary: for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparing.events import ComparisonFinished, UnusableInput
from harness.reports.comparing.page import reproduce, verdict
from harness.reports.files import json_text, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparing.events import CompareEvent, Group
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

    def handle(self, event: CompareEvent) -> None:
        """Take the next event."""
        if isinstance(event, UnusableInput):
            self._lines.append(json_text({"bad_input": str(event.error)}))
        elif isinstance(event, ComparisonFinished):
            self._lines += [json_text(group_data(event, g)) for g in event.groups]
            self._lines += [json_text({"word": word_data(change)}) for change in event.vocabulary]
            self._lines.append(json_text({"summary": summary(event)}))

    def close(self) -> None:
        """Write the file."""
        write_report(self._path, "".join(f"{line}\n" for line in self._lines))


def group_data(end: ComparisonFinished, group: Group) -> dict[str, JSON]:
    """Return a group as a JSON object."""
    example = group.example
    return {
        "verdict": group.category,
        "layer": example.layer,
        "shape": example.shape,
        "streams": group.streams,
        "place": example.place,
        "before": example.before,
        "after": example.after,
        "consequences": dict(group.followed),
        "reproduce": reproduce(end, group),
    }


def word_data(change: WordChange) -> dict[str, JSON]:
    """Return a change of the vocabulary as a JSON object."""
    data: dict[str, JSON] = {**change.row.model_dump(mode="json"), "how": change.how}
    if change.was is not None:
        data["was"] = change.was
    return {**data, "cure": change.cure} if change.unclassified else data


def summary(end: ComparisonFinished) -> dict[str, JSON]:
    """Return the summary of a comparison as a JSON object."""
    start = end.start
    return {
        "target": start.target,
        "sides": dict(start.sides),
        "versions": {letter: dict(found) for letter, found in start.versions.items()},
        "compared": len(end.compared),
        "same": end.same,
        "left_out": dict(start.skipped),
        "streams": dict(end.counts),
        "still_broken": sum(bool(each.still_violated) for each in end.compared),
        "unclassified": len(end.unclassified),
        "verdict": verdict(end)[0],
        "seconds": round(end.seconds, 3),
        "bad_input": end.unusable,
        "interrupted": end.interrupted,
    }


REPORT = JsonlReport
