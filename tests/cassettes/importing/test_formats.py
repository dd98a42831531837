"""Each recording format, as written by its own tool, is imported as a cassette."""

from __future__ import annotations

import json
from base64 import b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import vcr
from google.genai import _replay_api_client as genai
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from harness.cassettes.importing.files import import_files
from harness.model import Reasoning, Text
from harness.playback.recordings import SkippedRecording, exchanges
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.protocols import NAMES
from harness.wire import event_stream
from harness.wire.script import Script
from tests.cassettes.importing.samples import (
    TOOL_CALL,
    archive,
    body,
    entry,
    imported,
    outcome_of,
    values,
)

if TYPE_CHECKING:
    from pathlib import Path

PROTOBUF: Any = import_module("google.protobuf.json_format")  # brings no types


@pytest.mark.parametrize("name", NAMES)
def test_a_raw_body_keeps_its_bytes(name: str, tmp_path: Path) -> None:
    cassette = imported(tmp_path / "a.sse", body(name))
    [interaction] = cassette.interactions
    assert interaction.response.body == body(name)
    assert interaction.response.stream.provenance is not None
    assert interaction.response.stream.provenance.what == "a.sse"
    assert outcome_of(cassette).text == "Hello there"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", ["a.chunks.txt", "a.ndjson", "a.jsonl", "a.log"])
def test_lines_of_a_protocol_are_framed_again_in_its_framing(
    name: str, file: str, tmp_path: Path
) -> None:
    lines = [json.dumps(value, separators=(",", ":")) for value in values(name)]
    cassette = imported(tmp_path / file, "\n".join(lines) + "\n")
    outcome = outcome_of(cassette)
    assert (outcome.text, outcome.ending) == ("Hello there", "complete")
    assert outcome.usage is not None
    assert outcome.usage.output == 2
    [interaction] = cassette.interactions
    assert interaction.response.body == body(name)


def test_lines_of_another_protocol_stay_lines(tmp_path: Path) -> None:
    lines = b'{"model": "m", "done": false}\n{"model": "m", "done": true}\n'
    cassette = imported(tmp_path / "ollama.ndjson", lines)
    [interaction] = cassette.interactions
    assert interaction.response.body == lines
    assert dict(interaction.response.headers) == {"content-type": "application/x-ndjson"}
    assert isinstance(next(exchanges(cassette, tmp_path)), SkippedRecording)


def test_a_json_array_is_imported_as_gemini(tmp_path: Path) -> None:
    content = json.dumps(values("gemini_generate"), indent=2)
    assert outcome_of(imported(tmp_path / "a.json", content)).text == "Hello there"


def test_binary_events_of_bedrock_are_imported_as_anthropic(tmp_path: Path) -> None:
    headers = {":event-type": "chunk", ":message-type": "event"}
    content = b"".join(
        event_stream.write(
            headers,
            json.dumps({"bytes": b64encode(json.dumps(value).encode()).decode()}).encode(),
        )
        for value in values("anthropic_messages")
    )
    cassette = imported(tmp_path / "a.eventstream", content)
    assert cassette.interactions[0].response.body == content
    assert outcome_of(cassette).text == "Hello there"


def test_a_cassette_of_vcrpy_is_imported(tmp_path: Path) -> None:
    registry = ResponseRegistry()
    headers = (("content-type", "text/event-stream"),)
    key = registry.register(Script((body("openai_chat"),), headers=headers))
    path = tmp_path / "theirs.yaml"
    with serving(registry) as url, vcr.use_cassette(str(path)), httpx2.Client() as client:
        client.post(f"{url}/{key}/v1/chat/completions", json={"stream": True})
    cassette = imported(path, path.read_bytes())
    [interaction] = cassette.interactions
    assert json.loads(interaction.request.body) == {"stream": True}
    assert interaction.response.body == body("openai_chat")
    assert outcome_of(cassette).text == "Hello there"


# A body with a metadata file


