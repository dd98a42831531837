"""A comparison as lines: what was told to whom, what moved, what it means.

Rule of this file: each group says its layer, how many streams, what moved from what to what, one
example in full and the command that shows it again.
"""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from harness.comparing.classification import MEANINGS
from harness.reports.files import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.comparing.classification import Category
    from harness.comparing.events import Began, Ended
    from harness.comparing.grouping import Group
    from harness.comparing.vocabulary import WordChange
    from harness.model import JSON

SHOWN = 8  # groups of a meaning that are shown in full, unless verbose
_WIDTH = 120  # characters of a value shown
_CONSEQUENCES = 3
SIDES = 2

# Colour of a meaning, for those who have colours.
COLOURS: Mapping[Category, str] = {
    "law broken": "red",
    "photograph changed": "yellow",
    "improved": "green",
    "only cosmetic": "dim",
}


class Line(NamedTuple):
    """One line, and the colour it may have."""

    text: str
    colour: str = ""


def page(end: Ended, *, verbose: bool = False) -> Iterator[Line]:
    """Yield the lines of a comparison."""
    yield from _heading(end.began)
    groups = end.groups
    for meaning in MEANINGS:
        own = [group for group in groups if group.meaning == meaning]
        if own:
            yield Line("")
            yield Line(TITLES[meaning], COLOURS[meaning])
            yield from _section(own, end, verbose=verbose)
    yield from _still_broken(end)
    yield from _words(end)
    yield from _one_side(end)
    yield Line("")
    yield from closing(end)


TITLES: Mapping[Category, str] = {
    "law broken": "LAW BROKEN: it held under A and does not under B",
    "photograph changed": "PHOTOGRAPH CHANGED: no law says which is right; review it",
    "improved": "IMPROVED: a law that was broken under A holds under B",
    "only cosmetic": "ONLY COSMETIC: ids, the order of keys",
}


def _heading(began: Began) -> Iterator[Line]:
    yield Line(f"{began.target}, {began.streams} streams told to each side", "bold")
    for letter, label in began.sides.items():
        found = ", ".join(f"{name} {number}" for name, number in began.versions[letter].items())
        yield Line(f"  {letter}  {label}" + (f"  ({found})" if found else ""))
    for name, count in sorted(began.left_out.items()):
        yield Line(
            f"  left out: {count} of {name}, which a side has no SDK for or does not speak", "dim"
        )


def _section(groups: list[Group], end: Ended, *, verbose: bool) -> Iterator[Line]:
    in_full = groups if verbose else groups[:SHOWN]
    for group in in_full:
        yield from _group(group, end)
    rest = len(groups) - len(in_full)
    if rest:
        yield Line(f"  … and {rest} more shapes; see --verbose", "dim")


def _group(group: Group, end: Ended) -> Iterator[Line]:
    example = group.example
    yield Line(f"  {example.layer:<8} {counted(group)}: {example.shape}", COLOURS[group.meaning])
    if example.meaning == "only cosmetic":
        return
    yield Line(f"           example  {group.streams[0]} {example.place}")
    yield Line(f"             A      {short(example.before)}")
    yield Line(f"             B      {short(example.after)}")
    for shape, count in group.followed[:_CONSEQUENCES]:
        yield Line(f"           so       {shape} ({count})")
    if len(group.consequences) > _CONSEQUENCES:
        yield Line(f"           so       … {len(group.consequences) - _CONSEQUENCES} more")
    yield Line(f"           again    {again(end, group)}")


def _still_broken(end: Ended) -> Iterator[Line]:
    """Count the laws that neither side keeps, each with one stream."""
    still: dict[str, list[str]] = defaultdict(list)
    for each in end.compared:
        for check in each.still_broken:
            still[check].append(each.stream.name)
    if len(end.began.sides) < SIDES or not still:
        return
    yield Line("")
    yield Line("STILL BROKEN: a law that neither side keeps", "dim")
    for check, names in sorted(still.items(), key=lambda item: -len(item[1])):
        yield Line(f"  {many(len(names), 'stream')}: law {check}, e.g. {names[0]}")


def _words(end: Ended) -> Iterator[Line]:
    if not end.words:
        return
    counts = Counter(change.how for change in end.words)
    said = ", ".join(f"{n} {how}" for how, n in sorted(counts.items()))
    yield Line("")
    yield Line(f"VOCABULARY: {said}; harness coverage --diff A B lists them", "bold")
    for change in end.unclassified:
        yield from unclassified(change)


def unclassified(change: WordChange) -> Iterator[Line]:
    """Yield what is to be said of a new word that no table holds."""
    row = change.row
    yield Line(f"  new and in no table: {row.protocol} {row.category} {row.word}", "red")
    yield Line(f"           cure     {change.cure}")


def _one_side(end: Ended) -> Iterator[Line]:
    """Say what can be said where only one side could be used: its broken law."""
    if len(end.began.sides) != 1:
        return
    broken = [each for each in end.compared if each.broken]
    yield Line("")
    for each in broken:
        yield Line(f"  law broken on it: {each.stream.name}: {', '.join(each.broken)}")


def closing(end: Ended) -> Iterator[Line]:
    """Yield the last lines: the sum, and the verdict."""
    counts = end.counts
    words = ", ".join(f"{counts[word]} {word}" for word in MEANINGS if counts[word])
    stopped = "interrupted after" if end.interrupted else "compared"
    yield Line(
        f"{stopped} {many(len(end.compared), 'stream')} in {end.seconds:.1f} s: "
        f"{end.same} the same{', ' if words else ''}{words}"
    )
    if end.unusable:
        yield Line(f"{many(end.unusable, 'input')} could not be used, as named above", "red")
    yield Line(*verdict(end))


def verdict(end: Ended) -> tuple[str, str]:
    """Return the one sentence a person takes away, and its colour."""
    counts = end.counts
    if len(end.began.sides) < SIDES:
        usable = ", ".join(end.began.sides.values()) or "none"
        return f"nothing is compared: of both sides {usable} could be used", "red"
    if not end.compared:
        return "nothing is compared: there is no stream that both sides speak", "red"
    if counts["law broken"]:
        return f"B breaks law in {many(counts['law broken'], 'stream')} that A told rightly", "red"
    if end.unclassified:
        return f"B brings {many(len(end.unclassified), 'word')} that no table holds", "red"
    if counts["photograph changed"]:
        return (
            f"B breaks no law; review {many(counts['photograph changed'], 'photograph')}",
            "yellow",
        )
    return "B breaks no law, and nothing but cosmetics moved", "green"


def counted(group: Group) -> str:
    """Return how many streams a group was seen in."""
    return many(len(group.streams), "stream")


def many(count: int, word: str) -> str:
    """Return a count with its word, in the plural where it is one."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def again(end: Ended, group: Group) -> str:
    """Return the command that shows a group's example again."""
    return end.command.format(shlex.quote(group.streams[0]))


def short(value: JSON) -> str:
    """Return a value in one line, cut where it grows long."""
    text = value if isinstance(value, str) and value.startswith("(") else json_text(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
