"""Selects scenarios: by a glob over their ids, or by a word that is a part of the path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.checks.evaluation import CHECKS
from harness.checks.matching import invalid_expectation
from harness.errors import InputError, UnknownWordError
from harness.generation.mutations import MUTATIONS
from harness.playback.response_registry import ResponseRegistry
from harness.scenarios import discover, id_of, lint, load_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.scenarios import Scenario


def select_scenarios(
    root: Path, selectors: Sequence[str]
) -> tuple[list[Scenario], list[InputError]]:
    """Return the selected scenarios that can be run, and what is wrong with the others.

    Args:
        root: the folder of scenarios.
        selectors: globs and words; none means all.

    Raises:
        InputError: the folder holds no scenario.
        UnknownWordError: a selector selects nothing.
    """
    paths = {id_of(path, root): path for path in discover(root)}
    if not paths:
        raise InputError("the folder contains no scenario (NAME.yaml)", path=root)
    selected, errors = load_each((paths[found] for found in matching_ids(paths, selectors)), root)
    valid: list[Scenario] = []
    for scenario in selected:
        wrong = [
            *lint(scenario, CHECKS, MUTATIONS),
            *_invalid_expectations(scenario),
        ] or _invalid_response(scenario)
        errors += wrong
        if not wrong:
            valid.append(scenario)
    return valid, errors


def _invalid_expectations(scenario: Scenario) -> Iterator[InputError]:
    """Yield the expectations that cannot be evaluated."""
    for block in ("must", "should"):
        for key, expected in getattr(scenario, block).items():
            reason = invalid_expectation(expected)
            if reason:
                yield InputError(reason, path=scenario.path, line=scenario.lines.at(block, key))


def _invalid_response(scenario: Scenario) -> list[InputError]:
    """Return why a scenario's response cannot be sent, such as its status or its headers."""
    try:
        ResponseRegistry().register(scenario.script())
    except InputError as error:
        return [error.at(scenario.path, scenario.lines.at("transport"))]
    return []


def matching_ids(ids: Iterable[str], selectors: Sequence[str]) -> list[str]:
    """Return the ids that any selector matches, in their given order.

    Raises:
        UnknownWordError: a selector matches none.
    """
    found = list(ids)
    if not selectors:
        return found
    patterns = [(selector, _pattern(selector)) for selector in selectors]
    for selector, pattern in patterns:
        if not any(map(pattern, found)):
            words = {part for known in found for part in (known, *known.split("/"))}
            raise UnknownWordError("scenario", selector, words)
    return [known for known in found if any(match(known) for _, match in patterns)]


def _pattern(selector: str) -> Callable[[str], object]:
    """Return the predicate over ids that a selector means."""
    word = selector.removeprefix("./").removeprefix("scenarios/").removesuffix(".yaml").strip("/")
    if "*" in word or "?" in word:
        return re.compile(_translate(word)).fullmatch
    return lambda scenario_id: f"/{word}/" in f"/{scenario_id}/"


def _translate(glob: str) -> str:
    """Turn a glob into a regular expression: ``*`` stays in one folder, ``**`` does not."""
    pieces = re.split(r"(\*\*|\*|\?)", glob)
    words = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(words.get(piece, re.escape(piece)) for piece in pieces)
