"""The baseline: failures that are accepted for now.

A file with one entry per line: ``TARGET SCENARIO:CHECK  # reason``. A listed failure becomes
``known``. An entry whose check no longer fails although its scenario ran is stale, and fails the
run, so that the file cannot become outdated unnoticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine.results import FAILING
from harness.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import Finding


class Baseline:
    """The accepted failures, and which of them occurred.

    Args:
        entries: target, scenario and check of each.
    """

    def __init__(self, entries: frozenset[tuple[str, str, str]] = frozenset()) -> None:
        self._entries = entries
        self._ran: set[tuple[str, str]] = set()
        self._occurred: set[tuple[str, str, str]] = set()

    def apply(self, finding: Finding) -> Finding:
        """Return the finding, with the verdict ``known`` where it is an accepted failure."""
        entry = (finding.target, finding.scenario, finding.check)
        self._ran.add(entry[:2])
        if entry not in self._entries or finding.verdict not in FAILING:
            return finding
        self._occurred.add(entry)
        return finding.model_copy(update={"verdict": "known"})

    def stale(self) -> tuple[str, ...]:
        """Return the entries that no longer fail although their scenario ran."""
        gone = (e for e in self._entries if e[:2] in self._ran and e not in self._occurred)
        return tuple(sorted(f"{target} {scenario}:{check}" for target, scenario, check in gone))


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        InputError: a line is not a valid entry; names the line and the form of an entry.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError("the baseline is not UTF-8 text", path=path) from None
    except OSError as error:
        raise InputError(f"the baseline cannot be read ({error.strerror})", path=path) from None
    entries: set[tuple[str, str, str]] = set()
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        scenario, _, check = words[-1].partition(":")
        if len(words) != 2 or not (scenario and check):  # noqa: PLR2004 - target and entry
            raise InputError("write it as TARGET SCENARIO:CHECK  # reason", path=path, line=number)
        entries.add((words[0], scenario, check))
    return Baseline(frozenset(entries))
