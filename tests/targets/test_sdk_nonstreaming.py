"""``sdk-nonstreaming`` reads the one JSON object of an answer through the real SDKs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.protocols import NAMES, protocol
from tests.protocols.test_response_body import MESSAGE

if TYPE_CHECKING:
    from tests.targets.conftest import RunTarget

JSON = (("content-type", "application/json"),)
# These protocols have no field for refusals; they come as text.
TEXT = {"anthropic_messages": "YesNo", "gemini_generate": "YesNo"}


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_is_read_completely(run_target: RunTarget, name: str) -> None:
    body = protocol(name).response_body(MESSAGE)
    outcome = (await run_target("sdk-nonstreaming", name, [{"json": body}], headers=JSON)).outcome
    [call] = outcome.tool_calls
    assert (outcome.reasoning, outcome.text) == ("Hm", TEXT.get(name, "Yes"))
    assert outcome.refusal == ("" if name in TEXT else "No")
    assert (call.name, call.arguments, call.complete) == ("look", {"a": 1}, True)
    assert (outcome.finish, outcome.ending) == ("tool_calls", "complete")
    assert outcome.usage is not None
    assert (outcome.usage.input, outcome.usage.output) == (7, 5)


async def test_a_chat_refusal_is_the_finish(run_target: RunTarget) -> None:
    """A refusal finishes as ``stop``: https://developers.openai.com/api/docs/guides/structured-outputs."""
    message = {"role": "assistant", "content": None, "refusal": "No"}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    run = await run_target("sdk-nonstreaming", "openai_chat", [{"json": body}], headers=JSON)
    assert run.outcome.finish == "refusal"


async def test_an_answer_without_a_finish_reason_is_truncated(run_target: RunTarget) -> None:
    body = {"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}}]}
    run = await run_target("sdk-nonstreaming", "gemini_generate", [{"json": body}], headers=JSON)
    assert (run.outcome.text, run.outcome.ending) == ("Hi", "truncated")
