"""``harness list`` and ``harness explain``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.scenario_files import ID, write, write_text

if TYPE_CHECKING:
    from pathlib import Path


def test_list_prints_every_scenario(harness: Any) -> None:
    result = harness("list", "text")
    assert result.code == 0
    assert result.out == f"{ID}  Two words and a natural end\n"
    assert result.err == "1 scenario, 0 with errors\n"
    [line] = harness("list", "text", "--json").lines()
    assert list(line) == ["id", "title", "protocol", "order", "cases", "checks", "path"]
    assert line["path"] == f"scenarios/{ID}.yaml"


def test_explain_shows_events_requirements_and_sources(harness: Any, here: Path) -> None:
    write(
        here / "scenarios",
        ID,
        spec=[{"url": "https://example.org", "says": "Deltas are joined."}],
        stream=["message_start", {"raw": ": é\n\n"}, "message_stop"],
        should={"model": "x"},
        holds_under=["crlf"],
        transport={"status": 201, "end": "reset"},
    )
    result = harness("explain", f"scenarios/{ID}.yaml")
    assert result.code == 0
    for part in (
        "Two words and a natural end\n",
        "  status 201\n",
        "    0 message_start: {",
        "    1 (bytes) b': \\xc3\\xa9\\n\\n'\n",
        "      then the connection ends: reset\n",
        "Violations of the protocol's grammar\n  event 1 message_stop: ",
        'Must be delivered\n  text: "Hello there"\n',
        'Should be delivered\n  model: "x"\n',
        "The outcome must be the same under\n  crlf\n",
        "Sources\n  Deltas are joined. https://example.org\n  AN-001: `message_start`, ",
        "usage are delivered. docs/catalogue.md#an-001\n",
        f"  harness run {ID} --target builtin",
    ):
        assert part in result.out
    document = json.loads(harness("explain", ID, "--json").out)
    assert list(document) == [
        "id", "title", "protocol", "order", "why", "events", "must", "should", "consumer",
        "holds_under", "cases", "spec",
    ]  # fmt: skip
    assert document["events"][1] == {"raw": ": é\n\n"}
    assert document["events"][2]["event"] == "message_stop"


def test_explain_shows_how_the_consumer_aborts(harness: Any, here: Path) -> None:
    aborted = "anthropic_messages/text/aborted"
    write(here / "scenarios", aborted, consumer={"do": "cancel", "at": 2})
    assert "  cancel, after 2\n" in harness("explain", aborted).out
    document = json.loads(harness("explain", aborted, "--json").out)
    assert document["consumer"] == {"do": "cancel", "at": 2}


def test_explain_names_the_error_of_its_file(harness: Any, here: Path) -> None:
    write_text(here / "scenarios", "bad/malformed", "title: [")
    result = harness("explain", "bad/malformed")
    assert result.code == 2
    assert "scenarios/bad/malformed.yaml:2: not valid YAML" in result.err
    write(here / "scenarios", "bad/word", stream=["mesage_start"])
    result = harness("explain", "bad/word")
    assert result.code == 2
    assert "did you mean 'message_start'?" in result.err
