"""Which versions of a package there are, as pip finds them, and which of them a range names.

Rule of this file: only releases count (``1.2.3``); previews and local builds are nobody's upgrade.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORM = re.compile(r"(?P<package>[\w.-]+):(?P<low>\d+(\.\d+)*)\.\.(?P<high>\d+(\.\d+)*)")
_RELEASE = re.compile(r"\d+(\.\d+)*")
# How fine a range is -> how many of a version's numbers tell its steps apart.
EVERY: Mapping[str, int] = {"major": 1, "minor": 2, "patch": 3}


class Range(NamedTuple):
    """The versions of a package from one to another, both included."""

    package: str
    low: str
    high: str


def range_of(words: str) -> Range:
    """Read ``openai:2.0..3.52``.

    Raises:
        InputError: the words have not that form, or the range is empty.
    """
    found = _FORM.fullmatch(words)
    if found is None:
        raise InputError(f"versions {words!r}: write them as PACKAGE:LOW..HIGH, e.g. openai:2.0..3")
    named = Range(found["package"], found["low"], found["high"])
    if _numbers(named.low) > _numbers(named.high):
        raise InputError(f"versions {words!r}: {named.low} is above {named.high}")
    return named


def releases(named: Range, every: str) -> list[str]:
    """Return the versions of a range, oldest first: the last of every step.

    Args:
        named: the range; ``3`` and ``3.52`` stand for everything that begins so.
        every: ``major``, ``minor`` or ``patch``.

    Raises:
        UnknownWordError: nobody knows the step.
        InputError: pip is missing or finds no such version.
    """
    if every not in EVERY:
        raise UnknownWordError("step", every, EVERY)
    found = within(named, _available(named.package), EVERY[every])
    if not found:
        raise InputError(f"{named.package}: no release from {named.low} to {named.high}")
    return found


def within(named: Range, versions: Iterable[str], depth: int) -> list[str]:
    """Return the versions of a range, oldest first, the last of each that share some numbers.

    The oldest of all is kept, too: it is what the others are compared with.
    """
    low, high = _numbers(named.low), _numbers(named.high)
    known = sorted(filter(_RELEASE.fullmatch, versions), key=_numbers)
    chosen = [v for v in known if low <= _numbers(v) and _numbers(v)[: len(high)] <= high]
    last = {_numbers(version)[:depth]: version for version in chosen}
    return list(dict.fromkeys([*chosen[:1], *last.values()]))


def _available(package: str) -> list[str]:
    command = [sys.executable, "-m", "pip", "index", "versions", package]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own pip
    line = re.search(r"^Available versions: (.*)$", run.stdout, re.MULTILINE)
    if line is None:
        said = run.stderr.strip().splitlines()[-1:]
        raise InputError(f"{package}: its versions cannot be listed: {' '.join(said) or 'no word'}")
    return line[1].split(", ")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
