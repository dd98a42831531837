"""A plain ``async def target(call) -> Outcome`` as a target."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import TargetError
from harness.model import Chunk, Outcome, Text
from harness.targets.base import Call, FunctionTarget

CALL = Call("openai_chat", "http://127.0.0.1:1/1")


async def test_its_outcome_and_chunks_are_delivered() -> None:
    expected = Outcome(chunks=(Chunk("text", "Hi"),), content=(Text(text="Hi"),), ending="complete")

    async def function(call: Call) -> Outcome:
        assert call is CALL
        return expected

    async with FunctionTarget("mine", function).listen(CALL) as listening:
        assert listening.outcome() == Outcome()
        assert [chunk async for chunk in listening] == [Chunk("text", "Hi")]
        assert listening.outcome() == expected


@pytest.mark.parametrize("value", [None, "Hi", {"ending": "complete"}, object()])
async def test_a_value_that_is_not_an_outcome_is_an_error(value: object) -> None:
    async def function(_: Call) -> Any:
        return value

    async with FunctionTarget("mine", function).listen(CALL) as listening:
        with pytest.raises(TargetError, match=f"returned {type(value).__name__}, not an Outcom"):
            await anext(aiter(listening))


async def test_its_exception_is_raised_unchanged() -> None:
    error = ValueError("mine")

    async def function(_: Call) -> Outcome:
        raise error

    async with FunctionTarget("mine", function).listen(CALL) as listening:
        with pytest.raises(ValueError, match="mine") as caught:
            await anext(aiter(listening))
    assert caught.value is error


def test_a_call_is_completed_with_an_address() -> None:
    call = Call("openai_chat", request={"model": "m"}, read_timeout=3.0)
    assert (call.base_url, call.transport) == ("", None)
    transport = object()
    assert call.at("http://127.0.0.1:1/7", transport) == Call(
        "openai_chat",
        "http://127.0.0.1:1/7",
        {"model": "m"},
        read_timeout=3.0,
        transport=transport,
    )
