"""Plain vcrpy replays our cassettes to the real SDKs, without network access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest
import vcr
from google import genai

from harness.cassettes import load, save
from harness.cassettes.cassette import Cassette, Interaction, Read, Request, Response, Stream
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.protocols import NAMES
from harness.protocols.events import events_of
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path

KEY = "harness"
URLS = {
    "openai_chat": "https://api.openai.example/v1/chat/completions",
    "openai_responses": "https://api.openai.example/v1/responses",
    "anthropic_messages": "https://api.anthropic.example/v1/messages",
    "gemini_generate": "https://gemini.example/v1/models/m:streamGenerateContent?alt=sse",
}
ASK: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def _chat(http: Any) -> list[Any]:
    client = openai.OpenAI(api_key=KEY, base_url="https://api.openai.example/v1", http_client=http)
    return [event.to_dict() for event in client.chat.completions.create(**ASK)]


def _responses(http: Any) -> list[Any]:
    client = openai.OpenAI(api_key=KEY, base_url="https://api.openai.example/v1", http_client=http)
    return [event.to_dict() for event in client.responses.create(model="m", input="", stream=True)]


def _messages(http: Any) -> list[Any]:
    client = anthropic.Anthropic(
        api_key=KEY, base_url="https://api.anthropic.example", http_client=http
    )
    return [event.to_dict() for event in client.messages.create(max_tokens=9, **ASK)]


def _gemini(http: Any) -> list[Any]:
    options = genai.types.HttpOptions(base_url="https://gemini.example", httpx_client=http)
    client = genai.Client(api_key=KEY, http_options=options)
    found = list(client.models.generate_content_stream(model="m", contents="Hi"))
    client.close()
    return [event.model_dump(exclude={"sdk_http_response"}, mode="json") for event in found]


ASKS = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini_generate": _gemini,
}
STREAMS: dict[str, list[Any]] = {
    "openai_chat": ["role", {"content": "Hé 🙂"}, {"finish": "stop"}, "done"],
    "openai_responses": ["response.created", "response.completed"],
    "anthropic_messages": ["message_start", "message_delta", "message_stop"],
    "gemini_generate": [{"text": "Hé 🙂"}, {"finish": "STOP"}],
}


@pytest.fixture
def http() -> Any:
    with httpx2.Client(verify=False) as client:
        yield client


@pytest.mark.parametrize("name", NAMES)
def test_plain_vcrpy_replays_our_cassette_to_the_sdk(name: str, http: Any, tmp_path: Path) -> None:
    scenario = {"protocol": name, "stream": STREAMS[name], "must": {"ending": "complete"}}
    script = written(tmp_path, f"{name}/a", **scenario).script()
    reads = tuple(Read(len(frame), at / 10) for at, frame in enumerate(script.frames))
    request = Request("POST", URLS[name], (("accept", "*/*"),), b"{}")
    response = Response(200, "OK", script.headers, script.body, Stream(reads))
    path = tmp_path / "a.yaml"
    save(Cassette((Interaction(request, response),)), path)
    with vcr.use_cassette(str(path), record_mode="none"):
        events = ASKS[name](http)
    assert len(events) == len(json_events(script.body))
    assert load(path).interactions[0].response.body == script.body


def json_events(body: bytes) -> list[Any]:
    return [event.data for event in events_of([body]) if isinstance(event.data, dict)]


def test_a_cassette_of_plain_vcrpy_can_be_loaded(http: Any, tmp_path: Path) -> None:
    """vcrpy records from our own loopback server."""
    script = written(tmp_path).script()
    registry = ResponseRegistry()
    key = registry.register(script)
    path = tmp_path / "a.yaml"
    with serving(registry) as base_url, vcr.use_cassette(str(path), record_mode="once"):
        client = anthropic.Anthropic(api_key=KEY, base_url=f"{base_url}/{key}", http_client=http)
        assert list(client.messages.create(max_tokens=9, **ASK))
    [found] = load(path).interactions
    assert found.response.body == script.body
    assert found.response.stream == Stream()
