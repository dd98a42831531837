"""``harness coverage --diff A B``: what an upgrade changes in the vocabulary of the SDKs."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from harness.cli.output import show_progress
from harness.comparing import preparation
from harness.comparing.vocabulary import word_changes
from harness.reports.comparing.jsonl import word_data
from harness.reports.comparing.page import unclassified
from harness.reports.files import json_text
from harness.targets.addresses import in_environment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.comparing.vocabulary import WordChange
    from harness.sdks.vocabulary import ScenarioCounts

_SIGNS = {"added": "+", "removed": "-", "renamed": "~"}


def show_upgrade(arguments: argparse.Namespace, used: ScenarioCounts) -> int:
    """Print what changes between two sides; return 1 if a new word is not in a table.

    Args:
        arguments: the command's.
        used: how many scenarios contain each word.

    Raises:
        InputError: a side cannot be used.
    """
    sides = [(label, in_environment(label, "sdk")) for label in arguments.diff]
    before, after = preparation.vocabularies(sides, lambda text: show_progress(f"{text}\n"))
    changes = [
        change
        for change in word_changes(before, after, used)
        if not arguments.protocols or change.row.protocol in arguments.protocols
    ]
    lines = map(_json_line, changes) if arguments.json else _page(changes, arguments.diff)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if any(change.unclassified for change in changes) else 0


def _json_line(change: WordChange) -> str:
    return json_text({"word": word_data(change)})


def _page(changes: list[WordChange], sides: list[str]) -> Iterator[str]:
    counts = Counter(change.how for change in changes)
    sums = ", ".join(f"{n} {how}" for how, n in sorted(counts.items())) or "no change"
    yield f"{sides[0]} -> {sides[1]}: {sums}"
    for change in changes:
        yield f"{_SIGNS[change.how]} {_sentence(change)}"
    for change in changes:
        if change.unclassified:
            yield from (line.text for line in unclassified(change))


def _sentence(change: WordChange) -> str:
    row = change.row
    place = f"{row.protocol:<20}{row.category:<13}{row.word}"
    was = f" (was {change.was})" if change.was else ""
    if change.how == "removed":
        return f"{place}: not in B; {row.scenarios} scenarios contain it"
    where = {
        "table": f"in our tables; {row.scenarios} scenarios contain it",
        "unmodelled": f"unmodelled: {row.reason}",
        "unknown": "NOT IN A TABLE, and no reason is given",
    }[row.where]
    return f"{place}{was}: {where}"
