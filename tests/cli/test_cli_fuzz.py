"""``harness fuzz``: failures are shrunk, shown, written as scenarios, and reproduced."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from harness.fuzzing.files import read_index

OUT = ("--out", "found", "--database", "db")
SMALL = ("fuzz", "openai_responses", "--target", "sdk-helper", "--property", "prefix", *OUT)


def test_exit_code_0_if_every_property_holds(harness: Any) -> None:
    result = harness("fuzz", "anthropic_messages", "--examples", "60", "--seed", "5", *OUT)
    assert result.code == 0, result.out
    assert "round_trip" in result.out
    assert "0 failures\n" in result.out
    assert not Path("found").exists()


def test_a_violated_property_is_1_and_its_command_reproduces_it(harness: Any) -> None:
    result = harness(*SMALL, "--examples", "40")
    assert result.code == 1
    assert "sdk-helper: FAILED openai_responses: prefix" in result.out
    [entry] = [found for found in read_index(Path("found")) if found["property"] == "prefix"][:1]
    assert f"reproduce    {entry['reproduce']}" in result.out
    again = harness(*shlex.split(entry["reproduce"])[1:])
    assert again.code == 1
    assert f"FAILED {entry['scenario']}" in again.out


def test_a_failure_is_written_as_a_valid_scenario(harness: Any) -> None:
    harness(*SMALL, "--examples", "40")
    result = harness("list", "--scenarios", "found")
    assert result.code == 0, result.err
    assert "with errors" not in result.out


def test_a_failure_is_one_json_line(harness: Any) -> None:
    result = harness(*SMALL, "--examples", "40", "--json")
    *failures, last = result.lines()
    assert {"scenario", "target", "check", "verdict", "expected", "actual", "reproduce"} == set(
        failures[0]
    )
    assert last["summary"]["failures"] == len(failures)
    assert last["summary"]["properties"]["prefix"] >= 40


def test_known_failures_are_retried_first(harness: Any) -> None:
    first = harness(*SMALL, "--examples", "40", "--json").lines()[:-1]
    second = harness(*SMALL, "--examples", "1", "--seed", "99", "--json").lines()[:-1]
    assert {found["scenario"] for found in second} >= {found["scenario"] for found in first}


def test_a_scenario_that_no_longer_fails_is_named(harness: Any) -> None:
    harness(*SMALL, "--examples", "40")
    path = Path("found") / f"{read_index(Path('found'))[0]['scenario']}.yaml"
    text = path.read_text("utf-8")
    path.write_text(f"{text[: text.index('must:')]}must: {{ending: {{$any: true}}}}\n", "utf-8")
    result = harness(*SMALL, "--examples", "1", "--database", "other")
    assert f"{path} no longer fails" in result.out, result.err


BROKEN = """
from harness.model import Outcome, Text, ToolCall, Chunk

CALL = ToolCall(id="", name="get", arguments_raw="{}", arguments={}, complete=True)

async def call_without_an_id(call):
    return Outcome(content=(CALL,), ending="truncated", finish="unknown")

async def endless_pings(call):
    return Outcome(chunks=(Chunk("ping"),) * 200, ending="truncated", finish="unknown")
"""


@pytest.mark.parametrize(
    ("violated", "name"),
    [("next_request_accepted", "call_without_an_id"), ("bounded_output", "endless_pings")],
)
def test_failures_beyond_must_are_reproduced_by_their_command_too(
    violated: str, name: str, harness: Any
) -> None:
    Path("broken.py").write_text(BROKEN, "utf-8")
    target = f"python:broken:{name}"
    asked = ("fuzz", "openai_chat", "--property", violated, "--examples", "9", *OUT)
    words = (*asked, "--target", target)
    assert harness(*words).code == 1
    [entry] = read_index(Path("found"))
    assert harness(*shlex.split(entry["reproduce"])[1:]).code == 1
    fixed = entry["reproduce"].replace(target, "builtin")
    assert harness(*shlex.split(fixed)[1:]).code == 0
    assert "no longer fails" not in harness(*words).out
    path = Path("found/found.jsonl")
    path.write_text(path.read_text("utf-8").replace(target, "builtin"), "utf-8")
    result = harness(*asked)
    assert f"found/{entry['scenario']}.yaml no longer fails: delete it" in result.out


def test_the_pytest_cases_name_every_scenario(harness: Any) -> None:
    harness(*SMALL, "--examples", "40")
    cases = Path("found/test_fuzz_found.py").read_text("utf-8")
    compile(cases, "found", "exec")
    for entry in read_index(Path("found")):
        assert f"@pytest.mark.scenarios('{entry['scenario']}', target='sdk-helper')" in cases


def test_a_protocol_that_the_target_does_not_support_is_named_and_skipped(harness: Any) -> None:
    words = "async def quiet(call): ...\n\nquiet.protocols = ('openai_chat',)\n"
    Path("speaks_chat.py").write_text(words, "utf-8")
    target = ("--target", "python:speaks_chat:quiet")
    result = harness(
        "fuzz", "anthropic_messages", *target, "--property", "prefix", "--examples", "5", *OUT
    )
    assert result.code == 0
    assert "anthropic_messages: not tested, the target does not support it" in result.out


def test_unknown_names_are_2_and_suggest_the_nearest(harness: Any) -> None:
    assert "did you mean 'round_trip'" in harness("fuzz", "--property", "round_tripp").err
    assert "did you mean 'openai_chat'" in harness("fuzz", "openai_chatt").err
    assert harness("fuzz", "--target", "nobody").code == 2
