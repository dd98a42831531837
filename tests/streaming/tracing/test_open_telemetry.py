"""Spans as a real collector receives them over OTLP/HTTP, decoded from protobuf.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from harness.model import ErrorInfo, Outcome, Usage
from harness.streaming.tracing.configuration import make_backends
from harness.streaming.tracing.conventions import attributes, span_name
from harness.streaming.tracing.manager import TraceManager
from tests.streaming.tracing.samples import OUTCOME, failed, good, unopened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.streaming.tracing.trace import ProviderTrace


class Collector(ThreadingHTTPServer):
    """Accepts spans on /v1/traces and replies with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def dsn(self) -> str:
        return f"otlp:http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/traces":
            self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(self.server.status if self.path == "/v1/traces" else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Print nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def attributes_of(span: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in span.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)


async def test_a_trace_is_exported_as_a_span_of_the_conventions(collector: Collector) -> None:
    manager = TraceManager(make_backends(f"{collector.dsn}?service=my-agent"))
    trace = good()
    assert (await manager.create(trace))[0].error is None
    await manager.aclose()
    [span] = collector.spans
    assert span.name == "chat claude-test"
    assert span.kind == span.SPAN_KIND_CLIENT
    assert span.status.code == span.status.STATUS_CODE_UNSET
    assert attributes_of(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-test",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "claude-test-2",
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.finish_reasons": ["tool_use"],
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "gen_ai.usage.output_tokens": 12,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "llm_stream_harness.trace_id": trace.id,
        "llm_stream_harness.run_id": "run_1",
        "llm_stream_harness.step_id": "step_1",
        "llm_stream_harness.agent_id": "agent_1",
        "llm_stream_harness.org_id": "org_1",
        "llm_stream_harness.user_id": "user_1",
        "llm_stream_harness.call_type": "agent_step",
        "llm_stream_harness.protocol": "anthropic_messages",
        "llm_stream_harness.tags": ["a", "b"],
        "llm_stream_harness.finish": "tool_calls",
        "llm_stream_harness.ending": "complete",
    }
    [resource] = [part.resource for part in collector.requests[0].resource_spans]
    assert attributes_of(resource)["service.name"] == "my-agent"


async def test_the_span_covers_the_latency_and_ends_with_the_step(collector: Collector) -> None:
    manager = TraceManager(make_backends(collector.dsn))
    trace = good()
    await manager.create(trace)
    await manager.create(good(latency_s=None))
    await manager.aclose()
    timed, untimed = collector.spans
    assert timed.end_time_unix_nano - timed.start_time_unix_nano == 1_500_000_000
    assert abs(timed.end_time_unix_nano / 1e9 - trace.created_at.timestamp()) < 1e-5
    assert untimed.start_time_unix_nano == untimed.end_time_unix_nano


async def test_spans_of_a_run_are_in_one_trace_and_ids_are_stable(
    collector: Collector,
) -> None:
    manager = TraceManager(make_backends(collector.dsn))
    for trace in (good(id="1"), good(id="2"), good(id="1"), good(id="3", run_id=None)):
        await manager.create(trace)
    await manager.aclose()
    one, two, again, alone = collector.spans
    assert one.trace_id == two.trace_id == again.trace_id != alone.trace_id
    assert one.span_id == again.span_id != two.span_id
    assert (len(one.trace_id), len(one.span_id)) == (16, 8)


async def test_a_failure_is_an_error_with_its_type_and_message(collector: Collector) -> None:
    manager = TraceManager(make_backends(collector.dsn))
    await manager.create(failed())
    await manager.create(unopened(error=""))
    await manager.aclose()
    failed_span, no_message = collector.spans
    assert failed_span.status.code == failed_span.status.STATUS_CODE_ERROR
    assert failed_span.status.message == "Overloaded"
    assert attributes_of(failed_span)["error.type"] == "overloaded_error"
    assert attributes_of(failed_span)["gen_ai.response.finish_reasons"] == ["error"]
    assert no_message.status.message == attributes_of(no_message)["error.type"] == "unknown"


async def test_the_text_of_people_and_models_is_not_exported(collector: Collector) -> None:
    manager = TraceManager(make_backends(collector.dsn))
    await manager.create(good())
    await manager.aclose()
    sent = collector.requests[0].SerializeToString()
    for text in (b"secret words", b"Here it is", b"Paris"):
        assert text not in sent


async def test_a_refusal_of_the_collector_is_a_report(collector: Collector) -> None:
    collector.status = 400
    manager = TraceManager(make_backends(collector.dsn))
    [report] = await manager.create(good())
    assert report.error is not None
    assert "did not accept the span" in report.error
    await manager.aclose()


async def test_an_unreachable_collector_is_a_report_within_the_bound() -> None:
    manager = TraceManager(make_backends("otlp:http://127.0.0.1:1?timeout=0.05"), bound=1.0)
    [report] = await manager.create(good())
    assert report.error is not None
    assert "did not accept the span" in report.error
    await manager.aclose()


async def test_closing_stops_an_export_that_waits_for_its_next_attempt(
    collector: Collector,
) -> None:
    collector.status = 503
    manager = TraceManager(make_backends(f"{collector.dsn}?timeout=60"), bound=0.05)
    [report] = await manager.create(good())
    assert report.error == "not done within 0.05 s; cancelled"
    [report] = await manager.aclose()
    assert report.error is None


# The attributes, without a collector


@pytest.mark.parametrize(
    ("protocol", "model", "name"),
    [
        ("openai_chat", "gpt-5", "chat gpt-5"),
        ("openai_responses", "gpt-5", "chat gpt-5"),
        ("gemini_generate", "gemini-3", "generate_content gemini-3"),
        ("anthropic_messages", None, "chat"),
    ],
)
def test_the_name_of_a_span_is_operation_and_model(
    protocol: str, model: str | None, name: str
) -> None:
    assert span_name(good(protocol=protocol, model=model)) == name


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("openai", "openai"),
        ("azure", "azure.ai.openai"),
        ("bedrock", "aws.bedrock"),
        ("google_ai", "gcp.gemini"),
        ("google_vertex", "gcp.vertex_ai"),
        ("xai", "x_ai"),
        ("my own gateway", "my own gateway"),
    ],
)
def test_providers_have_the_well_known_names(ours: str, theirs: str) -> None:
    assert attributes(good(provider=ours))["gen_ai.provider.name"] == theirs


