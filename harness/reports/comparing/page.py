"""A comparison as lines: what was compared, what changed, and in which category.

Rule of this file: each group shows its layer, the number of streams, the change, one example in
full and the command that reproduces it.
"""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from harness.comparing.classification import CATEGORIES
from harness.reports.files import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.comparing.classification import Category
    from harness.comparing.events import ComparisonFinished, ComparisonStarted, Group
    from harness.comparing.vocabulary import WordChange
    from harness.model import JSON

SHOWN = 8  # groups of a category that are shown in full, unless verbose
_WIDTH = 120  # characters of a value shown
_CONSEQUENCES = 3
SIDES = 2

# Colour of each category, on a terminal with colours.
COLOURS: Mapping[Category, str] = {
    "requirement violated": "red",
    "snapshot changed": "yellow",
    "improved": "green",
    "only cosmetic": "dim",
}


class Line(NamedTuple):
    """One line, and the colour it may have."""

    text: str
    colour: str = ""


def page(end: ComparisonFinished, *, verbose: bool = False) -> Iterator[Line]:
    """Yield the lines of a comparison."""
    yield from _heading(end.start)
    groups = end.groups
    for category in CATEGORIES:
        own = [group for group in groups if group.category == category]
        if own:
            yield Line("")
            yield Line(TITLES[category], COLOURS[category])
            yield from _section(own, end, verbose=verbose)
    yield from _still_broken(end)
    yield from _vocabulary(end)
    yield from _one_side(end)
    yield Line("")
    yield from closing(end)


TITLES: Mapping[Category, str] = {
    "requirement violated": "REQUIREMENT VIOLATED: it passed under A and fails under B",
    "snapshot changed": "SNAPSHOT CHANGED: no requirement decides; please review",
    "improved": "IMPROVED: a requirement violated under A is met under B",
    "only cosmetic": "ONLY COSMETIC: ids and the order of keys",
}


def _heading(start: ComparisonStarted) -> Iterator[Line]:
    yield Line(f"{start.target}, {start.streams} streams replayed to each side", "bold")
    for letter, label in start.sides.items():
        found = ", ".join(f"{name} {number}" for name, number in start.versions[letter].items())
        yield Line(f"  {letter}  {label}" + (f"  ({found})" if found else ""))
    for name, count in sorted(start.skipped.items()):
        yield Line(
            f"  skipped: {count} of {name}, for which a side has no SDK or no support", "dim"
        )


def _section(groups: list[Group], end: ComparisonFinished, *, verbose: bool) -> Iterator[Line]:
    in_full = groups if verbose else groups[:SHOWN]
    for group in in_full:
        yield from _group(group, end)
    rest = len(groups) - len(in_full)
    if rest:
        yield Line(f"  … and {rest} more shapes; see --verbose", "dim")


def _group(group: Group, end: ComparisonFinished) -> Iterator[Line]:
    example = group.example
    yield Line(
        f"  {example.layer:<8} {stream_count(group)}: {example.shape}", COLOURS[group.category]
    )
    if example.category == "only cosmetic":
        return
    yield Line(f"           example   {group.streams[0]} {example.place}")
    yield Line(f"             A       {shortened(example.before)}")
    yield Line(f"             B       {shortened(example.after)}")
    for shape, count in group.followed[:_CONSEQUENCES]:
        yield Line(f"           causes    {shape} ({count})")
    if len(group.consequences) > _CONSEQUENCES:
        yield Line(f"           causes    … {len(group.consequences) - _CONSEQUENCES} more")
    yield Line(f"           reproduce {reproduce(end, group)}")


def _still_broken(end: ComparisonFinished) -> Iterator[Line]:
    """Count the requirements that both sides violate, each with one stream."""
    still: dict[str, list[str]] = defaultdict(list)
    for each in end.compared:
        for check in each.still_violated:
            still[check].append(each.stream.name)
    if len(end.start.sides) < SIDES or not still:
        return
    yield Line("")
    yield Line("STILL VIOLATED: a requirement that both sides violate", "dim")
    for check, names in sorted(still.items(), key=lambda item: -len(item[1])):
        yield Line(f"  {plural(len(names), 'stream')}: {check}, e.g. {names[0]}")


def _vocabulary(end: ComparisonFinished) -> Iterator[Line]:
    if not end.vocabulary:
        return
    counts = Counter(change.how for change in end.vocabulary)
    changes = ", ".join(f"{n} {how}" for how, n in sorted(counts.items()))
    yield Line("")
    yield Line(f"VOCABULARY: {changes}; harness coverage --diff A B lists them", "bold")
    for change in end.unclassified:
        yield from unclassified(change)


def unclassified(change: WordChange) -> Iterator[Line]:
    """Yield the lines about a new word that is in no table."""
    row = change.row
    yield Line(f"  new and in no table: {row.protocol} {row.category} {row.word}", "red")
    yield Line(f"           cure      {change.cure}")


def _one_side(end: ComparisonFinished) -> Iterator[Line]:
    """Yield what that side violates, where only one side could be used."""
    if len(end.start.sides) != 1:
        return
    violated = [each for each in end.compared if each.violated]
    yield Line("")
    for each in violated:
        yield Line(f"  violated on it: {each.stream.name}: {', '.join(each.violated)}")


def closing(end: ComparisonFinished) -> Iterator[Line]:
    """Yield the last lines: the totals and the verdict."""
    counts = end.counts
    totals = ", ".join(f"{counts[name]} {name}" for name in CATEGORIES if counts[name])
    stopped = "interrupted after" if end.interrupted else "compared"
    yield Line(
        f"{stopped} {plural(len(end.compared), 'stream')} in {end.seconds:.1f} s: "
        f"{end.same} the same{', ' if totals else ''}{totals}"
    )
    if end.unusable:
        yield Line(f"{plural(end.unusable, 'input')} could not be used, as named above", "red")
    yield Line(*verdict(end))


def verdict(end: ComparisonFinished) -> tuple[str, str]:
    """Return the sentence that sums up the comparison, and its colour."""
    counts = end.counts
    if len(end.start.sides) < SIDES:
        usable = ", ".join(end.start.sides.values()) or "none"
        return f"nothing was compared: usable sides: {usable}", "red"
    if not end.compared:
        return "nothing was compared: no stream is supported by both sides", "red"
    if counts["requirement violated"]:
        count = plural(counts["requirement violated"], "stream")
        return f"B violates requirements that A meets, in {count}", "red"
    if end.unclassified:
        return (
            f"B brings new vocabulary: {plural(len(end.unclassified), 'word')} in no table",
            "red",
        )
    if counts["snapshot changed"]:
        snapshots = plural(counts["snapshot changed"], "snapshot")
        return f"no requirement is newly violated; review {snapshots}", "yellow"
    return "no requirement is newly violated; no snapshot changed", "green"


def stream_count(group: Group) -> str:
    """Return in how many streams a group occurs."""
    return plural(len(group.streams), "stream")


def plural(count: int, word: str) -> str:
    """Return a count and its noun, in the plural unless it is one."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def reproduce(end: ComparisonFinished, group: Group) -> str:
    """Return the command that reproduces the example of a group."""
    return end.command.format(shlex.quote(group.streams[0]))


def shortened(value: JSON) -> str:
    """Return a value in one line, cut where it is long."""
    text = value if isinstance(value, str) and value.startswith("(") else json_text(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
