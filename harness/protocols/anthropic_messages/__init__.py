"""Anthropic Messages, first party, Vertex and compatible servers."""

from __future__ import annotations

import re

from harness.model import Usage
from harness.protocols.anthropic_messages.encode import encode, response_body
from harness.protocols.anthropic_messages.generated import ORACLE, SAMPLES
from harness.protocols.anthropic_messages.grammar import GRAMMAR, read
from harness.protocols.anthropic_messages.skeletons import MessagesComposer
from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS, DELTAS_OF, FINISH, USAGE
from harness.protocols.generated import EVENT_STREAM, TRANSPORT
from harness.protocols.protocol import (
    Detection,
    Endpoint,
    Expressible,
    Framing,
    Noise,
    Protocol,
)

_STREAMING = "https://docs.claude.com/en/api/messages-streaming"
_EVENT = re.compile("(message|content_block)_(start|delta|stop)")

PROTOCOL = Protocol(
    name="anthropic_messages",
    grammar=GRAMMAR,
    read=read,
    composer=MessagesComposer,
    encode=encode,
    response_body=response_body,
    finish=FINISH,
    vocabulary={
        "event": frozenset(label.partition("[")[0] for label in GRAMMAR.labels),
        "block": frozenset(DELTAS_OF),
        "delta": frozenset(DELTA_FIELDS),
        "finish": frozenset(FINISH),
        "usage": frozenset(USAGE.values()),
    },
    unmodelled={
        "usage": {
            "cache_creation": "how the written cache splits by lifetime; the sum is modelled",
            "fallback_credit": "what became of a billing token; no count of tokens",
            "inference_geo": "where it ran; no count of tokens",
            "iterations": "the rounds behind the sums; a compaction's own tokens are in no sum",
            "server_tool_use": "counts requests, not tokens",
            "service_tier": "a price class, no count of tokens",
            "speed": "a price class, no count of tokens",
        }
    },
    request={
        "model": "claude-sonnet-4-6",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "Hello"}],
    },
    framing=Framing(named_by_type=True),
    detection=Detection(
        event=lambda data: _EVENT.fullmatch(str(data.get("type"))),
        # The last two are Vertex' and Bedrock's.
        path=re.compile(
            "/messages$|:streamRawPredict$|/model/[^/]*anthropic[^/]*/invoke-with-response-stream$"
        ),
    ),
    endpoint=Endpoint(
        "anthropic",
        "https://api.anthropic.com/v1/messages",
        _STREAMING,
        telemetry_names=frozenset({"anthropic", "aws.bedrock"}),
    ),
    expressible=Expressible(
        usage=frozenset(Usage.model_fields) - {"total"},
        refusals=False,
        always_reports_usage=True,  # message_start has it already
    ),
    samples=SAMPLES,
    oracle=ORACLE,
    noise=Noise(
        harmless={
            **TRANSPORT,
            **EVENT_STREAM,
            "pings": f"{_STREAMING}: pings may come anywhere",
            "unknown_events": f"{_STREAMING}: new event types may be added",
        },
        harmful={
            "keepalives": "recorded of OpenAI only; this protocol has pings",
            "obfuscation": "a field of OpenAI's; any other field is `unknown_fields`",
        },
    ),
)