def test_request_headers_and_provenance_are_read_from_the_metadata(tmp_path: Path) -> None:
    metadata = {
        "protocol": "openai-chat",
        "provider": "openai",
        "status": 200,
        "content_type": "text/event-stream; charset=utf-8",
        "response_headers": {"x-request-id": "r", "transfer-encoding": "chunked"},
        "request": {
            "method": "POST",
            "host": "api.example",
            "path": "/v1/chat/completions",
            "headers": {"accept": "*/*"},
            "body": {"stream": True},
        },
        "source_repo": "github.com/a/b",
        "source_commit": "c0ffee",
        "licence": "MIT",
    }
    (tmp_path / "a.json").write_text(json.dumps(metadata), "utf-8")
    [interaction] = imported(tmp_path / "a.sse", body("openai_chat")).interactions
    request, response = interaction.request, interaction.response
    assert request.uri == "https://api.example/v1/chat/completions"
    assert json.loads(request.body) == {"stream": True}
    assert response.headers == (
        ("content-type", "text/event-stream; charset=utf-8"),
        ("x-request-id", "r"),
    )
    provenance = response.stream.provenance
    assert provenance is not None
    assert (provenance.what, provenance.version, provenance.licence) == (
        "openai, github.com/a/b",
        "c0ffee",
        "MIT",
    )
    # The metadata file is not imported by itself.
    assert list(import_files([tmp_path])) == [*import_files([tmp_path / "a.sse"])]


def test_a_missing_host_is_replaced_and_path_and_body_are_kept(tmp_path: Path) -> None:
    asked = {"host": None, "path": "/v1/chat/completions", "body": {"stream": True}}
    metadata = {"protocol": "openai-chat", "status": 400, "request": asked}
    (tmp_path / "a.json").write_text(json.dumps(metadata), "utf-8")
    cassette = imported(tmp_path / "a.sse", '{"error": {"message": "No"}}')
    assert cassette.interactions[0].request.uri == "https://recorded.invalid/v1/chat/completions"
    assert json.loads(cassette.interactions[0].request.body) == {"stream": True}
    [exchange] = exchanges(cassette, tmp_path)
    assert exchange.protocol == "openai_chat"


# HTTP archives


def test_the_model_exchanges_of_an_archive_are_imported(tmp_path: Path) -> None:
    image = entry("…", "image/png")
    image["request"]["url"] = "https://example.com/logo.png"
    coded = b64encode(body("openai_chat")).decode()
    content = archive(entry(body("openai_chat").decode()), image, entry(coded, encoding="base64"))
    cassette = imported(tmp_path / "a.har", content)
    assert len(cassette.interactions) == 2
    assert [outcome_of(cassette, at).text for at in (0, 1)] == ["Hello there"] * 2
    request, response = cassette.interactions[0].request, cassette.interactions[0].response
    assert request.headers == (("Accept", "a"),)
    assert request.body == b'{"stream": true}'
    assert response.headers == ()
    assert response.stream.provenance is not None
    assert response.stream.provenance.recorded == "2026-11-20T10:00:00Z"


# Replay files of google-genai, written by its own classes


