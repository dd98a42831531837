"""Writes traces as spans to an OpenTelemetry collector over OTLP/HTTP.

This is the only importer of opentelemetry.

Rules of this file: a span is made from a finished trace, so OpenTelemetry's global state is not
used; it ends when the trace was made, and its duration is the latency; the spans of one run are in
one OpenTelemetry trace; the ids follow from the trace, so a span that is sent twice can be
recognised. A span that the collector did not accept is an error; the exporter's log says why. The
exporter itself reads the OTEL_EXPORTER_OTLP_… variables, among them headers with keys.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from harness.errors import HarnessError
from harness.streaming.tracing import conventions
from harness.streaming.tracing.backend import write_only

if TYPE_CHECKING:
    from typing import NoReturn

    from harness.streaming.tracing.trace import ProviderTrace

TIMEOUT_S = 5.0
_SCOPE = InstrumentationScope("llm-stream-harness")
_NS = 1_000_000_000


class OpenTelemetryTraces:
    """Traces to an OTLP/HTTP collector.

    Args:
        endpoint: the URL for spans, with its path.
        timeout: the longest time in seconds of one export, with its retries.
        service: the ``service.name`` of the spans, None for the value of OTEL_SERVICE_NAME.
    """

    def __init__(self, endpoint: str, timeout: float = TIMEOUT_S, service: str | None = None):
        self.name = f"otlp:{endpoint}"
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=timeout)
        self._resource = Resource.create({SERVICE_NAME: service} if service else None)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="otlp")

    async def create(self, trace: ProviderTrace) -> None:
        """Export one trace as a span, in a thread of its own.

        Raises:
            HarnessError: the collector did not accept it.
        """
        loop, span = asyncio.get_running_loop(), span_of(trace, self._resource)
        result = await loop.run_in_executor(self._worker, self._exporter.export, [span])
        if result is not SpanExportResult.SUCCESS:
            raise HarnessError(
                "the collector did not accept the span; see the log of opentelemetry"
            )

    async def read(self, step_id: str) -> NoReturn:  # noqa: ARG002 - the protocol's argument
        """Raise: a collector cannot be read."""
        write_only(self.name)

    async def aclose(self) -> None:
        """Close the exporter; an export that waits for its next attempt stops at once."""
        await asyncio.to_thread(self._exporter.shutdown)
        self._worker.shutdown(wait=False)


def span_of(trace: ProviderTrace, resource: Resource) -> ReadableSpan:
    """Return the finished span of a trace."""
    end = int(trace.created_at.timestamp() * _NS)
    return ReadableSpan(
        name=conventions.span_name(trace),
        context=SpanContext(
            trace_id=_number(trace.run_id or trace.id, 16),
            span_id=_number(trace.id, 8),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        ),
        resource=resource,
        attributes=conventions.attributes(trace),
        kind=SpanKind.CLIENT,
        instrumentation_scope=_SCOPE,
        status=_status(trace),
        start_time=end - int((trace.latency_s or 0.0) * _NS),
        end_time=end,
    )


def _status(trace: ProviderTrace) -> Status:
    """Return ERROR with its message, or UNSET: only an application may set OK."""
    if trace.failure is None:
        return Status(StatusCode.UNSET)
    return Status(StatusCode.ERROR, trace.failure.message or trace.failure.kind)


def _number(identity: str, size: int) -> int:
    """Return a number of ``size`` bytes that follows from an id of any form."""
    return int.from_bytes(sha256(identity.encode()).digest()[:size], "big")
