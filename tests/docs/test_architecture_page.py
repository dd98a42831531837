"""ARCHITECTURE.md shows the layers that the architecture test holds."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_architecture import IMPORTERS, LAYERS

PAGE = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", PAGE, re.MULTILINE)
PACKAGES = {"google": "google-genai", "yaml": "PyYAML"}


def test_every_package_stands_in_its_layer() -> None:
    shown: dict[int, set[str]] = {}
    for layer, names, *_ in ROWS:
        shown.setdefault(int(layer), set()).update(re.findall(r"`(\w+)`", names))
    held = {number: set(names) for number, names in enumerate(LAYERS)}
    assert {**shown, 10: {"__main__"}} == held


def test_the_only_importers_are_named() -> None:
    named = {word: names for _, names, _, words in ROWS for word in words.split(", ") if word}
    for dependency, importers in IMPORTERS.items():
        name = PACKAGES.get(dependency, dependency)
        if len(importers) == 1 and name != "letta":
            assert f"`{next(iter(importers))}`" in named[name], name


def test_it_is_short() -> None:
    assert PAGE.count("\n") <= 65
