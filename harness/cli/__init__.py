"""The commands: parser.py says what they take, one module each does them.

Rules of this room: a command's module is imported when it is called, so ``--help`` costs nothing;
exit codes are 0 all law holds, 1 a law is broken, 2 bad usage or bad input, 3 the harness failed.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from typing import TYPE_CHECKING

from harness.cli.parser import make_parser
from harness.errors import HarnessError, InputError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

OK, BROKEN, BAD_INPUT, OUR_FAULT = 0, 1, 2, 3
# As shells report a process that Ctrl-C ended, and one whose reader left: neither saw all law hold.
INTERRUPTED, UNHEARD = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parsed = _parsed(arguments)
    _speak_any_text()
    try:
        # A module named `import` could be imported by nobody else.
        command = import_module(f"harness.cli.{parsed.command}{'_' * iskeyword(parsed.command)}")
        code: int = command.main(parsed)
        sys.stdout.flush()
    except InputError as error:
        return _say(str(error), BAD_INPUT)
    except BrokenPipeError:
        # Whoever read our output left; Python would complain once more while shutting down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNHEARD
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except HarnessError as error:
        return _say(str(error), OUR_FAULT)
    except Exception as error:
        if os.environ.get("HARNESS_TRACEBACK"):
            raise
        words = f"the harness itself failed: {type(error).__name__}: {error}"
        return _say(f"{words} (set HARNESS_TRACEBACK=1 to see where)", OUR_FAULT)
    return code


def _parsed(arguments: Sequence[str] | None) -> Namespace:
    """Parse the arguments.

    A command of any number of words finds them on both sides of its options, which argparse does
    not do by itself.
    """
    parser = make_parser()
    parsed, rest = parser.parse_known_args(arguments)
    if hasattr(parsed, "words") and not any(word.startswith("-") for word in rest):
        parsed.words += rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return parsed


def _speak_any_text() -> None:
    """Write as an escape what the encoding lacks: no report may fail on a character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(words: str, code: int) -> int:
    sys.stderr.write(f"harness: {words}\n")
    return code
