"""TR-016, TR-017: an empty body, or one that is not an event stream, is not an empty answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

from harness.errors import StreamError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.streaming.interfaces import interface_for
from harness.streaming.non_stream_body import CONTENT_TYPES, KEPT
from harness.wire.script import Script
from tests.streaming.memory_provider import NAMES, read_answer, text_response

if TYPE_CHECKING:
    from collections.abc import Callable

SILENT = ("openai_chat", "openai_responses", "anthropic_messages")  # google-genai raises by itself
PAGE = "<!doctype html>\n<title>Sign in, é</title>\n"


def _type(content_type: str | None) -> tuple[tuple[str, str], ...]:
    return () if content_type is None else (("content-type", content_type),)


def body_response(body: str, content_type: str, cut: str = "event") -> Script:
    """Return an answer that holds no event."""
    return Script((body.encode(),), headers=_type(content_type), cut=cut)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content_type", ["text/event-stream", "text/plain", None])
async def test_tr016_an_empty_body_is_an_error(name: str, content_type: str | None) -> None:
    answer = await read_answer(name, Script((), headers=_type(content_type)))
    outcome = answer.outcome
    assert outcome.error is not None
    assert (outcome.ending, outcome.finish) == ("truncated", "unknown")
    assert (outcome.error.kind, outcome.error.retryable) == ("truncated", True)
    assert answer.raised is None


@pytest.mark.parametrize("name", SILENT)
@pytest.mark.parametrize("content_type", [*sorted(CONTENT_TYPES), "TEXT/HTML; charset=utf-8"])
@pytest.mark.parametrize("cut", ["event", "byte"])
async def test_tr017_a_body_that_is_not_a_stream_is_quoted(
    name: str, content_type: str, cut: str
) -> None:
    answer = await read_answer(name, body_response(PAGE, content_type, cut))
    outcome = answer.outcome
    assert outcome.error is not None
    assert (outcome.ending, outcome.finish) == ("failed", "error")
    assert (outcome.error.kind, outcome.error.retryable) == ("protocol", False)
    assert repr(content_type) in outcome.error.message
    assert repr(PAGE) in outcome.error.message
    assert isinstance(answer.raised, StreamError)
    assert answer.raised.info == outcome.error
    assert [chunk.kind for chunk in answer.chunks] == ["error", "stop_reason"]


@pytest.mark.parametrize("name", SILENT)
async def test_only_the_beginning_is_quoted(name: str) -> None:
    """Also where it ends inside a character."""
    body = '{"id": "' + "é" * KEPT + '"}'
    error = (await read_answer(name, body_response(body, "application/json"))).outcome.error
    assert error is not None
    quoted = body.encode()[:KEPT].decode("utf-8", "replace")
    assert error.message.endswith(repr(quoted))


@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_googles_sdk_reports_an_html_page_itself(content_type: str) -> None:
    answer = await read_answer("gemini_generate", body_response(PAGE, content_type))
    assert answer.outcome.error is not None
    assert answer.outcome.error.kind == "protocol"
    assert not isinstance(answer.raised, StreamError)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/html", "text/plain", "application/octet-stream", None],
)
async def test_a_stream_with_another_content_type_is_read(
    name: str, content_type: str | None
) -> None:
    outcome = (
        await read_answer(name, text_response(name, "Hi")._replace(headers=_type(content_type)))
    ).outcome
    assert (outcome.text, outcome.ending, outcome.error) == ("Hi", "complete", None)


@pytest.mark.parametrize("name", SILENT)
async def test_a_cut_stream_with_another_content_type_is_truncated(name: str) -> None:
    response = text_response(name, "Hi")._replace(headers=_type("application/json"))
    outcome = (await read_answer(name, response._replace(frames=response.frames[:1]))).outcome
    assert outcome.error is not None
    assert (outcome.ending, outcome.error.kind) == ("truncated", "truncated")


def _openai(url: str, http: httpx2.Client) -> Any:
    client = openai.OpenAI(api_key="k", base_url=url, max_retries=0, http_client=http)
    return client.chat.completions.create(stream=True, **protocol("openai_chat").request)


def _anthropic(url: str, http: httpx2.Client) -> Any:
    client = anthropic.Anthropic(api_key="k", base_url=url, max_retries=0, http_client=http)
    return client.messages.create(stream=True, **protocol("anthropic_messages").request)


@pytest.mark.parametrize(
    ("name", "ask"), [("openai_chat", _openai), ("anthropic_messages", _anthropic)]
)
def test_a_synchronous_stream_gives_the_same_outcome(
    name: str, ask: Callable[[str, httpx2.Client], Any]
) -> None:
    registry, interface = ResponseRegistry(), interface_for(name)()
    key = registry.register(body_response(PAGE, "text/html"))
    with httpx2.Client(transport=memory_transport(registry)) as http:
        chunks = interface.chunks_sync(ask(f"{MEMORY_URL}/{key}", http))
        with pytest.raises(
            StreamError,
            match=r"protocol: expected an event stream, received 'text/html': .*doctype",
        ):
            list(chunks)
    assert interface.outcome().ending == "failed"
