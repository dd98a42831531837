"""``harness audit``: secrets, idlers and unknown origins among recordings."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from harness.auditing import Audit, Flaw
from harness.errors import InputError
from harness.reports.files import json_text
from harness.scenarios import scenario_root

if TYPE_CHECKING:
    import argparse

_DEFAULT = (Path("cassettes"), Path("scenarios"))


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    paths = arguments.paths or [path for path in _DEFAULT if path.is_dir()]
    if not paths:
        raise InputError("no cassettes/ and no scenarios/ here; name what to look through")
    audit = Audit(scenario_root(arguments.scenarios), arguments.max_age)
    counts: Counter[str] = Counter()
    for found in audit.flaws(paths):
        if isinstance(found, InputError):
            sys.stderr.write(f"harness: {found}\n")
            counts["bad input"] += 1
        else:
            sys.stdout.write(f"{_line(found, as_json=arguments.json)}\n")
            counts[found.kind] += 1
    words = ", ".join(f"{n} {word}" for word, n in sorted(counts.items()))
    sys.stderr.write(f"{words or 'nothing found'}\n")
    return 2 if counts.pop("bad input", 0) and not counts else 1 if counts else 0


def _line(found: Flaw, *, as_json: bool) -> str:
    if as_json:
        return json_text({**found._asdict(), "path": str(found.path)})
    return str(found)
