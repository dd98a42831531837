"""What is wrong with recordings that lie in a tree: secrets, idlers, origins nobody can tell.

Rules of this file: a file is read as what it holds, not as what it is called; every finding names
file, line and cure; one bad file never hides the others.
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
_SNIFFED = 64 * 1024  # bytes that tell a cassette from another text
_MOST = 256 * 1024 * 1024  # bytes of a text that is searched


class Flaw(NamedTuple):
    """One finding: what it is, where it stands, what to do."""

    kind: Kind
    path: Path
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.words}"


class Audit:
    """Looks through files.

    Args:
        scenarios: the folder of scenarios that may use the cassettes.
        max_age: days after which a recording is old.
        now: the time to count them from.
    """

    def __init__(self, scenarios: Path, max_age: int, now: datetime | None = None) -> None:
        self._max_age, self._now = max_age, now or datetime.now(UTC)
        self._root = cassette_root(scenarios).resolve()
        self._used = _used(scenarios) if scenarios.is_dir() else {}

    def flaws(self, paths: Sequence[Path]) -> Iterator[Flaw | InputError]:
        """Yield what is wrong below some paths, file by file."""
        for path in _files(paths):
            try:
                yield from self._file(path)
            except InputError as error:
                yield error
            except OSError as error:
                yield InputError(f"cannot be read ({error.strerror})", path=path)

    def _file(self, path: Path) -> Iterator[Flaw]:
        if path.suffix == _JOURNAL:
            words = "an interrupted recording; `harness record --recover` makes a cassette of it"
            yield Flaw("journal", path, 1, words)
        with path.open("rb") as file:
            content = file.read(_MOST)
        told = set()
        for line, name in _leaks(content):
            told.add(name)
            yield Flaw("leak", path, line, f"{name}; mask it, and withdraw it if it was published")
        if _CASSETTE.search(content, 0, _SNIFFED):
            cassette, lines = load_with_lines(path)
            yield from _hidden(path, cassette, lines, told)
            yield from self._unused(path, cassette, lines)
            yield from self._origins(path, cassette, lines)

    def _unused(self, path: Path, cassette: Cassette, lines: Lines) -> Iterator[Flaw]:
        """Yield what no scenario plays, of cassettes that scenarios can name."""
        if not path.resolve().is_relative_to(self._root):
            return
        used = self._used.get(path.resolve().relative_to(self._root).as_posix())
        if used is None:
            yield Flaw("orphan", path, 1, "no scenario names it; write one, or delete it")
            return
        for number in range(1, len(cassette.interactions) + 1):
            if number not in used:
                line = lines.at("interactions", number - 1)
                words = f"no scenario plays interaction {number}; write one, or delete it"
                yield Flaw("unplayed", path, line, words)

    def _origins(self, path: Path, cassette: Cassette, lines: Lines) -> Iterator[Flaw]:
        for place, told in enumerate(cassette.interactions):
            words = self._origin(told)
            if words:
                at = lines.at("interactions", place, "response", "stream", "provenance")
                yield Flaw("provenance", path, at, f"{words}; record it again")

    def _origin(self, told: Interaction) -> str | None:
        """Say what is wrong with what an interaction says of its origin."""
        origin = told.response.stream.provenance
        if origin is None:
            return "it does not say what produced it"
        if origin.recorded is None:
            return "it does not say when it was recorded"
        try:
            when = datetime.fromisoformat(origin.recorded)
        except ValueError:
            return f"{origin.recorded!r} is no ISO 8601 date"
        age = (self._now - (when if when.tzinfo else when.replace(tzinfo=UTC))).days
        if age < -1:  # a day's grace for clocks and time zones
            return f"it was recorded on {origin.recorded}, which is still to come"
        return f"it was recorded {age} days ago" if age > self._max_age else None


def _used(scenarios: Path) -> dict[str, set[int]]:
    """Return the interactions that scenarios play, by the name of their cassette."""
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
    """Yield the line and the name of each secret that stands in a text."""
    for offset, name in Scrubber().leaks(content):
        yield content.count(b"\n", 0, offset) + 1, name


def _hidden(path: Path, cassette: Cassette, lines: Lines, told: set[str]) -> Iterator[Flaw]:
    """Yield secrets that only a reader of the cassette sees: in headers, in joined fragments."""
    for place, interaction in enumerate(cassette.interactions):
        for part in ("request", "response"):
            scrubber = Scrubber()
            line = lines.at("interactions", place, part)
            try:
                getattr(scrubber, part)(getattr(interaction, part))
            except InputError as error:
                raise error.at(path, line) from None
            for name in scrubber.found:
                if name not in told:
                    yield Flaw("leak", path, line, f"{name} in its {part}; record it again")
