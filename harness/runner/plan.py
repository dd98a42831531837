"""Which scenarios: a glob over ids, or a word that is a part of the path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.checks.judging import CHECKS
from harness.errors import UnknownWordError
from harness.fuzz.mutations import MUTATIONS
from harness.scenarios import lint, load_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from harness.errors import InputError
    from harness.scenarios import Scenario


def gather(root: Path, selectors: Sequence[str]) -> tuple[list[Scenario], list[InputError]]:
    """Return the chosen scenarios that can be told, and what is wrong with the others.

    Args:
        root: the folder of scenarios.
        selectors: globs and words; none means all.

    Raises:
        UnknownWordError: a selector chooses nothing.
    """
    scenarios, errors = load_all(root)
    chosen = choose(scenarios, selectors)
    sound: list[Scenario] = []
    for scenario in chosen:
        wrong = list(lint(scenario, CHECKS, MUTATIONS))
        errors += wrong
        if not wrong:
            sound.append(scenario)
    return sound, errors


def choose(scenarios: Iterable[Scenario], selectors: Sequence[str]) -> list[Scenario]:
    """Return the scenarios that any selector names, in the order of their ids.

    Raises:
        UnknownWordError: a selector names none.
    """
    found = list(scenarios)
    if not selectors:
        return found
    patterns = [(selector, _pattern(selector)) for selector in selectors]
    for selector, pattern in patterns:
        if not any(pattern(scenario.id) for scenario in found):
            words = {part for scenario in found for part in (scenario.id, *scenario.id.split("/"))}
            raise UnknownWordError("scenario", selector, words)
    return [scenario for scenario in found if any(match(scenario.id) for _, match in patterns)]


def _pattern(selector: str) -> Callable[[str], object]:
    """Return the predicate over ids that a selector stands for."""
    word = selector.removesuffix(".yaml").removeprefix("scenarios/").strip("/")
    if any(sign in word for sign in "*?["):
        return re.compile(_translate(word)).fullmatch
    return lambda scenario_id: f"/{word}/" in f"/{scenario_id}/"


def _translate(glob: str) -> str:
    """Turn a glob into a regular expression: ``*`` stays in one folder, ``**`` does not."""
    pieces = re.split(r"(\*\*|\*|\?)", glob)
    words = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(words.get(piece, re.escape(piece)) for piece in pieces)
