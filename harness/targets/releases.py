"""The versions of a package, as pip lists them, and those that a range names.

Only releases count (``1.2.3``); previews and local builds are left out.
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
# Step of a range -> how many of a version's numbers distinguish its steps.
EVERY: Mapping[str, int] = {"major": 1, "minor": 2, "patch": 3}


class Range(NamedTuple):
    """The versions of a package from one to another, both included."""

    package: str
    low: str
    high: str


def range_of(text: str) -> Range:
    """Read ``openai:2.0..3.52``.

    Raises:
        InputError: the text has another form, or the range is empty.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InputError(f"versions {text!r}: write them as PACKAGE:LOW..HIGH, e.g. openai:2.0..3")
    wanted = Range(match["package"], match["low"], match["high"])
    if _numbers(wanted.low) > _numbers(wanted.high):
        raise InputError(f"versions {text!r}: {wanted.low} is above {wanted.high}")
    return wanted


def releases(wanted: Range, every: str) -> list[str]:
    """Return the versions of a range, oldest first: the last of every step.

    Args:
        wanted: the range; ``3`` and ``3.52`` include every version that begins so.
        every: ``major``, ``minor`` or ``patch``.

    Raises:
        UnknownWordError: there is no such step.
        InputError: pip is missing or finds no such version.
    """
    if every not in EVERY:
        raise UnknownWordError("step", every, EVERY)
    versions = within(wanted, _available(wanted.package), EVERY[every])
    if not versions:
        raise InputError(f"{wanted.package}: no release from {wanted.low} to {wanted.high}")
    return versions


def within(wanted: Range, versions: Iterable[str], depth: int) -> list[str]:
    """Return the versions of a range, oldest first, the last of those that share some numbers.

    The oldest of all is included, too: the others are compared with it.

    Args:
        wanted: the range.
        versions: the versions there are, in any order.
        depth: how many leading numbers versions of one step share.
    """
    low, high = _numbers(wanted.low), _numbers(wanted.high)
    known = sorted(filter(_RELEASE.fullmatch, versions), key=_numbers)
    inside = [v for v in known if low <= _numbers(v) and _numbers(v)[: len(high)] <= high]
    last = {_numbers(version)[:depth]: version for version in inside}
    return list(dict.fromkeys([*inside[:1], *last.values()]))


def _available(package: str) -> list[str]:
    command = [sys.executable, "-m", "pip", "index", "versions", package]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own pip
    line = re.search(r"^Available versions: (.*)$", run.stdout, re.MULTILINE)
    if line is None:
        reason = " ".join(run.stderr.strip().splitlines()[-1:]) or "pip gave no reason"
        raise InputError(f"{package}: its versions cannot be listed: {reason}")
    return line[1].split(", ")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
