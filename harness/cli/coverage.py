"""``harness coverage``: the words of the installed SDKs x our tables x our scenarios."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.model import Event
from harness.protocols import protocol as protocol_named
from harness.scenarios import load_all, scenario_root
from harness.sdks.vocabulary import coverage, versions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from harness.model import JSON
    from harness.scenarios import Scenario
    from harness.sdks.vocabulary import CoverageRow

_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    for name in arguments.protocols:
        protocol_named(name)
    scenarios, _ = load_all(scenario_root(arguments.scenarios))
    said = words_said(scenarios)
    if arguments.diff:
        from harness.cli.coverage_diff import show

        return show(arguments, said)
    rows = [
        row
        for row in coverage(said)
        if not arguments.protocols or row.protocol in arguments.protocols
    ]
    if not rows:
        raise InputError("no SDK is installed; pip install 'llm-stream-harness[sdks]'")
    known = share(row.where != "unknown" for row in rows)
    lines = _json_lines(rows, known) if arguments.json else _page(rows, show_all=arguments.all)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    under = arguments.fail_under is not None and known < arguments.fail_under
    if under:
        words = f"{known:.1f} % of the words are known, under {arguments.fail_under:g} %"
        sys.stderr.write(f"harness: {words}\n")
    return 1 if under else 0


def words_said(scenarios: Iterable[Scenario]) -> dict[str, dict[str, Counter[str]]]:
    """Count in how many scenarios each word stands: protocol -> category -> word -> count.

    A word is a key, a dotted pair of keys or a value of the wire events; in which category it
    counts is decided by who asks.
    """
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for scenario in scenarios:
        try:
            events = [item for item in scenario.wire() if isinstance(item, Event)]
        except InputError:
            continue  # `harness list` reports it; here it says nothing
        said[scenario.protocol].update({w for event in events for w in _words(event.data)})
    return {
        name: dict.fromkeys(protocol_named(name).vocabulary, count) for name, count in said.items()
    }


def _words(value: JSON, above: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            word = _UPPER.sub(r"_\1", key).lower()
            yield word
            yield f"{above}.{word}"
            yield from _words(item, word)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item, above)
    elif isinstance(value, str):
        yield value


def share(answers: Iterable[bool]) -> float:
    """Return how many of some answers are yes, in percent; of none, all."""
    found = list(answers)
    return 100.0 * sum(found) / len(found) if found else 100.0


def _json_lines(rows: list[CoverageRow], known: float) -> Iterator[str]:
    for row in rows:
        yield row.model_dump_json()
    summary = {"words": len(rows), "known": round(known, 2), "versions": versions()}
    yield json.dumps({"summary": summary})


def _page(rows: list[CoverageRow], *, show_all: bool) -> Iterator[str]:
    yield ", ".join(f"{package} {number}" for package, number in versions().items())
    yield f"{'protocol':<20}{'category':<14}{'words':>6}{'table':>7}{'unmodelled':>12}{'said':>6}"
    groups: Mapping[tuple[str, str], list[CoverageRow]] = defaultdict(list)
    for row in rows:
        groups[row.protocol, row.category].append(row)
    for (name, category), group in groups.items():
        where = Counter(row.where for row in group)
        said = sum(row.scenarios > 0 for row in group)
        numbers = f"{len(group):>6}{where['table']:>7}{where['unmodelled']:>12}{said:>6}"
        yield f"{name:<20}{category:<14}{numbers}"
    yield ""
    yield from _words_worth_a_look(rows, show_all=show_all)
    tabled = [row for row in rows if row.where == "table"]
    yield (
        f"{share(row.where != 'unknown' for row in rows):.1f} % of {len(rows)} words are in a "
        f"table or unmodelled with a reason; scenarios say "
        f"{share(row.scenarios > 0 for row in tabled):.1f} % of those in tables"
    )


def _words_worth_a_look(rows: list[CoverageRow], *, show_all: bool) -> Iterator[str]:
    for row in rows:
        place = f"{row.protocol} {row.category} {row.word}"
        if row.where == "unknown":
            yield f"unknown      {place}: in no table; add it, or to `unmodelled` with the reason"
        elif row.where == "unmodelled" and show_all:
            yield f"unmodelled   {place}: {row.reason}"
        elif show_all:
            yield f"{row.scenarios:>4} scenarios {place}"
    if show_all:
        yield ""
