"""The adapter of letta: its messages as chunks, and the repair between two of its versions.

The package and what it needs weigh 800 MB, so on a person's machine the comparison runs where both
versions were installed before, and the reason of the skip is the command that does it; CI installs
them, and skips with the installer's reason where that fails.
"""

from __future__ import annotations

import json
import os
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from harness.cli import main
from harness.errors import InputError
from harness.model import Chunk, Reasoning, Text, Usage
from harness.sdks.clients import SdkClients
from harness.targets.addresses import environment_of, inside
from harness.targets.environments import is_made, python_of
from harness.targets.frameworks.letta import LettaReader
from harness.targets.resolving import resolve

TARGET, SIDES = "env:asyncpg!letta", ("letta==0.16.4", "letta==0.16.5")
INCOMPLETE, EMPTY, WHOLE = STORIES = (
    "openai_responses/ending/incomplete_with_text",
    "openai_responses/ending/empty_message",
    "openai_responses/baseline/text",
)


def adapter(**said: Any) -> Any:
    """Return what is left of an adapter when its stream is over."""
    usage = Stub(prompt_tokens=5, completion_tokens=2, total_tokens=7, cached_input_tokens=None)
    ended: dict[str, Any] = {
        "content": None,
        "tool_calls": [],
        "finish_reason": None,
        "usage": usage,
    }
    return Stub(**{**ended, "interface": Stub(message_id="resp_1", model="gpt-5"), **said})


def call(**fields: Any) -> Stub:
    return Stub(**{"name": None, "arguments": None, "tool_call_id": None, **fields})


@pytest.mark.parametrize(
    ("message", "chunks"),
    [
        (Stub(message_type="assistant_message", content="Hi"), [Chunk("text", text="Hi")]),
        (
            Stub(message_type="assistant_message", content=[Stub(text="H"), Stub(text="i")]),
            [Chunk("text", text="Hi")],
        ),
        (Stub(message_type="reasoning_message", reasoning="Hm"), [Chunk("reasoning", text="Hm")]),
        (
            Stub(message_type="hidden_reasoning_message", hidden_reasoning="x"),
            [Chunk("redacted_reasoning", data="x")],
        ),
        (Stub(message_type="hidden_reasoning_message", hidden_reasoning=None), []),
        (Stub(message_type="stop_reason"), []),
    ],
)
def test_a_message_is_taken_over_as_a_chunk(message: Stub, chunks: list[Chunk]) -> None:
    assert list(LettaReader(adapter()).read(message)) == chunks


def test_calls_are_numbered_by_their_ids() -> None:
    reader = LettaReader(adapter())
    ids = ("a", "b", "a")
    told = [Stub(message_type="tool_call_message", tool_call=call(tool_call_id=one)) for one in ids]
    assert [chunk.index for message in told for chunk in reader.read(message)] == [0, 1, 0]


async def test_what_the_adapter_extracted_is_taken_over() -> None:
    function = Stub(name="get", arguments='{"a": 1}')
    content = [
        Stub(type="summarized_reasoning", summary=[Stub(text="One"), Stub(text="two")]),
        Stub(type="omitted_reasoning"),
        Stub(type="text", text="Hi"),
    ]
    reader = LettaReader(
        adapter(
            content=content,
            tool_calls=[Stub(id="call_1", function=function)],
            finish_reason="length",
        ),
    )
    assert reader.result().usage is None, "before the end there is none"
    await reader.conclude()
    said = reader.result()
    assert said.content[:2] == (Reasoning(text="One\n\ntwo"), Text(text="Hi"))
    assert [(part.kind, getattr(part, "name", "")) for part in said.content[2:]] == [
        ("tool_call", "get")
    ]
    assert (said.finish_raw, said.response_id) == ("max_output_tokens", "resp_1")
    assert said.usage == Usage(input=5, output=2, total=7)


def test_without_the_package_its_target_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="No module named 'letta'"):
        resolve("letta", SdkClients())


def test_the_repair_of_0_16_5_is_seen_and_what_it_left(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [environment_of(inside(side, TARGET)).requirements for side in SIDES]
    if os.environ.get("CI"):
        try:
            for each in wanted:
                python_of(each)
        except InputError as error:
            pytest.skip(str(error))
    if not all(map(is_made, wanted)):
        command = f"harness compare {WHOLE} {' '.join(SIDES)} --target '{TARGET}'"
        pytest.skip(f"800 MB are installed by: {command}")
    still = "openai_chat/baseline/text"  # its chat interface knows no finish reason in either
    assert main(["compare", *STORIES, still, "--target", TARGET, *SIDES, "--json"]) == 0
    *groups, last = map(json.loads, capsys.readouterr().out.splitlines())
    repaired = {group["shape"]: group["streams"] for group in groups if "law" in group["shape"]}
    assert set(STORIES) <= set(repaired["law finish: fail -> pass"])
    assert repaired["law text: fail -> pass"] == [INCOMPLETE], "the incomplete event was not read"
    assert repaired["law error: fail -> pass"] == [EMPTY], "a message without parts was an error"
    assert last["summary"]["still_broken"] == 1
