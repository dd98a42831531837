"""``sdk-nonstreaming`` reads one JSON object through the real SDKs, and takes a stream for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.protocols import NAMES, protocol
from tests.protocols.test_response_body import MESSAGE

if TYPE_CHECKING:
    from tests.targets.conftest import Tell

JSON = (("content-type", "application/json"),)
# A wire without a place for refusals says them as text.
TEXT = {"anthropic_messages": "YesNo", "gemini_generate": "YesNo"}


@pytest.mark.parametrize("name", NAMES)
async def test_it_reads_the_whole_answer(tell: Tell, name: str) -> None:
    body = protocol(name).response_body(MESSAGE)
    outcome = (await tell("sdk-nonstreaming", name, [{"json": body}], headers=JSON)).outcome
    [call] = outcome.tool_calls
    assert (outcome.reasoning, outcome.text) == ("Hm", TEXT.get(name, "Yes"))
    assert outcome.refusal == ("" if name in TEXT else "No")
    assert (call.name, call.arguments, call.complete) == ("look", {"a": 1}, True)
    assert (outcome.finish, outcome.ending) == ("tool_calls", "complete")
    assert outcome.usage is not None
    assert (outcome.usage.input, outcome.usage.output) == (7, 5)


async def test_a_refusal_of_chat_shows_in_its_message(tell: Tell) -> None:
    """A refusal stops as ``stop``: https://developers.openai.com/api/docs/guides/structured-outputs."""
    said = {"role": "assistant", "content": None, "refusal": "No"}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    told = await tell("sdk-nonstreaming", "openai_chat", [{"json": body}], headers=JSON)
    assert told.outcome.finish == "refusal"


async def test_an_object_that_names_no_finish_is_truncated(tell: Tell) -> None:
    body = {"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}}]}
    told = await tell("sdk-nonstreaming", "gemini_generate", [{"json": body}], headers=JSON)
    assert (told.outcome.text, told.outcome.ending) == ("Hi", "truncated")
