"""``harness import PATH…``: cassettes that replay, and drafts with open requirements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cassettes.importing.samples import body, values
from tests.cli.test_cli_bodies import record

CASSETTE = Path("cassettes/imported/a.yaml")
DRAFT = Path("scenarios/anthropic_messages/imported/a.yaml")


def test_a_recording_becomes_a_cassette_that_replays_the_same(harness: Any, here: Path) -> None:
    record(here)
    result = harness("import", "a.sse")
    assert (result.code, result.err) == (0, "1 imported\n")
    assert result.out == f"{CASSETTE} anthropic_messages\n"
    assert harness("replay", CASSETTE, "--json").out == harness("replay", "a.sse", "--json").out
    assert harness("replay", CASSETTE, "--cut", "every").code == 0


def test_a_draft_is_valid_and_its_requirements_are_open(harness: Any, here: Path) -> None:
    record(here)
    result = harness("import", "a.sse", "--draft", "--json")
    [line] = result.lines()
    assert line == {
        "source": "a.sse",
        "wrote": str(CASSETTE),
        "protocols": ["anthropic_messages"],
        "drafts": [str(DRAFT)],
        "masked": 0,
    }
    assert harness("list", "imported").err == "1 scenario, 0 with errors\n"
    ran = harness("run", "imported", "--json")
    assert ran.code == 0
    assert [line["verdict"] for line in ran.lines()[:-1] if line["check"] == "ending"] == ["open"]
    text = DRAFT.read_text("utf-8")
    assert '#   text: "Hello there"\n' in text
    assert '#   usage: {"input": 10, "output": 5, "total": 15}\n' in text
    assert "\ntext:" not in text
    assert "order: legal  # according to the grammar tables; confirm\n" in text


def test_the_drafts_of_an_illegal_stream_and_of_an_error_are_valid(
    harness: Any, here: Path
) -> None:
    record(here, "swapped", order="illegal", stream=["message_stop", "message_start"])
    metadata = {"protocol": "openai-chat", "status": 429, "request": {
        "host": "api.openai.com", "path": "/v1/chat/completions"}}  # fmt: skip
    (here / "limit.sse").write_text('{"error": {"message": "Slow down"}}', "utf-8")
    (here / "limit.json").write_text(json.dumps(metadata), "utf-8")
    result = harness("import", "swapped.sse", "limit.sse", "--draft")
    assert result.code == 0
    assert harness("list", "imported").err == "2 scenarios, 0 with errors\n"
    assert harness("run", "imported").code == 0


def test_each_exchange_of_a_cassette_has_its_own_draft(harness: Any, here: Path) -> None:
    fixtures = [{"match": {}, "response": {"content": result}} for result in ("One", "Two")]
    (here / "f.json").write_text(json.dumps({"fixtures": fixtures}), "utf-8")
    assert harness("import", "f.json", "--draft", "--protocol", "gemini_generate").code == 0
    folder = here / "scenarios/gemini_generate/imported"
    assert sorted(path.name for path in folder.iterdir()) == ["f-1.yaml", "f-2.yaml"]
    assert '#   text: "Two"\n' in (folder / "f-2.yaml").read_text("utf-8")
    assert harness("run", "imported").code == 0


def test_a_folder_is_imported_and_what_was_skipped_is_named(harness: Any, here: Path) -> None:
    folder = here / "recorded"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/a.sse").write_bytes(body("openai_chat"))
    lines = "\n".join(json.dumps(value) for value in values("gemini_generate"))
    (folder / "b.chunks.txt").write_text(lines, "utf-8")
    (folder / "c.ndjson").write_bytes(b'{"done": false}\n{"done": true}\n')
    (folder / "broken.har").write_bytes(b'{\n"log"')
    (folder / "notes.json").write_bytes(b'{"some":\n"thing"}')
    result = harness("import", "recorded", "--out", "ours", "--draft")
    assert result.code == 2
    cassettes, scenarios = "ours/cassettes/imported", "ours/scenarios"
    assert result.out.splitlines() == [
        f"{cassettes}/b.yaml gemini_generate {scenarios}/gemini_generate/imported/b.yaml",
        f"{cassettes}/c.yaml (not a stream)",
        f"{cassettes}/deep/a.yaml openai_chat {scenarios}/openai_chat/imported/deep/a.yaml",
    ]
    assert "recorded/broken.har:2: not valid JSON" in result.err
    assert "recorded/notes.json: skipped, unrecognised recording format\n" in result.err
    assert result.err.endswith(
        "1 bad input, 2 imported, 1 imported without a supported protocol, 1 skipped\n"
    )
    assert harness("run", "--scenarios", "ours/scenarios").code == 0


@pytest.mark.parametrize("there", [CASSETTE, DRAFT])
def test_existing_files_are_not_overwritten(there: Path, harness: Any, here: Path) -> None:
    record(here)
    there.parent.mkdir(parents=True)
    there.write_text("kept", "utf-8")
    result = harness("import", "a.sse", "--draft")
    assert result.code == 2
    assert result.err == f"harness: {there}: exists already; --force overwrites it\n1 bad input\n"
    assert there.read_text("utf-8") == "kept"
    assert CASSETTE.exists() + DRAFT.exists() == 1
    assert harness("import", "a.sse", "--draft", "--force").code == 0
    assert there.read_text("utf-8") != "kept"


def test_an_unknown_protocol_is_refused(harness: Any, here: Path) -> None:
    record(here)
    result = harness("import", "a.sse", "--protocol", "openai_chats")
    assert result.code == 2
    assert "did you mean 'openai_chat'?" in result.err


def test_no_secret_reaches_the_cassette_or_the_draft(harness: Any, here: Path) -> None:
    key = "sk-proj-" + "a1B2" * 12
    metadata = {"protocol": "openai-chat", "request": {
        "host": "api.openai.com", "path": "/v1/chat/completions",
        "headers": {"authorization": f"Bearer {key}"}}}  # fmt: skip
    halves = key[:30], key[30:]
    result = body("openai_chat")
    for word, half in zip(("Hello", " there"), halves, strict=True):
        assert word.encode() in result
        result = result.replace(word.encode(), half.encode())
    (here / "leaky.sse").write_bytes(result)
    (here / "leaky.json").write_text(json.dumps(metadata), "utf-8")
    imported = harness("import", "leaky.sse", "--draft")
    assert imported.code == 0
    assert "secrets masked: " in imported.out
    written = [*here.glob("cassettes/**/*.yaml"), *here.glob("scenarios/**/imported/*.yaml")]
    assert len(written) == 2
    for path in written:
        text = path.read_text("utf-8")
        assert not [part for part in (key, *halves) if part in text]
