"""The ``?name=value`` options of a DSN, read by the table of those a backend knows.

Rules of this file: an unknown option is refused with the nearest known one, so a typing error
never turns into a default; what is refused is named, but not the DSN around it, which may hold a
password.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping


class Kind(NamedTuple):
    """What an option takes, in words, and what reads it: ValueError where it is none."""

    takes: str
    read: Callable[[str], Any]


def split_options(dsn: str, what: str, known: Mapping[str, Kind]) -> tuple[str, dict[str, Any]]:
    """Return a DSN without its options, and the options read.

    Args:
        dsn: the whole DSN.
        what: whose options they are, for the error's words.
        known: option -> what it takes.

    Raises:
        InputError: an option is unknown, or its value cannot be read.
    """
    place, _, query = dsn.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    refuse_unknown((name for name, _ in given), what, known)
    return place, {name: _read(name, value, known[name]) for name, value in given}


def refuse_unknown(names: Iterable[str], what: str, known: Collection[str]) -> None:
    """Refuse the first name that nobody knows.

    Raises:
        UnknownWordError: proposes the nearest known name.
    """
    for name in names:
        if name not in known:
            raise UnknownWordError(f"{what} option", name, known)


def _read(name: str, value: str, kind: Kind) -> Any:
    try:
        return kind.read(value)
    except ValueError:
        raise InputError(f"option {name!r} takes {kind.takes}, not {value!r}") from None


def _seconds(text: str) -> float:
    number = float(text)
    if number <= 0 or not isfinite(number):
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


SECONDS = Kind("seconds above 0", _seconds)
COUNT = Kind("a whole number above 0", _count)
TEXT = Kind("text", str)
