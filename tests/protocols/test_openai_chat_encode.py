"""Messages written as Chat Completions streams come back through the SDK and the interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import openai
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model import (
    ErrorInfo,
    Media,
    Reasoning,
    RedactedReasoning,
    Refusal,
    ServerTool,
    Text,
    ToolCall,
    Usage,
)
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.protocols.message import DeltaPlan, Message
from harness.protocols.openai_chat.encode import encode
from harness.streaming.interfaces.openai_chat.interface import OpenAIChatInterface
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model import Event, FinishReason, Outcome, Part

PROTOCOL = protocol("openai_chat")

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
PROSE: tuple[Callable[[str], Part], ...] = (
    lambda text: Text(text=text),
    lambda text: Reasoning(text=text),
    lambda text: Refusal(text=text),
)


@st.composite
def calls(draw: st.DrawFn) -> list[Part]:
    found: list[Part] = []
    for number in range(draw(st.integers(1, 3))):
        arguments = draw(st.dictionaries(WORDS, st.integers() | WORDS, max_size=2))
        raw = httpx2.Response(200, json=arguments).text
        call = ToolCall(
            id=f"c{draw(st.uuids())}", name=f"tool_{number}", arguments_raw=raw,
            arguments=arguments, complete=True,
        )  # fmt: skip
        found.append(call)
    return found


@st.composite
def contents(draw: st.DrawFn) -> tuple[Part, ...]:
    """Draw parts, no two prose parts of one kind as neighbours: the wire could not part them."""
    parts: list[Part] = []
    for kind in draw(st.lists(st.integers(0, 3), max_size=6)):
        if kind == len(PROSE):
            parts += [] if parts and isinstance(parts[-1], ToolCall) else draw(calls())
        else:
            part = PROSE[kind](draw(WORDS))
            parts += [] if parts and type(parts[-1]) is type(part) else [part]
    return tuple(parts)


USAGE = st.builds(
    lambda i, o, c, r: Usage(input=i + c, cached=c, output=o + r, reasoning=r, total=i + c + o + r),
    *[st.integers(0, 10**6)] * 4,
)
FINISH: st.SearchStrategy[FinishReason] = st.sampled_from(["stop", "length", "content_filter"])


def listen(events: list[Event]) -> Outcome:
    stage = ResponseRegistry()
    key = stage.register(Script(tuple(map(PROTOCOL.frame, events)), cut="awkward"))
    interface = OpenAIChatInterface()
    with httpx2.Client(transport=memory_transport(stage)) as http:
        client = openai.OpenAI(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        stream = client.chat.completions.create(stream=True, **PROTOCOL.request)
        try:
            list(interface.chunks_sync(stream))
        except openai.APIError:
            assert interface.outcome().ending == "failed"
    return interface.outcome()


@settings(max_examples=60, deadline=None)
@given(contents(), FINISH, st.none() | USAGE, st.data())
def test_a_message_survives_the_round_trip(
    content: tuple[Part, ...], finish: FinishReason, usage: Usage | None, data: st.DataObject
) -> None:
    called = any(isinstance(part, ToolCall) for part in content)
    finish = "tool_calls" if called and finish == "stop" else finish
    plan = DeltaPlan(
        split=lambda text: [text[at : at + 3] for at in range(0, len(text), 3)],
        pick=lambda sequences: data.draw(st.integers(0, sequences - 1)),
    )
    message = Message(content, finish=finish, usage=usage, model="m", response_id="chatcmpl-9")
    events = encode(message, plan)
    assert [v for v in PROTOCOL.violations(events) if v.severity == "violation"] == []

    outcome = listen(events)
    refused = finish == "stop" and any(isinstance(part, Refusal) for part in content)
    assert outcome.finish == ("refusal" if refused else finish)
    # Calls are numbered as they open, so the interleaved order of equal neighbours is the wire's.
    assert outcome.content == content
    assert outcome.usage == usage
    assert (outcome.model, outcome.response_id) == ("m", "chatcmpl-9")


def test_signatures_encrypted_data_and_audio_survive() -> None:
    content = (
        Reasoning(text="Hm", signature="sig"),
        RedactedReasoning(data="blob"),
        Media(data="AAAA"),
        Text(text="Hi"),
    )
    assert listen(encode(Message(content))).content == content


def test_a_server_tool_is_left_out() -> None:
    message = Message((ServerTool(name="search"), Text(text="Hi")))
    assert listen(encode(message)).content == (Text(text="Hi"),)


def test_a_truncated_message_has_no_terminal_event() -> None:
    events = encode(Message((Text(text="Hi there"),), ending="truncated"))
    assert [v.event for v in PROTOCOL.violations(events)] == [-1]
    assert listen(events).ending == "truncated"


def test_a_failed_message_ends_with_its_error() -> None:
    error = ErrorInfo(kind="server", code="server_error", message="no")
    outcome = listen(encode(Message((Text(text="Hi"),), ending="failed", error=error)))
    assert outcome.text == "Hi"
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.message) == ("server", "no")
