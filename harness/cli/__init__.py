"""The command line: ``main`` runs one command.

parser.py lists the commands; each has a module of its own with its options and its ``main``, and
imports what is heavy when it runs, so that ``--help`` stays cheap. options.py and output.py hold
what commands share. Exit codes: 0 all requirements hold, 1 a requirement is violated, 2 bad usage
or bad input, 3 the harness failed.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from harness.cli.output import INTERRUPTED, warn
from harness.cli.parser import COMMANDS, make_parser
from harness.errors import HarnessError, InputError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

BAD_INPUT, HARNESS_FAILED = 2, 3
BROKEN_PIPE = 141  # as shells report a process whose output pipe was closed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the words behind ``harness``; None takes them from ``sys.argv``.
    """
    parsed = _parsed(arguments)
    _escape_unencodable()
    try:
        code = COMMANDS[parsed.command].main(parsed)
        sys.stdout.flush()
    except InputError as error:
        return _fail(error, BAD_INPUT)
    except BrokenPipeError:
        # Flushing standard output once more while Python shuts down must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except HarnessError as error:
        return _fail(error, HARNESS_FAILED)
    except Exception as error:
        if os.environ.get("HARNESS_TRACEBACK"):
            raise
        message = f"the harness itself failed: {type(error).__name__}: {error}"
        return _fail(f"{message} (set HARNESS_TRACEBACK=1 for the traceback)", HARNESS_FAILED)
    return code


def _parsed(arguments: Sequence[str] | None) -> Namespace:
    """Parse the arguments.

    ``compare`` takes any number of names on both sides of its options, which argparse alone does
    not support.
    """
    given = sys.argv[1:] if arguments is None else [*arguments]
    parser = make_parser(given[0] if given and given[0] in COMMANDS else None)
    parsed, rest = parser.parse_known_args(arguments)
    if hasattr(parsed, "names") and not any(word.startswith("-") for word in rest):
        parsed.names += rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return parsed


def _escape_unencodable() -> None:
    """Write characters that the terminal's encoding lacks as escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fail(message: object, code: int) -> int:
    warn(message)
    return code
