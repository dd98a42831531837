"""``harness replay`` and ``harness check`` on recorded bodies."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes import save
from harness.protocols import protocol
from tests.cassettes.samples import cassette, hello
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path


def record(here: Path, name: str = "a", **changes: Any) -> Path:
    """Write the body of a scenario as a recording."""
    path = here / f"{name}.sse"
    path.write_bytes(written(here / "scenario", **changes).script().body)
    return path


def test_replay_prints_one_line_per_recording(harness: Any, here: Path) -> None:
    record(here)
    result = harness("replay", "a.sse", "--json")
    assert result.code == 0
    [line] = result.lines()
    assert list(line) == ["name", "outcome"]
    assert line["name"] == "a"
    assert line["outcome"]["content"][0]["text"] == "Hello there"
    assert result.err == "1 replayed\n"
    assert harness("replay", "a.sse").out == "a: complete, stop, tokens 10->5, 'Hello there'\n"


def test_replay_reads_folders_and_names_unusable_files(harness: Any, here: Path) -> None:
    (here / "corpus").mkdir()
    shutil.move(record(here), here / "corpus/a.sse")
    (here / "corpus/b.sse").write_bytes(b"")
    (here / "corpus/c.sse").write_bytes(b"x")
    (here / "corpus/c.json").write_text('{"protocol": "cohere"}', "utf-8")
    result = harness("replay", "corpus", "--json")
    assert result.code == 2
    assert len(result.lines()) == 1
    assert "corpus/b.sse: the file is empty" in result.err
    assert "1 bad input, 1 replayed, 1 skipped (cohere)\n" in result.err
    checked = harness("check", "corpus")
    assert checked.code == 2
    assert "1 bad input, 1 legal, 1 skipped (another protocol)\n" in checked.err


@pytest.mark.parametrize("cut", ["whole", "byte", "awkward", "random:3", "offset:7"])
def test_a_cut_changes_nothing(cut: str, harness: Any, here: Path) -> None:
    record(here)
    whole = harness("replay", "a.sse", "--json").out
    assert harness("replay", "a.sse", "--json", "--cut", cut).out == whole


def test_cut_every_names_the_first_cut_that_changes_the_outcome(harness: Any, here: Path) -> None:
    record(here, stream=["message_start", "message_delta", "message_stop"])
    assert harness("replay", "a.sse", "--cut", "every").code == 0
    result = harness("replay", "a.sse", "--cut", "every", "--target", "python:cli_targets:cuts")
    assert result.code == 1
    assert "a: python:cli_targets:cuts changes its outcome under --cut offset:1\n" in result.err
    assert "1 target at fault\n" in result.err


def test_exit_code_1_if_a_target_fails(harness: Any, here: Path) -> None:
    record(here)
    result = harness("replay", "a.sse", "--target", "python:cli_targets:raises")
    assert result.code == 1
    assert "harness: a: python:cli_targets:raises raised ValueError: no words\n" in result.err
    assert result.out == "a: failed, error, tokens -, 'no words'\n"


CLIENT = """
import json, sys, urllib.request
for line in sys.stdin:
    call = json.loads(line)
    request = urllib.request.Request(call["base_url"] + "/v1/messages", b"{}")
    size = len(urllib.request.urlopen(request).read())
    print(json.dumps({"id": call["id"], "outcome": {"response_id": str(size)}}), flush=True)
"""


def test_a_target_in_another_process_is_replayed_to_over_a_socket(harness: Any, here: Path) -> None:
    (here / "client.py").write_text(CLIENT, "utf-8")
    size = record(here).stat().st_size
    target = f"command:{sys.executable} client.py"
    [line] = harness("replay", "a.sse", "--json", "--target", target).lines()
    assert line["outcome"]["response_id"] == str(size)


def test_replay_prints_half_a_surrogate_pair_as_an_escape(harness: Any, here: Path) -> None:
    body = record(here).read_bytes().replace(b"Hello", b"\\ud83d")
    (here / "a.sse").write_bytes(body)
    [line] = harness("replay", "a.sse", "--json").lines()
    assert line["outcome"]["chunks"][0]["text"] == "\ud83d"
    assert line["outcome"]["content"][0]["text"] == "\ufffd there"
    assert harness("replay", "a.sse").code == 0


def test_check_prints_one_sentence_per_violation(harness: Any, here: Path) -> None:
    record(here, "good")
    record(here, "bad", order="illegal", stream=["message_stop", "message_start"])
    thought = ["role", {"reasoning": "Hm"}, {"content": "Hi"}, {"finish": "stop"}, "done"]
    record(here, "open", protocol="openai_chat", order="open", stream=thought)
    result = harness("check", "good.sse", "bad.sse", "open.sse")
    assert result.code == 1
    first = "bad: event 0 message_stop: message is 'not started'; legal here: "
    assert result.out.startswith(first)
    assert all(line.startswith("bad: ") for line in result.out.splitlines())
    assert result.err == "1 illegal, 2 legal\n"
    shown = harness("check", "open.sse", "--open")
    assert shown.code == 0
    assert shown.out.startswith("open: open: event 1 ")
    good, bad = harness("check", "good.sse", "bad.sse", "--json").lines()
    assert list(good) == ["name", "protocol", "provider", "fidelity", "violations", "open"]
    assert (good["violations"], bool(bad["violations"])) == ([], True)


def test_check_skips_the_body_of_an_http_error(harness: Any, here: Path) -> None:
    (here / "a.sse").write_text('{"error": {}}', "utf-8")
    (here / "a.json").write_text('{"protocol": "openai_chat", "status": 429}', "utf-8")
    result = harness("check", "a.sse")
    assert (result.code, result.err) == (0, "1 not a stream (an HTTP error)\n")


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses", "gemini_generate"])
def test_a_truncated_array_is_bad_input(name: str, harness: Any, here: Path) -> None:
    assert protocol(name)
    (here / "a.json").write_text('[{"a": 1', "utf-8")
    for command in ("check", "replay"):
        result = harness(command, "a.json", "--protocol", name)
        assert (result.code, "a.json: " in result.err) == (2, True)


def test_replay_and_check_read_cassettes(harness: Any, here: Path) -> None:
    (here / "cassettes").mkdir()
    save(cassette(hello(here), hello(here)), here / "cassettes/a.yaml")
    result = harness("replay", "cassettes", "--cut", "recorded", "--pace", "0.001", "--json")
    assert (result.code, [line["name"] for line in result.lines()]) == (0, ["a#1", "a#2"])
    assert harness("check", "cassettes").err == "2 legal\n"
    target = ("--target", "python:cli_targets:cuts")
    lines = harness("replay", "cassettes", "--cut", "recorded", *target, "--json").lines()
    assert [line["outcome"]["response_id"] for line in lines] == ["2", "2"]


def test_an_invalid_cassette_is_named_with_line_and_cure(harness: Any, here: Path) -> None:
    (here / "a.yaml").write_text("interactions:\n- request: !!python/object:x {}\n", "utf-8")
    result = harness("replay", "a.yaml")
    assert result.code == 2
    assert "a.yaml:2: the tag !!python/object:x is not allowed; write plain values\n" in result.err
    record(here, "b")
    refused = harness("replay", "b.sse", "--cut", "recorded")
    assert (refused.code, "this recording has no read timing" in refused.err) == (2, True)
