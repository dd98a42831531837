"""``harness coverage``: the installed SDKs, the grammar tables and the scenarios."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from harness.cli.output import warn
from harness.errors import InputError
from harness.sdks.vocabulary import coverage, versions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from harness.sdks.vocabulary import CoverageRow, ScenarioCounts


def show_installed(arguments: argparse.Namespace, used: ScenarioCounts) -> int:
    """Print the coverage of the installed SDKs; return 1 if it is under ``--fail-under``.

    Args:
        arguments: the command's.
        used: how many scenarios contain each word.

    Raises:
        InputError: no SDK is installed.
    """
    rows = [
        row
        for row in coverage(used)
        if not arguments.protocols or row.protocol in arguments.protocols
    ]
    if not rows:
        raise InputError("no SDK is installed; pip install 'llm-stream-harness[sdks]'")
    known = share(row.where != "unknown" for row in rows)
    lines = _json_lines(rows, known) if arguments.json else _page(rows, show_all=arguments.all)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    if arguments.fail_under is None or known >= arguments.fail_under:
        return 0
    warn(f"{known:.1f} % of the event types and fields are covered, under "
         f"{arguments.fail_under:g} %")  # fmt: skip
    return 1


def share(answers: Iterable[bool]) -> float:
    """Return the percentage of True; 100 where there are no answers."""
    found = list(answers)
    return 100.0 * sum(found) / len(found) if found else 100.0


def _json_lines(rows: list[CoverageRow], known: float) -> Iterator[str]:
    for row in rows:
        yield row.model_dump_json()
    summary = {"words": len(rows), "known": round(known, 2), "versions": versions()}
    yield json.dumps({"summary": summary})


def _page(rows: list[CoverageRow], *, show_all: bool) -> Iterator[str]:
    yield ", ".join(f"{package} {number}" for package, number in versions().items())
    yield (
        f"{'protocol':<20}{'category':<14}{'names':>6}{'in tables':>11}{'unmodelled':>12}"
        f"{'in scenarios':>14}"
    )
    groups: Mapping[tuple[str, str], list[CoverageRow]] = defaultdict(list)
    for row in rows:
        groups[row.protocol, row.category].append(row)
    for (name, category), group in groups.items():
        where = Counter(row.where for row in group)
        used = sum(row.scenarios > 0 for row in group)
        numbers = f"{len(group):>6}{where['table']:>11}{where['unmodelled']:>12}{used:>14}"
        yield f"{name:<20}{category:<14}{numbers}"
    yield ""
    yield from _rows(rows, show_all=show_all)
    in_tables = [row for row in rows if row.where == "table"]
    yield (
        f"{share(row.where != 'unknown' for row in rows):.1f} % of {len(rows)} names are in a "
        f"table, or unmodelled with a reason; "
        f"{share(row.scenarios > 0 for row in in_tables):.1f} % of those in tables are in scenarios"
    )


def _rows(rows: list[CoverageRow], *, show_all: bool) -> Iterator[str]:
    for row in rows:
        place = f"{row.protocol} {row.category} {row.word}"
        if row.where == "unknown":
            yield f"unknown      {place}: not in a table; add it, or to `unmodelled` with a reason"
        elif row.where == "unmodelled" and show_all:
            yield f"unmodelled   {place}: {row.reason}"
        elif show_all:
            yield f"{row.scenarios:>4} scenarios {place}"
    if show_all:
        yield ""
