"""``harness coverage --diff A B``: what an upgrade did to the words of the SDKs."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from harness.comparing import preparation as readiness
from harness.comparing.vocabulary import word_changes
from harness.reports.comparing.jsonl import word_data
from harness.reports.comparing.page import unclassified
from harness.reports.files import json_text
from harness.targets.addresses import inside

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.comparing.vocabulary import WordChange
    from harness.sdks.vocabulary import ScenarioCounts

_SIGNS = {"added": "+", "removed": "-", "renamed": "~"}


def show(arguments: argparse.Namespace, said: ScenarioCounts) -> int:
    """Print what changed between two sides; return 1 if a new word is in no table.

    Raises:
        InputError: a side cannot be used.
    """
    named = [(words, inside(words, "sdk")) for words in arguments.diff]
    before, after = readiness.vocabularies(named, _tell)
    changes = [
        change
        for change in word_changes(before, after, said)
        if not arguments.protocols or change.row.protocol in arguments.protocols
    ]
    lines = map(_json_line, changes) if arguments.json else _page(changes, arguments.diff)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if any(change.unclassified for change in changes) else 0


def _tell(words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{words}\n")


def _json_line(change: WordChange) -> str:
    return json_text({"word": word_data(change)})


def _page(changes: list[WordChange], sides: list[str]) -> Iterator[str]:
    counts = Counter(change.how for change in changes)
    sums = ", ".join(f"{n} {how}" for how, n in sorted(counts.items())) or "no word changed"
    yield f"{sides[0]} -> {sides[1]}: {sums}"
    for change in changes:
        yield f"{_SIGNS[change.how]} {_words(change)}"
    for change in changes:
        if change.unclassified:
            yield from (line.text for line in unclassified(change))


def _words(change: WordChange) -> str:
    row = change.row
    place = f"{row.protocol:<20}{row.category:<13}{row.word}"
    was = f" (was {change.was})" if change.was else ""
    if change.how == "removed":
        return f"{place}: B does not know it; {row.scenarios} scenarios say it"
    known = {
        "table": f"in our tables, said by {row.scenarios} scenarios",
        "unmodelled": f"in no table: {row.reason}",
        "unknown": "IN NO TABLE, and no reason why",
    }[row.where]
    return f"{place}{was}: {known}"
