"""Audits the recordings of a tree: secrets, unused recordings, missing or old provenance.

Rules of this file: a file is treated by its content, not by its name; every finding names file,
line and cure; an invalid file does not hide the others.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.cassettes import Scrubber
from harness.cassettes.reading import load_with_lines
from harness.errors import InputError
from harness.project_files import files_below
from harness.scenarios import cassette_root, load_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.cassettes.cassette import Cassette, Interaction
    from harness.yaml_file import Lines

Kind: TypeAlias = Literal["leak", "orphan", "unplayed", "provenance", "journal"]

_TEXTS = (".yaml", ".yml", ".json", ".jsonl", ".sse", ".txt", ".ambr", ".md")
_JOURNAL = ".journal"
_CASSETTE = re.compile(rb"(?m)^interactions:")
_SNIFFED = 64 * 1024  # bytes in which the first key of a cassette must be
_MAX_SIZE = 256 * 1024 * 1024  # bytes of a text that are searched


class Flaw(NamedTuple):
    """One finding: its kind, its position, and what to do; the field names are JSON keys."""

    kind: Kind
    path: Path
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.words}"


class Audit:
    """Audits files.

    Args:
        scenarios: the folder of scenarios that may use the cassettes.
        max_age: days after which a recording is old.
        now: the current time; None reads the clock.
    """

    def __init__(self, scenarios: Path, max_age: int, now: datetime | None = None) -> None:
        self._max_age, self._now = max_age, now or datetime.now(UTC)
        self._root = cassette_root(scenarios).resolve()
        self._used = _used(scenarios) if scenarios.is_dir() else {}

    def flaws(self, paths: Sequence[Path]) -> Iterator[Flaw | InputError]:
        """Yield the findings below some paths, file by file."""
        for path in _files(paths):
            try:
                yield from self._file(path)
            except InputError as error:
                yield error
            except OSError as error:
                yield InputError(f"cannot be read ({error.strerror})", path=path)

    def _file(self, path: Path) -> Iterator[Flaw]:
        if path.suffix == _JOURNAL:
            message = "an interrupted recording; make a cassette with `harness record --recover`"
            yield Flaw("journal", path, 1, message)
        with path.open("rb") as file:
            content = file.read(_MAX_SIZE)
        found = set()
        for line, name in _leaks(content):
            found.add(name)
            yield Flaw("leak", path, line, f"{name}; mask it, and revoke it if it was published")
        if _CASSETTE.search(content, 0, _SNIFFED):
            cassette, lines = load_with_lines(path)
            yield from _hidden_leaks(path, cassette, lines, found)
            yield from self._unused(path, cassette, lines)
            yield from self._provenance_flaws(path, cassette, lines)

    def _unused(self, path: Path, cassette: Cassette, lines: Lines) -> Iterator[Flaw]:
        """Yield the interactions that no scenario uses, of cassettes that scenarios can name."""
        if not path.resolve().is_relative_to(self._root):
            return
        used = self._used.get(path.resolve().relative_to(self._root).as_posix())
        if used is None:
            yield Flaw("orphan", path, 1, "no scenario uses it; write one, or delete it")
            return
        for number in range(1, len(cassette.interactions) + 1):
            if number not in used:
                line = lines.at("interactions", number - 1)
                message = f"no scenario uses interaction {number}; write one, or delete it"
                yield Flaw("unplayed", path, line, message)

    def _provenance_flaws(self, path: Path, cassette: Cassette, lines: Lines) -> Iterator[Flaw]:
        for number, interaction in enumerate(cassette.interactions):
            problem = self._provenance_problem(interaction)
            if problem:
                line = lines.at("interactions", number, "response", "stream", "provenance")
                yield Flaw("provenance", path, line, f"{problem}; record it again")

    def _provenance_problem(self, interaction: Interaction) -> str | None:
        """Return what is wrong with the provenance of an interaction, or None."""
        provenance = interaction.response.stream.provenance
        if provenance is None:
            return "it has no provenance"
        if provenance.recorded is None:
            return "the provenance has no date"
        try:
            when = datetime.fromisoformat(provenance.recorded)
        except ValueError:
            return f"{provenance.recorded!r} is not an ISO 8601 date"
        age = (self._now - (when if when.tzinfo else when.replace(tzinfo=UTC))).days
        if age < -1:  # one day of tolerance for clocks and time zones
            return f"the recording date {provenance.recorded} is in the future"
        if age <= self._max_age:
            return None
        return f"it was recorded {age} days ago (the limit is {self._max_age})"


def _used(scenarios: Path) -> dict[str, set[int]]:
    """Return the interactions that scenarios use, by the name of their cassette."""
    used: dict[str, set[int]] = {}
    for scenario in load_all(scenarios)[0]:
        if scenario.cassette is not None:
            name, _, number = scenario.cassette.partition("#")
            used.setdefault(name, set()).add(int(number) if number.isdecimal() else 1)
    return used


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            known = (*_TEXTS, _JOURNAL)
            yield from (file for file in files_below(path) if file.suffix in known)
        else:
            yield path


def _leaks(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield the line and the kind of each secret in a text."""
    for offset, name in Scrubber().leaks(content):
        yield content.count(b"\n", 0, offset) + 1, name


def _hidden_leaks(path: Path, cassette: Cassette, lines: Lines, found: set[str]) -> Iterator[Flaw]:
    """Yield secrets that a text search does not find: in headers, in joined fragments."""
    for number, interaction in enumerate(cassette.interactions):
        for part in ("request", "response"):
            scrubber = Scrubber()
            line = lines.at("interactions", number, part)
            try:
                getattr(scrubber, part)(getattr(interaction, part))
            except InputError as error:
                raise error.at(path, line) from None
            for name in scrubber.found:
                if name not in found:
                    yield Flaw("leak", path, line, f"{name} in its {part}; record it again")
