"""The Gemini interface through the real SDK: text, parts, prefixes, cuts and closing."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import StreamError
from harness.model import Media, Reasoning, ServerTool, Text, ToolCall
from harness.streaming.interfaces.gemini_generate.interface import GeminiGenerateInterface
from harness.wire.cut_plans import cut
from tests.streaming.interfaces.gemini_sdk import (
    OTHER_SIGNATURE,
    PROTOCOL,
    SIGNATURE,
    Body,
    Sdk,
    frames,
    pieces,
    wired,
)

if TYPE_CHECKING:
    from harness.model import JSON, Outcome

UNKNOWN_ENUM = pytest.mark.filterwarnings("ignore:.* is not a valid:UserWarning")


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk()


# Text


async def test_text_is_one_part_however_it_was_cut(sdk: Sdk) -> None:
    outcome = await sdk.drive({"text": "Hel"}, {"text": ""}, {"text": "lo"}, {"finish": "STOP"})
    assert outcome.content == (Text(text="Hello"),)
    assert [chunk.text for chunk in outcome.chunks if chunk.kind == "text"] == ["Hel", "lo"]
    assert (outcome.finish, outcome.finish_raw, outcome.ending) == ("stop", "STOP", "complete")
    assert (outcome.model, outcome.response_id) == ("gemini-2.5-flash", "resp_1")
    assert outcome.notes == ()


async def test_reasoning_and_text_keep_their_order(sdk: Sdk) -> None:
    outcome = await sdk.drive(
        {"thought": "hm "}, {"thought": " so"}, {"text": "A"}, {"thought": "wait"}, {"text": "B"}
    )
    kinds = [(part.kind, getattr(part, "text", None)) for part in outcome.content]
    assert kinds == [("reasoning", "hm  so"), ("text", "A"), ("reasoning", "wait"), ("text", "B")]


async def test_d43_each_signature_stays_on_its_own_part(sdk: Sdk) -> None:
    outcome = await sdk.drive(
        {"thought": {"text": "a", "thoughtSignature": SIGNATURE}},
        {"thought": "b"},
        {"text": "c"},
        {"text": {"text": "d", "thoughtSignature": OTHER_SIGNATURE}},
        {"text": "e"},
    )
    assert outcome.content == (
        Reasoning(text="a", signature=SIGNATURE),
        Reasoning(text="b"),
        Text(text="c"),
        Text(text="d", signature=OTHER_SIGNATURE),
        Text(text="e"),
    )


async def test_a_part_with_only_a_signature_is_kept(sdk: Sdk) -> None:
    signed = {"text": "", "thoughtSignature": SIGNATURE}
    bare = {"thought": True, "thoughtSignature": OTHER_SIGNATURE}
    outcome = await sdk.drive({"text": "Hi"}, {"parts": [signed, bare]}, {"finish": "STOP"})
    assert outcome.content == (
        Text(text="Hi"),
        Text(text="", signature=SIGNATURE),
        Reasoning(text="", signature=OTHER_SIGNATURE),
    )
    assert [chunk.text for chunk in outcome.chunks if chunk.text is not None] == ["Hi"]


async def test_citations_stay_with_their_text_and_are_kept_once(sdk: Sdk) -> None:
    cited = {"citationSources": [{"startIndex": 0, "endIndex": 2, "uri": "https://a.example"}]}
    entries = [
        {"text": {"text": "Hi", "citationMetadata": cited}},
        {"text": {"text": " you", "citationMetadata": cited}},
        {"finish": "STOP"},
    ]
    outcome = await sdk.drive(*entries)
    assert outcome.content == (Text(text="Hi you", citations=tuple(cited["citationSources"])),)
    assert wired(*entries).content == outcome.content


async def test_citations_without_a_text_are_noted(sdk: Sdk) -> None:
    outcome = await sdk.drive({"finish": {"citationMetadata": {"citationSources": [{}]}}})
    assert "citations_without_text: 1" in outcome.notes


# The provider's own tools, media


async def test_the_providers_own_tools_are_kept_and_are_not_tool_calls(sdk: Sdk) -> None:
    code = {"id": "c1", "language": "PYTHON", "code": "print(1)"}
    result = {"id": "c1", "outcome": "OUTCOME_OK", "output": "1\n"}
    search = {"id": "s1", "toolType": "GOOGLE_SEARCH_WEB", "args": {"query": "x"}}
    found = {"id": "s1", "toolType": "GOOGLE_SEARCH_WEB", "response": {"hits": 2}}
    entries: list[JSON] = [
        {"executable_code": {**code, "thoughtSignature": SIGNATURE}},
        {"code_execution_result": result},
        {"tool_call": search},
        {"tool_call": {"args": {}}},
        {"tool_response": found},
        {"finish": "STOP"},
    ]
    outcome = await sdk.drive(*entries)
    assert outcome.content == (
        ServerTool(name="executable_code", id="c1", data=code, signature=SIGNATURE),
        ServerTool(name="code_execution_result", id="c1", data=result),
        ServerTool(name="GOOGLE_SEARCH_WEB", id="s1", data=search),
        ServerTool(name="tool_call", data={"args": {}}),
        ServerTool(name="tool_response", id="s1", data=found),
    )
    assert (outcome.tool_calls, outcome.finish) == ((), "stop")
    assert wired(*entries) == outcome


@UNKNOWN_ENUM
async def test_an_unknown_value_in_a_tool_result_is_kept(sdk: Sdk) -> None:
    entries: list[JSON] = [{"code_execution_result": {"outcome": "OUTCOME_NEW", "output": "1"}}]
    outcome = await sdk.drive(*entries)
    assert outcome.content == wired(*entries).content
    assert outcome.content == (
        ServerTool(name="code_execution_result", data={"outcome": "OUTCOME_NEW", "output": "1"}),
    )


async def test_media_is_kept_as_base64_or_as_its_url(sdk: Sdk) -> None:
    entries: list[JSON] = [
        {"inline_data": {"mimeType": "image/png", "data": "aW1n", "thoughtSignature": SIGNATURE}},
        {"parts": [{"inlineData": {"mimeType": "image/png", "data": "ZHJhZnQ="}, "thought": True}]},
        {"file_data": {"mimeType": "video/mp4", "fileUri": "gs://b/v.mp4"}},
        {"finish": "STOP"},
    ]
    outcome = await sdk.drive(*entries)
    assert outcome.content == (
        Media(media_type="image/png", data="aW1n", signature=SIGNATURE),
        Media(media_type="image/png", data="ZHJhZnQ="),
        Media(media_type="video/mp4", data="gs://b/v.mp4"),
    )
    assert outcome.notes == ("thought_media: image/png",)
    assert wired(*entries).content == outcome.content


# Every prefix, every cut, and closing


STORY: tuple[JSON, ...] = (
    {"thought": "hm"},
    {"text": "Käse "},
    {"text": {"text": "🧀", "usageMetadata": {"promptTokenCount": 3}}},
    {"function_call": {"name": "get", "args": {"a": 1}, "thoughtSignature": SIGNATURE}},
    {"function_call": {"name": "put", "willContinue": True}},
    pieces({"jsonPath": "$.b", "stringValue": "x"}, more=False),
    {"finish": "STOP"},
)


async def test_the_outcome_is_right_after_every_event(sdk: Sdk) -> None:
    for length in range(len(STORY) + 1):
        interface = GeminiGenerateInterface()
        sdk.transport.respond_with(Body(frames(*STORY[:length])))
        with suppress(StreamError):
            async for _ in interface.chunks(await sdk.open()):
                outcome = interface.outcome()
                assert outcome.text == _shown(outcome, "text")
                assert outcome.reasoning == _shown(outcome, "reasoning")
        outcome = interface.outcome()
        whole = length == len(STORY)
        assert outcome.ending == ("complete" if whole else "truncated")
        assert outcome.finish == ("tool_calls" if whole else "unknown")
        assert all(c.complete or c.arguments is None for c in outcome.tool_calls)


def _shown(outcome: Outcome, kind: str) -> str:
    return "".join(chunk.text or "" for chunk in outcome.chunks if chunk.kind == kind)


@pytest.mark.parametrize("plan", ["whole", "event", "byte", "awkward", "random:7"])
async def test_sync_and_async_agree_for_every_cut(sdk: Sdk, plan: str) -> None:
    asynchronous, synchronous = GeminiGenerateInterface(), GeminiGenerateInterface()
    assert await sdk.read(Body(cut(frames(*STORY), plan)), asynchronous) is None
    sdk.transport.respond_with(Body(cut(frames(*STORY), plan)))
    assert list(synchronous.chunks_sync(sdk.open_sync()))
    assert asynchronous.outcome() == synchronous.outcome()
    assert asynchronous.outcome() == wired(*STORY)
    assert [type(part) for part in asynchronous.outcome().content] == [
        Reasoning,
        Text,
        ToolCall,
        ToolCall,
    ]


async def test_d47_an_abort_closes_the_response_at_once(sdk: Sdk) -> None:
    body = Body(frames(*STORY))
    sdk.transport.respond_with(body)
    interface = GeminiGenerateInterface()
    chunks = interface.chunks(await sdk.open())
    await anext(chunks)
    await chunks.aclose()
    assert body.closed
    assert interface.outcome().ending == "cancelled"


async def test_d47_a_cancelled_reader_closes_the_response(sdk: Sdk) -> None:
    body, reading = Body(frames(*STORY)), asyncio.Event()
    sdk.transport.respond_with(body)
    interface = GeminiGenerateInterface()

    async def read() -> None:
        async with aclosing(interface.chunks(await sdk.open())) as chunks:
            async for _ in chunks:
                reading.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert body.closed
    assert interface.outcome().finish == "cancelled"


async def test_requests_are_arguments_of_the_sdk(sdk: Sdk) -> None:
    arguments: Any = PROTOCOL.request
    assert set(arguments) == {"model", "contents"}
    assert (await sdk.drive({"text": "Hi"}, {"finish": "STOP"})).text == "Hi"
