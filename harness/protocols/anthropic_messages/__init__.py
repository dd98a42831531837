"""Anthropic Messages, first party, Vertex and compatible servers."""

from __future__ import annotations

from harness.protocols.anthropic_messages.encode import encode
from harness.protocols.anthropic_messages.grammar import GRAMMAR, read
from harness.protocols.anthropic_messages.skeletons import MessagesComposer
from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS, DELTAS_OF, FINISH, USAGE
from harness.protocols.anthropic_messages.whole import response_body
from harness.protocols.protocol import Protocol

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
)
