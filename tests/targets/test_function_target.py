"""A plain function as a target."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import TargetError
from harness.model import Chunk, Outcome, Text
from harness.targets.base import Call, FunctionTarget

CALL = Call("openai_chat", "http://127.0.0.1:1/1")


async def test_its_outcome_and_chunks_are_handed_out() -> None:
    said = Outcome(chunks=(Chunk("text", "Hi"),), content=(Text(text="Hi"),), ending="complete")

    async def function(call: Call) -> Outcome:
        assert call is CALL
        return said

    async with FunctionTarget("mine", function).listen(CALL) as listening:
        assert listening.outcome() == Outcome()
        assert [chunk async for chunk in listening] == [Chunk("text", "Hi")]
        assert listening.outcome() == said


@pytest.mark.parametrize("nonsense", [None, "Hi", {"ending": "complete"}, object()])
async def test_nonsense_is_the_targets_fault_and_named(nonsense: object) -> None:
    async def function(_: Call) -> Any:
        return nonsense

    async with FunctionTarget("mine", function).listen(CALL) as listening:
        with pytest.raises(TargetError, match=f"returned {type(nonsense).__name__}, not an Outcom"):
            await anext(aiter(listening))


async def test_what_it_raises_comes_out_unchanged() -> None:
    mine = ValueError("mine")

    async def function(_: Call) -> Outcome:
        raise mine

    async with FunctionTarget("mine", function).listen(CALL) as listening:
        with pytest.raises(ValueError, match="mine") as caught:
            await anext(aiter(listening))
    assert caught.value is mine
