"""Numbers as they are written after an option; what is wrong with one is said as argparse likes."""

from __future__ import annotations

import argparse
import threading

_PORTS = 65535  # the highest there is


def seconds(word: str) -> float:
    """Return a time to wait.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = float(word)
    if not 0 < number < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"{word} is no time to wait; give seconds above 0")
    return number


def pace(word: str) -> float | str:
    """Return a time to wait, or ``recorded``.

    Raises:
        ArgumentTypeError: it is none.
    """
    return word if word == "recorded" else seconds(word)


def port(word: str) -> int:
    """Return a port.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = int(word)
    if not 0 <= number <= _PORTS:
        raise argparse.ArgumentTypeError(f"{word} is no port; give one from 0 to {_PORTS}")
    return number


def count(word: str) -> int:
    """Return a count of at least one.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is too few; give a number from 1")
    return number
