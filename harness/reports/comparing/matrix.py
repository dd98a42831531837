"""The matrix of versions as lines: each finding with the first version that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reports.comparing.page import COLOURS, Line, counted, many, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparing.version_bisect import FirstSeen, VersionMatrix
    from harness.model import JSON


def matrix(end: VersionMatrix, command: str) -> Iterator[Line]:
    """Yield the lines of a matrix.

    Args:
        end: what was found.
        command: the words that compare two versions, with ``{}`` for selection and versions.
    """
    yield Line(
        f"{end.target}, {many(end.streams, 'stream')}, {many(len(end.versions), 'version')}", "bold"
    )
    yield Line(f"  told: {', '.join(map(_number, end.told))}")
    yield Line(f"  each is compared with {end.versions[0]}")
    yield Line("")
    width = max([len(_number(version)) for version in end.versions] + [8])
    yield Line(f"{'first in':<{width}}  {'':<{len(end.told)}}  layer    what", "bold")
    for since in end.findings:
        yield from _finding(since, end, width, command)
    if not end.findings:
        yield Line("nothing but cosmetics moved", "green")
    yield Line("")
    stopped = "interrupted after" if end.interrupted else "told"
    yield Line(f"{stopped} {many(len(end.told), 'version')} in {end.seconds:.1f} s")
    if end.unusable:
        yield Line(f"{many(end.unusable, 'version')} could not be used, as named above", "red")


def _finding(since: FirstSeen, end: VersionMatrix, width: int, command: str) -> Iterator[Line]:
    example = since.group.example
    key = (example.meaning, example.layer, example.shape)
    marks = "".join("x" if key in end.seen[version] else "." for version in end.told)
    words = f"{example.meaning}, {counted(since.group)}: {example.shape}"
    yield Line(
        f"{_number(since.first):<{width}}  {marks}  {example.layer:<8} {words}",
        COLOURS[example.meaning],
    )
    yield Line(f"{'':<{width}}  example  {since.group.streams[0]}")
    for version, value in ((since.before, example.before), (since.first, example.after)):
        yield Line(f"{'':<{width}}    {_number(version):<8} {short(value)}")
    yield Line(f"{'':<{width}}  again    {command.format(_words(since))}")


def _number(version: str) -> str:
    return version.rpartition("==")[2]


def _words(since: FirstSeen) -> str:
    return f"{since.group.streams[0]} {since.before} {since.first}"


def finding_data(since: FirstSeen) -> dict[str, JSON]:
    """Return a finding as a JSON object."""
    example = since.group.example
    return {
        "first": since.first,
        "before": since.before,
        "verdict": example.meaning,
        "layer": example.layer,
        "shape": example.shape,
        "streams": since.group.streams,
        "place": example.place,
        "old": example.before,
        "new": example.after,
    }
