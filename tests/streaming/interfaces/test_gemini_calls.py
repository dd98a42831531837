"""Function calls through the real SDK: in one piece, streamed and repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import ProtocolError
from harness.streaming.interfaces.gemini_generate.interface import GeminiGenerateInterface
from tests.streaming.interfaces.gemini_sdk import (
    OTHER_SIGNATURE,
    SIGNATURE,
    Body,
    Sdk,
    call,
    frames,
    pieces,
)

if TYPE_CHECKING:
    from harness.model import JSON


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk()


async def test_d41_a_call_without_arguments_has_none(sdk: Sdk) -> None:
    outcome = await sdk.drive({"parts": [call("now"), call("then", {})]}, {"finish": "STOP"})
    assert [(c.arguments_raw, c.arguments, c.complete) for c in outcome.tool_calls] == [
        ("{}", {}, True),
        ("{}", {}, True),
    ]


async def test_d44_the_providers_id_is_kept_and_a_missing_one_is_stable(sdk: Sdk) -> None:
    entries: list[JSON] = [
        {"function_call": {"id": "fc_1", "name": "get", "args": {"a": 1}}},
        {"function_call": {"name": "get", "args": {"a": 2}}},
        {"finish": "STOP"},
    ]
    first, second = await sdk.drive(*entries), await sdk.drive(*entries)
    assert [c.id for c in first.tool_calls] == ["fc_1", "call_1"]
    assert first == second
    assert first.finish == "tool_calls"


async def test_a_call_in_one_piece_is_one_chunk(sdk: Sdk) -> None:
    outcome = await sdk.drive({"function_call": {"name": "get", "args": {"Ort": "Köln"}}})
    [chunk] = [chunk for chunk in outcome.chunks if chunk.kind == "tool_call"]
    assert chunk.dump() == {
        "kind": "tool_call",
        "part": 0,
        "index": 0,
        "id": "call_0",
        "name": "get",
        "arguments": '{"Ort":"Köln"}',
    }


async def test_d40_a_call_of_a_tool_that_needs_approval_is_an_approval_request(sdk: Sdk) -> None:
    parts = [call("delete_all", {"a": 1}), call("delete", {"a": 1})]
    outcome = await sdk.drive({"parts": parts}, {"finish": "STOP"}, requires_approval=["delete"])
    kinds = [(chunk.kind, chunk.name) for chunk in outcome.chunks if chunk.name]
    assert kinds == [("tool_call", "delete_all"), ("approval_request", "delete")]
    assert [c.approval for c in outcome.tool_calls] == [None, True]


async def test_only_the_signed_call_carries_the_signature(sdk: Sdk) -> None:
    parts = [call("get", {"a": 1}, thoughtSignature=SIGNATURE), call("get", {"a": 2})]
    outcome = await sdk.drive({"parts": parts}, {"finish": "STOP"})
    assert [c.signature for c in outcome.tool_calls] == [SIGNATURE, None]


@pytest.mark.parametrize(
    ("first", "again", "count"),
    [
        ({"thoughtSignature": SIGNATURE}, {}, 1),
        ({"thoughtSignature": SIGNATURE}, {"thoughtSignature": SIGNATURE}, 1),
        ({"thoughtSignature": SIGNATURE}, {"thoughtSignature": OTHER_SIGNATURE}, 2),
        ({"id": "x"}, {"id": "x"}, 1),
        ({"id": "x"}, {"id": "y"}, 2),
        ({}, {}, 2),
    ],
)
async def test_a_call_sent_again_in_a_later_response(
    sdk: Sdk, first: dict[str, JSON], again: dict[str, JSON], count: int
) -> None:
    same = {"name": "get", "args": {"a": 1}}
    one, two = {"function_call": same | first}, {"function_call": same | again}
    outcome = await sdk.drive(one, two, {"finish": "STOP"})
    assert len(outcome.tool_calls) == count
    assert ("repeated_call: get" in outcome.notes) == (count == 1)
    assert outcome.tool_calls[0].signature == first.get("thoughtSignature")


async def test_equal_calls_in_one_response_are_two_calls(sdk: Sdk) -> None:
    parts = [call("roll", {}, thoughtSignature=SIGNATURE), call("roll", {})]
    outcome = await sdk.drive({"parts": parts}, {"finish": "STOP"})
    assert [c.id for c in outcome.tool_calls] == ["call_0", "call_1"]


# Calls whose arguments are streamed


async def test_d41_streamed_arguments_are_gathered_until_the_call_is_closed(sdk: Sdk) -> None:
    outcome = await sdk.drive(
        {"function_call": {"name": "get", "willContinue": True, "thoughtSignature": SIGNATURE}},
        pieces({"jsonPath": "$.city", "stringValue": "New ", "willContinue": True}),
        pieces({"jsonPath": "$.city", "stringValue": "York"}),
        pieces({"jsonPath": "$.days", "numberValue": 3}, {"jsonPath": "$.now", "boolValue": False}),
        pieces({"jsonPath": "$.list[0].a", "numberValue": 0.5}),
        pieces({"jsonPath": "$['odd name'][0]", "nullValue": "NULL_VALUE"}),
        {"function_call": {}},
        {"finish": "STOP"},
    )
    [made] = outcome.tool_calls
    assert made.arguments == {
        "city": "New York",
        "days": 3,
        "now": False,
        "list": [{"a": 0.5}],
        "odd name": [None],
    }
    assert (made.complete, made.signature) == (True, SIGNATURE)
    assert [chunk.arguments for chunk in outcome.chunks if chunk.kind == "tool_call"] == [
        None,
        made.arguments_raw,
    ]


async def test_a_streamed_call_may_close_with_its_last_piece(sdk: Sdk) -> None:
    path = {"jsonPath": "$.a", "stringValue": "x"}
    outcome = await sdk.drive(
        {"function_call": {"name": "get", "partialArgs": [path], "willContinue": True}},
        pieces({"jsonPath": "$.b", "stringValue": "y"}, more=False),
        {"function_call": {"name": "get", "partialArgs": [path]}},
        {"finish": "STOP"},
    )
    assert [c.arguments for c in outcome.tool_calls] == [{"a": "x", "b": "y"}, {"a": "x"}]


@pytest.mark.parametrize("terminal", [[], [{"finish": "STOP"}]])
async def test_a_streamed_call_that_is_never_closed_is_incomplete(
    sdk: Sdk, terminal: list[JSON]
) -> None:
    outcome = await sdk.drive(
        {"function_call": {"name": "delete", "willContinue": True}},
        pieces({"jsonPath": "$.path", "stringValue": "/etc/pas", "willContinue": True}),
        *terminal,
    )
    [made] = outcome.tool_calls
    assert (made.complete, made.arguments) == (False, None)
    assert made.arguments_raw == '{"path":"/etc/pas"}'
    assert "malformed: the call of delete was not closed" in outcome.notes


async def test_a_new_name_ends_the_call_before_it(sdk: Sdk) -> None:
    outcome = await sdk.drive(
        {"function_call": {"name": "one", "willContinue": True}},
        {"function_call": {"name": "two", "willContinue": True}},
        {"function_call": {"args": {"a": 1}}},
        {"finish": "STOP"},
    )
    assert [(c.name, c.complete) for c in outcome.tool_calls] == [("one", False), ("two", True)]
    assert outcome.tool_calls[1].arguments == {"a": 1}


async def test_an_empty_call_that_continues_nothing_is_noted(sdk: Sdk) -> None:
    outcome = await sdk.drive({"function_call": {}}, {"text": "Hi"}, {"finish": "STOP"})
    assert (outcome.text, outcome.tool_calls) == ("Hi", ())
    assert "malformed: a function call without a name" in outcome.notes


@pytest.mark.parametrize(
    "entries",
    [
        [{"function_call": {"args": {"a": 1}}}],
        [pieces({"jsonPath": "$.a", "stringValue": "x"})],
    ],
)
async def test_arguments_without_a_call_are_an_error(sdk: Sdk, entries: list[JSON]) -> None:
    interface = GeminiGenerateInterface()
    raised = await sdk.read(Body(frames({"text": "Hi"}, *entries)), interface)
    assert isinstance(raised, ProtocolError)
    outcome = interface.outcome()
    assert (outcome.text, outcome.ending, outcome.error and outcome.error.kind) == (
        "Hi",
        "failed",
        "protocol",
    )


@pytest.mark.parametrize(
    "paths", [["a"], ["$"], ["$.a", "$.a.b"], ["$.a[1]"], ["$[0]"], ["$.a.b", "$.a[0]"], ["$.a[*]"]]
)
async def test_contradicting_paths_are_an_error(sdk: Sdk, paths: list[str]) -> None:
    interface = GeminiGenerateInterface()
    sent = [pieces({"jsonPath": path, "stringValue": "x"}) for path in paths]
    start = {"function_call": {"name": "get", "willContinue": True}}
    assert isinstance(await sdk.read(Body(frames(start, *sent)), interface), ProtocolError)


async def test_a_closed_path_is_replaced(sdk: Sdk) -> None:
    outcome = await sdk.drive(
        {"function_call": {"name": "get", "willContinue": True}},
        pieces({"jsonPath": "$.a[0]", "stringValue": "x"}),
        pieces({"jsonPath": "$.a[0]", "stringValue": "y"}, more=False),
        {"finish": "STOP"},
    )
    assert outcome.tool_calls[0].arguments == {"a": ["y"]}
