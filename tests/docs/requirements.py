"""Writes docs/requirements.md: every check with its sentence and its sources, from the code.

Run ``python -m tests.docs.requirements`` after one of them changed; a test compares the page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.aborting.abort_invariants import ABORT_INVARIANTS
from harness.aborting.run_invariants import RUN_INVARIANTS
from harness.checks.expectations import EXPECTATIONS
from harness.checks.invariants import INVARIANTS
from harness.fuzzing.properties import PROPERTIES
from harness.generation.mutations import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.checks.invariants import Invariant

PAGE = Path(__file__).parents[2] / "docs" / "requirements.md"
# The beginning of an id -> the page that explains it.
_PAGES = {"IV": "streaming-rules.md", "D": "defects.md"}
_ID = re.compile(r"([A-Z]+)-?\d+")
_CITED = re.compile(r"^(.*?)\.? \(([A-Z0-9, -]+)\)\.?$")


class Check(NamedTuple):
    """One row: a check by name, its sentence, and its sources."""

    name: str
    sentence: str
    sources: tuple[str, ...]


class Section(NamedTuple):
    """One table of the page."""

    title: str
    text: str
    checks: tuple[Check, ...]


def sections() -> tuple[Section, ...]:
    """Return the tables of the page, in order."""
    keys = (Check(key, row.sentence, row.sources) for key, row in EXPECTATIONS.items())
    streams = {invariant.name for invariant in INVARIANTS}
    return (
        Section(
            "Keys of `must` and `should`",
            "A scenario states what these parts of the outcome must be. Its own `spec` and `case` "
            "are the sources of the values; the sources here say why the part exists.",
            tuple(keys),
        ),
        Section(
            "Invariants of a stream",
            "They hold for every outcome, whatever was sent; no scenario has to name them.",
            tuple(_rows(INVARIANTS)),
        ),
        Section(
            "Invariants of an aborted stream",
            "They are checked where a scenario has a `consumer` that aborts, or with `harness run "
            "--consumer`, at every point where the stream can be aborted.",
            tuple(_rows(ABORT_INVARIANTS)),
        ),
        Section(
            "Invariants of an aborted run",
            "They are checked where a scenario has `consumer: {do: full_stack}`, at each step of a "
            "run through SDK, interface, adapter, agent and service.",
            tuple(_rows(RUN_INVARIANTS)),
        ),
        Section(
            "Properties of generated streams",
            "`harness fuzz` checks them, and also every invariant of a stream and that the next "
            "request is accepted.",
            tuple(row for row in _rows(PROPERTIES) if row.name not in streams),
        ),
        Section(
            "Mutations of `holds_under`",
            "They change how a stream is sent. The outcome of a scenario that names one must not "
            "change under it.",
            tuple(_mutations()),
        ),
    )


def page() -> str:
    """Return the text of the page."""
    tables = "\n".join(f"## {one.title}\n\n{one.text}\n\n{_table(one)}" for one in sections())
    return f"""# Requirements

Every check that the harness can make, with its sentence and where it comes from. This page is
written by `python -m tests.docs.requirements`; change the code, not the page.

{tables}"""


def link(source: str) -> str:
    """Return a source as a link that works on the page."""
    if source.startswith("https://"):
        return f"[{source.partition('//')[2]}]({source})"
    found = _ID.fullmatch(source)
    if found is None:
        return f"[{source}]({source})"
    return f"[{source}]({_PAGES.get(found[1], 'catalogue.md')}#{source.lower()})"


def _rows(invariants: Iterable[Invariant[Any, Any]]) -> Iterator[Check]:
    return (Check(one.name, one.sentence, one.sources) for one in invariants)


def _mutations() -> Iterator[Check]:
    for name, mutation in MUTATIONS.items():
        found = _CITED.fullmatch(mutation.__doc__ or "")
        assert found, f"the docstring of {name} is a sentence with its sources in parentheses"
        yield Check(name, found[1], tuple(found[2].split(", ")))


def _table(section: Section) -> str:
    rows = (
        f"| `{check.name}` | {check.sentence} | {', '.join(map(link, check.sources))} |\n"
        for check in section.checks
    )
    return "| name | what holds | sources |\n|---|---|---|\n" + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
