"""Maps a trace to the attributes of OpenTelemetry's conventions for generative AI.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
(the span gen_ai.client.inference and its attributes; status: development)

Rules of this file: pure functions that do not import OpenTelemetry; a value that was not reported
is left out, a reported zero is kept; the text of people and models, which the conventions make
opt-in, is never exported; attributes that the conventions do not have start with ``PREFIX``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.protocols import names, protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import Outcome
    from harness.streaming.tracing.trace import ProviderTrace

Attribute: TypeAlias = str | bool | int | float | tuple[str, ...]

_CHAT = "chat"
PREFIX = "llm_stream_harness."

# Our names of providers and dialects -> the well-known gen_ai.provider.name, where they differ.
PROVIDER: Mapping[str, str] = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google_ai": "gcp.gemini",
    "google_vertex": "gcp.vertex_ai",
    "vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}

# Field of Usage -> its attribute. Both count the cache in the input, the reasoning in the output.
USAGE: Mapping[str, str] = {
    "input": "gen_ai.usage.input_tokens",
    "cached": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_write.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}

# Fields of a trace that become attributes with our prefix.
_FIELDS = ("run_id", "step_id", "agent_id", "org_id", "user_id", "call_type", "protocol", "tags")

# A finish reason that was expected but not received is reported as `error` (note 18).
_NOT_RECEIVED = "error"


def span_name(trace: ProviderTrace) -> str:
    """Return ``{operation} {model}``."""
    return f"{operation(trace)} {trace.model}" if trace.model else operation(trace)


def operation(trace: ProviderTrace) -> str:
    """Return the value of ``gen_ai.operation.name``."""
    known = trace.protocol in names()
    return protocol(trace.protocol).endpoint.operation if known else _CHAT


def attributes(trace: ProviderTrace) -> dict[str, Attribute]:
    """Return the span attributes of a trace."""
    failure = trace.failure
    values: dict[str, Attribute | None] = {
        "gen_ai.operation.name": operation(trace),
        "gen_ai.provider.name": PROVIDER.get(trace.provider, trace.provider),
        "gen_ai.request.model": trace.model,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": trace.first_chunk_s,
        "error.type": None if failure is None else failure.code or failure.kind,
        **_delivered(trace.outcome),
        f"{PREFIX}trace_id": trace.id,
        **{f"{PREFIX}{name}": getattr(trace, name) or None for name in _FIELDS},
    }
    return {name: value for name, value in values.items() if value is not None}


def _delivered(outcome: Outcome | None) -> dict[str, Attribute | None]:
    if outcome is None:
        return {"gen_ai.response.finish_reasons": (_NOT_RECEIVED,)}
    counts = {} if outcome.usage is None else outcome.usage.model_dump()
    return {
        "gen_ai.response.id": outcome.response_id,
        "gen_ai.response.model": outcome.model,
        "gen_ai.response.finish_reasons": (_finish(outcome),),
        **{attribute: counts.get(field) for field, attribute in USAGE.items()},
        f"{PREFIX}finish": outcome.finish,
        f"{PREFIX}ending": outcome.ending,
    }


def _finish(outcome: Outcome) -> str:
    received = outcome.ending in {"complete", "incomplete"}
    return (outcome.finish_raw or outcome.finish) if received else _NOT_RECEIVED
