"""Scenario files written for a test: a small legal stream, and what the test changes in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.scenarios import Scenario, load

if TYPE_CHECKING:
    from pathlib import Path

ID = "anthropic_messages/text/hello"
HELLO: dict[str, Any] = {
    "title": "Two words and a natural end",
    "protocol": "anthropic_messages",
    "origin": "synthesized",
    "order": "legal",
    "case": "AN-001",
    "why": "The smallest stream with text.",
    "stream": [
        "message_start",
        "content_block_start",
        {"text_delta": {"at": [0], "text": "Hello"}},
        {"text_delta": {"at": [0], "text": " there"}},
        "content_block_stop",
        "message_delta",
        "message_stop",
    ],
    "must": {"text": "Hello there"},
}


def scenario_data(**changes: Any) -> dict[str, Any]:
    """Return the keys of the scenario, some of them replaced; ``...`` omits a key."""
    data = {**HELLO, **changes}
    return {key: value for key, value in data.items() if value is not ...}


def write(root: Path, scenario_id: str = ID, **changes: Any) -> Path:
    """Write the changed scenario to a file and return its path."""
    return write_text(
        root, scenario_id, json.dumps(scenario_data(**changes), indent=1, ensure_ascii=False)
    )


def write_text(root: Path, scenario_id: str, text: str) -> Path:
    """Write the text of a scenario file."""
    path = root / f"{scenario_id}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def written(root: Path, scenario_id: str = ID, **changes: Any) -> Scenario:
    """Write the changed scenario to a file and load it."""
    return load(write(root, scenario_id, **changes), root)
