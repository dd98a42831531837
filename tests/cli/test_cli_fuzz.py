"""``harness fuzz``: what it finds is shown small, written down, and shown again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from harness.fuzzing.files import index

OUT = ("--out", "found", "--database", "db")
SMALL = ("fuzz", "openai_responses", "--target", "sdk-helper", "--property", "prefix", *OUT)


def test_law_that_holds_is_0(harness: Any) -> None:
    said = harness("fuzz", "anthropic_messages", "--examples", "60", "--seed", "5", *OUT)
    assert said.code == 0, said.out
    assert "round_trip" in said.out
    assert "0 failures\n" in said.out
    assert not Path("found").exists()


def test_a_broken_law_is_1_and_can_be_shown_again(harness: Any) -> None:
    said = harness(*SMALL, "--examples", "40")
    assert said.code == 1
    assert "sdk-helper: broken openai_responses: prefix" in said.out
    [entry] = [found for found in index(Path("found")) if found["law"] == "prefix"][:1]
    assert f"again        {entry['reproduce']}" in said.out
    again = harness(*shlex.split(entry["reproduce"])[1:])
    assert again.code == 1
    assert f"broken {entry['scenario']}" in again.out


def test_what_is_found_is_a_sound_scenario(harness: Any) -> None:
    harness(*SMALL, "--examples", "40")
    said = harness("list", "--scenarios", "found")
    assert said.code == 0, said.err
    assert "with errors" not in said.out


def test_a_failure_is_one_json_line(harness: Any) -> None:
    said = harness(*SMALL, "--examples", "40", "--json")
    *failures, last = said.lines()
    assert {"scenario", "target", "check", "verdict", "expected", "actual", "reproduce"} == set(
        failures[0]
    )
    assert last["summary"]["failures"] == len(failures)
    assert last["summary"]["laws"] == {"prefix": 40} or last["summary"]["laws"]["prefix"] >= 40


def test_what_was_found_is_found_again_at_once(harness: Any) -> None:
    first = harness(*SMALL, "--examples", "40", "--json").lines()[:-1]
    second = harness(*SMALL, "--examples", "1", "--seed", "99", "--json").lines()[:-1]
    assert {found["scenario"] for found in second} >= {found["scenario"] for found in first}


def test_a_file_that_no_longer_fails_is_named(harness: Any) -> None:
    harness(*SMALL, "--examples", "40")
    path = Path("found") / f"{index(Path('found'))[0]['scenario']}.yaml"
    text = path.read_text("utf-8")
    path.write_text(f"{text[: text.index('must:')]}must: {{ending: {{$any: true}}}}\n", "utf-8")
    said = harness(*SMALL, "--examples", "1", "--database", "other")
    assert f"{path} no longer fails" in said.out, said.err


SINNER = """
from harness.model import Outcome, Text, ToolCall, Chunk

CALL = ToolCall(id="", name="get", arguments_raw="{}", arguments={}, complete=True)

async def call_without_an_id(asked):
    return Outcome(content=(CALL,), ending="truncated", finish="unknown")

async def pings_without_end(asked):
    return Outcome(chunks=(Chunk("ping"),) * 200, ending="truncated", finish="unknown")
"""


@pytest.mark.parametrize(
    ("law", "name"), [("history", "call_without_an_id"), ("bounded", "pings_without_end")]
)
def test_laws_beyond_one_outcome_are_shown_again_by_their_command_too(
    law: str, name: str, harness: Any
) -> None:
    Path("sinner.py").write_text(SINNER, "utf-8")
    target = f"python:sinner:{name}"
    words = ("fuzz", "openai_chat", "--target", target, "--property", law, "--examples", "9", *OUT)
    assert harness(*words).code == 1
    [entry] = index(Path("found"))
    assert harness(*shlex.split(entry["reproduce"])[1:]).code == 1
    healed = entry["reproduce"].replace(target, "builtin")
    assert harness(*shlex.split(healed)[1:]).code == 0
    assert "no longer fails" not in harness(*words).out
    path = Path("found/found.jsonl")
    path.write_text(path.read_text("utf-8").replace(target, "builtin"), "utf-8")
    said = harness("fuzz", "openai_chat", "--property", law, "--examples", "9", *OUT)
    assert f"found/{entry['scenario']}.yaml no longer fails: delete it" in said.out


def test_the_pytest_cases_name_every_scenario(harness: Any) -> None:
    harness(*SMALL, "--examples", "40")
    cases = Path("found/test_fuzz_found.py").read_text("utf-8")
    compile(cases, "found", "exec")
    for entry in index(Path("found")):
        assert f"@pytest.mark.scenarios('{entry['scenario']}', target='sdk-helper')" in cases


def test_a_protocol_nobody_speaks_is_said_and_not_judged(harness: Any) -> None:
    words = "async def quiet(call): ...\n\nquiet.protocols = ('openai_chat',)\n"
    Path("speaks_chat.py").write_text(words, "utf-8")
    target = ("--target", "python:speaks_chat:quiet")
    said = harness(
        "fuzz", "anthropic_messages", *target, "--property", "prefix", "--examples", "5", *OUT
    )
    assert said.code == 0
    assert "anthropic_messages: not tested, the target does not support it" in said.out


def test_unknown_words_are_2_and_name_the_cure(harness: Any) -> None:
    assert "did you mean 'round_trip'" in harness("fuzz", "--property", "round_tripp").err
    assert "did you mean 'openai_chat'" in harness("fuzz", "openai_chatt").err
    assert harness("fuzz", "--target", "nobody").code == 2