def _reasons(trace: ProviderTrace) -> object:
    return attributes(trace)["gen_ai.response.finish_reasons"]


def test_a_finish_reason_that_was_not_received_is_an_error() -> None:
    assert _reasons(unopened()) == ("error",)
    for ending in ("truncated", "failed", "cancelled"):
        assert _reasons(good(outcome=OUTCOME.model_copy(update={"ending": ending}))) == ("error",)
    no_message = OUTCOME.model_copy(update={"finish_raw": None, "ending": "incomplete"})
    assert _reasons(good(outcome=no_message)) == ("tool_calls",)


def test_a_cancelled_step_is_not_an_error() -> None:
    cancelled = good(outcome=Outcome(finish="cancelled", ending="cancelled"))
    assert "error.type" not in attributes(cancelled)


def test_unreported_values_are_left_out_and_zeros_are_kept() -> None:
    bare = good(
        outcome=Outcome(usage=Usage(input=0)), run_id=None, tags=(), model=None, first_chunk_s=None
    )
    found = attributes(bare)
    assert found["gen_ai.usage.input_tokens"] == 0
    assert "gen_ai.usage.output_tokens" not in found
    assert not [name for name in found if name.endswith(("run_id", "tags", "request.model"))]
    assert not [name for name in attributes(good(outcome=Outcome())) if "usage" in name]


def test_the_type_of_an_error_without_a_code_is_its_kind() -> None:
    assert attributes(good(error=ErrorInfo(kind="timeout")))["error.type"] == "timeout"
