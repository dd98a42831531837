"""The version matrix as lines: each change with the first version that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reports.comparing.page import COLOURS, Line, plural, shortened, stream_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparing.version_bisect import FirstSeen, VersionMatrix
    from harness.model import JSON


def matrix(end: VersionMatrix, command: str) -> Iterator[Line]:
    """Yield the lines of a matrix.

    Args:
        end: the finished matrix.
        command: the command that compares two versions, with ``{}`` for selection and versions.
    """
    yield Line(
        f"{end.target}, {plural(end.streams, 'stream')}, {plural(len(end.versions), 'version')}",
        "bold",
    )
    yield Line(f"  replayed: {', '.join(map(_number, end.replayed))}")
    yield Line(f"  each is compared with {end.versions[0]}")
    yield Line("")
    width = max([len(_number(version)) for version in end.versions] + [8])
    yield Line(f"{'first in':<{width}}  {'':<{len(end.replayed)}}  layer    what", "bold")
    for first_seen in end.findings:
        yield from _finding(first_seen, end, width, command)
    if not end.findings:
        yield Line("only cosmetic changes", "green")
    yield Line("")
    stopped = "interrupted after" if end.interrupted else "replayed"
    yield Line(f"{stopped} {plural(len(end.replayed), 'version')} in {end.seconds:.1f} s")
    if end.unusable:
        yield Line(f"{plural(end.unusable, 'version')} could not be used, as named above", "red")


def _finding(first_seen: FirstSeen, end: VersionMatrix, width: int, command: str) -> Iterator[Line]:
    example = first_seen.group.example
    key = (example.category, example.layer, example.shape)
    marks = "".join("x" if key in end.seen[version] else "." for version in end.replayed)
    text = f"{example.category}, {stream_count(first_seen.group)}: {example.shape}"
    yield Line(
        f"{_number(first_seen.first):<{width}}  {marks}  {example.layer:<8} {text}",
        COLOURS[example.category],
    )
    yield Line(f"{'':<{width}}  example  {first_seen.group.streams[0]}")
    for version, value in ((first_seen.before, example.before), (first_seen.first, example.after)):
        yield Line(f"{'':<{width}}    {_number(version):<8} {shortened(value)}")
    yield Line(f"{'':<{width}}  reproduce {command.format(_selection(first_seen))}")


def _number(version: str) -> str:
    return version.rpartition("==")[2]


def _selection(first_seen: FirstSeen) -> str:
    return f"{first_seen.group.streams[0]} {first_seen.before} {first_seen.first}"


def finding_data(first_seen: FirstSeen) -> dict[str, JSON]:
    """Return a finding as a JSON object."""
    example = first_seen.group.example
    return {
        "first": first_seen.first,
        "before": first_seen.before,
        "verdict": example.category,
        "layer": example.layer,
        "shape": example.shape,
        "streams": first_seen.group.streams,
        "place": example.place,
        "old": example.before,
        "new": example.after,
    }
