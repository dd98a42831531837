"""The ``?name=value`` options of a DSN, each with its type.

Rules of this file: an unknown option is refused, with the nearest known one, so a typing error is
never ignored; errors name the option but not the DSN, which may contain a password.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping


class OptionType(NamedTuple):
    """What an option accepts, for messages, and its parser, which may raise ValueError."""

    accepts: str
    parse: Callable[[str], Any]


def split_options(
    dsn: str, what: str, known: Mapping[str, OptionType]
) -> tuple[str, dict[str, Any]]:
    """Return a DSN without its options, and the parsed options.

    Args:
        dsn: the DSN.
        what: what the options belong to, for messages.
        known: the options and their types.

    Raises:
        InputError: an option is unknown, or its value is not valid.
    """
    address, _, query = dsn.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    refuse_unknown((name for name, _ in given), what, known)
    return address, {name: _parse(name, value, known[name]) for name, value in given}


def refuse_unknown(names: Iterable[str], what: str, known: Collection[str]) -> None:
    """Raise for the first unknown name.

    Raises:
        UnknownWordError: a name is unknown; the message proposes the nearest known one.
    """
    for name in names:
        if name not in known:
            raise UnknownWordError(f"{what} option", name, known)


def _parse(name: str, value: str, option: OptionType) -> Any:
    try:
        return option.parse(value)
    except ValueError:
        raise InputError(f"option {name!r} must be {option.accepts}, not {value!r}") from None


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


SECONDS = OptionType("a positive number of seconds", _seconds)
COUNT = OptionType("a positive whole number", _count)
TEXT = OptionType("text", str)
