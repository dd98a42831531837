"""``harness list`` and ``harness explain``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.scenario_files import ID, write, write_text

if TYPE_CHECKING:
    from pathlib import Path


def test_list_names_what_there_is(harness: Any) -> None:
    said = harness("list", "text")
    assert said.code == 0
    assert said.out == f"{ID}  Two words and a natural end\n"
    assert said.err == "1 scenarios, 0 with errors\n"
    [line] = harness("list", "text", "--json").lines()
    assert list(line) == ["id", "title", "protocol", "order", "cases", "checks", "path"]
    assert line["path"] == f"scenarios/{ID}.yaml"


def test_explain_shows_wire_law_and_sources(harness: Any, here: Path) -> None:
    write(
        here / "scenarios",
        ID,
        spec=[{"url": "https://example.org", "says": "So it is."}],
        stream=["message_start", {"raw": ": é\n\n"}, "message_stop"],
        should={"model": "x"},
        holds_under=["crlf"],
        transport={"status": 201, "end": "reset"},
    )
    said = harness("explain", f"scenarios/{ID}.yaml")
    assert said.code == 0
    for part in (
        "Two words and a natural end\n",
        "  status 201\n",
        "    0 message_start: {",
        "    1 (bytes) b': \\xc3\\xa9\\n\\n'\n",
        "      then the connection ends: reset\n",
        "What the tables say of it\n  event 1 message_stop: ",
        'What must be delivered\n  text: "Hello there"\n',
        'What should be delivered\n  model: "x"\n',
        "The same must come out under\n  crlf\n",
        "Sources\n  So it is. https://example.org\n  catalogue AN-001\n",
        f"  harness run {ID} --target builtin",
    ):
        assert part in said.out
    document = json.loads(harness("explain", ID, "--json").out)
    assert list(document) == [
        "id", "title", "protocol", "order", "why", "events", "must", "should", "consumer",
        "holds_under", "cases", "spec",
    ]  # fmt: skip
    assert document["events"][1] == {"raw": ": é\n\n"}
    assert document["events"][2]["event"] == "message_stop"


def test_explain_shows_how_the_reader_leaves(harness: Any, here: Path) -> None:
    left = "anthropic_messages/text/left"
    write(here / "scenarios", left, consumer={"do": "cancel", "at": 2})
    assert "  cancel, after 2\n" in harness("explain", left).out
    document = json.loads(harness("explain", left, "--json").out)
    assert document["consumer"] == {"do": "cancel", "at": 2}


def test_explain_names_what_is_wrong_with_the_file_it_was_asked_for(
    harness: Any, here: Path
) -> None:
    write_text(here / "scenarios", "bad/malformed", "title: [")
    said = harness("explain", "bad/malformed")
    assert said.code == 2
    assert "scenarios/bad/malformed.yaml:2: not valid YAML" in said.err
    write(here / "scenarios", "bad/word", stream=["mesage_start"])
    said = harness("explain", "bad/word")
    assert said.code == 2
    assert "did you mean 'message_start'?" in said.err