def test_a_replay_file_of_google_genai_is_imported_as_a_stream(tmp_path: Path) -> None:
    interaction = genai.ReplayInteraction(
        request=genai.ReplayRequest(
            method="post",
            url="{MLDEV_URL_PREFIX}/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            headers={"x-goog-api-key": "{REDACTED}"},
            body_segments=[{"contents": [{"parts": [{"text": "Hi"}]}]}],
        ),
        response=genai.ReplayResponse(
            status_code=200,
            headers={},
            body_segments=values("gemini_generate"),
            sdk_response_segments=[],
        ),
    )
    replay = genai.ReplayFile(replay_id="a/b/mldev", interactions=[interaction])
    cassette = imported(tmp_path / "mldev.json", replay.model_dump_json(indent=2))
    [found] = cassette.interactions
    assert found.request.uri == (
        "https://generativelanguage.googleapis.com/v1beta"
        "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    )
    assert found.response.body == body("gemini_generate")
    assert outcome_of(cassette).text == "Hello there"


# aimock


@pytest.mark.parametrize("name", NAMES)
def test_fixtures_of_aimock_are_encoded_in_any_protocol(name: str, tmp_path: Path) -> None:
    fixtures = [
        {"match": {"userMessage": "hello"}, "response": {"content": "Hi!", "reasoning": "Hm."}},
        {
            "match": {"toolName": "get"},
            "response": {"toolCalls": [{"name": "get", "arguments": {"a": 1}}]},
        },
        {
            "match": {},
            "response": {
                "blocks": [
                    {"type": "text", "text": "Look:"},
                    {"type": "toolCall", "name": "get", "arguments": '{"a": 1}'},
                ],
                "usage": {"prompt_tokens": 7, "completion_tokens": 3},
            },
        },
        {"match": {}, "response": {"content": "Long", "finishReason": "length"}},
        {"match": {}, "response": {"content": "Cut off"}, "truncateAfterChunks": 2},
        {"match": {"endpoint": "image"}, "response": {"image": {}}},
    ]
    cassette = imported(tmp_path / "f.json", json.dumps({"fixtures": fixtures}), name)
    outcomes = [outcome_of(cassette, at) for at in range(5)]
    assert len(cassette.interactions) == 5
    assert (outcomes[0].text, outcomes[0].reasoning) == ("Hi!", "Hm.")
    assert [call.arguments for call in outcomes[1].tool_calls] == [{"a": 1}]
    assert (outcomes[2].text, len(outcomes[2].tool_calls)) == ("Look:", 1)
    assert outcomes[2].usage is not None
    assert (outcomes[2].usage.input, outcomes[2].usage.output) == (7, 3)
    assert (outcomes[3].finish, outcomes[4].ending) == ("length", "truncated")
    assert cassette.interactions[4].response.stream.end == "reset"
    assert b"hello" in cassette.interactions[0].request.body


def test_an_error_fixture_is_imported_as_an_http_error(tmp_path: Path) -> None:
    response = {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429}
    fixtures = {"fixtures": [{"match": {"userMessage": "x"}, "response": response}]}
    [found] = imported(tmp_path / "f.json", json.dumps(fixtures)).interactions
    assert found.response.status == 429
    assert json.loads(found.response.body) == {"error": response["error"]}


# OpenTelemetry, written by its own SDK


def spans() -> tuple[ReadableSpan, ...]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    parts = [
        {"type": "reasoning", "content": "Hm."},
        {"type": "text", "content": "Hello there"},
        {"type": "tool_call", "id": "call_1", "name": "get", "arguments": {"a": 1}},
    ]
    output = [{"role": "assistant", "parts": parts, "finish_reason": "tool_call"}]
    with tracer.start_as_current_span("invoke_agent") as agent:
        agent.set_attribute("gen_ai.operation.name", "invoke_agent")
        agent.set_attribute("gen_ai.output.messages", json.dumps(output))
        with tracer.start_as_current_span("chat claude-7") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "anthropic",
                    "gen_ai.response.model": "claude-7",
                    "gen_ai.response.id": "msg_7",
                    "gen_ai.usage.input_tokens": 9,
                    "gen_ai.usage.output_tokens": 4,
                    "gen_ai.output.messages": json.dumps(output),
                }
            )
    return tuple(exporter.get_finished_spans())


def document() -> str:
    text: str = PROTOBUF.MessageToJson(encode_spans(spans()), indent=None)
    return text


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(document, id="OTLP"),
        pytest.param(lambda: f"{document()}\n{document()}\n", id="OTLP, one document per line"),
        pytest.param(lambda: json.dumps(json.loads(document()), indent=1), id="OTLP, indented"),
        pytest.param(
            lambda: f"[{','.join(span.to_json() for span in spans())}]", id="console, as a list"
        ),
    ],
)
def test_spans_with_content_are_encoded_in_the_protocol_of_their_provider(
    content: Any, tmp_path: Path
) -> None:
    cassette = imported(tmp_path / "spans.json", content())
    outcome = outcome_of(cassette)
    assert outcome.content == (
        Reasoning(text="Hm.", signature=outcome.content[0].signature),  # type: ignore[union-attr]
        Text(text="Hello there"),
        TOOL_CALL,
    )
    assert (outcome.finish, outcome.model, outcome.response_id) == (
        "tool_calls",
        "claude-7",
        "msg_7",
    )
    assert outcome.usage is not None
    assert (outcome.usage.input, outcome.usage.output) == (9, 4)
    provenance = cassette.interactions[0].response.stream.provenance
    assert provenance is not None
    assert provenance.what == "span of anthropic in spans.json, encoded as anthropic_messages"


def test_spans_with_structured_attributes_are_imported(tmp_path: Path) -> None:
    part = {"kvlistValue": {"values": [
        {"key": "type", "value": {"stringValue": "text"}},
        {"key": "content", "value": {"stringValue": "Hi"}},
    ]}}  # fmt: skip
    message = {"kvlistValue": {"values": [
        {"key": "parts", "value": {"arrayValue": {"values": [part]}}},
        {"key": "finish_reason", "value": {"stringValue": "length"}},
    ]}}  # fmt: skip
    output = {"key": "gen_ai.output.messages", "value": {"arrayValue": {"values": [message]}}}
    span = {"name": "chat", "attributes": [output]}
    content = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    outcome = outcome_of(imported(tmp_path / "a.json", json.dumps(content)))
    assert (outcome.text, outcome.finish) == ("Hi", "length")
