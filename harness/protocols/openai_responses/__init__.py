"""OpenAI Responses, first party, Azure and compatible servers."""

from __future__ import annotations

from harness.protocols.openai_responses.encode import encode
from harness.protocols.openai_responses.grammar import GRAMMAR, read
from harness.protocols.openai_responses.skeletons import ResponsesComposer
from harness.protocols.openai_responses.vocabulary import (
    FINISH,
    INCOMPLETE,
    PARTS,
    PROGRESS,
    RUNNING,
    SOUND_EVENTS,
    STATUS,
    USAGE,
)
from harness.protocols.openai_responses.whole import response_body
from harness.protocols.protocol import Protocol

_WRITTEN_CACHE = "how the written cache splits by lifetime; the sum is modelled"

PROTOCOL = Protocol(
    name="openai_responses",
    grammar=GRAMMAR,
    read=read,
    composer=ResponsesComposer,
    encode=encode,
    response_body=response_body,
    finish=FINISH,
    vocabulary={
        "event": frozenset(label.partition("[")[0] for label in GRAMMAR.labels),
        "item": frozenset(PROGRESS),
        "part": frozenset(PARTS),
        "status": frozenset(STATUS),
        "incomplete": frozenset(INCOMPLETE),
        "usage": frozenset(USAGE.values()),
    },
    unmodelled={
        "event": dict.fromkeys(
            SOUND_EVENTS, "carries no index of an item, and this endpoint serves no sound"
        ),
        "status": dict.fromkeys(
            RUNNING, "no end: a terminal that says so is read by its event type"
        ),
        "usage": {
            "input_tokens_details.cache_write_tokens_details.ttl_12h_tokens": _WRITTEN_CACHE,
            "input_tokens_details.cache_write_tokens_details.ttl_30m_tokens": _WRITTEN_CACHE,
        },
    },
    request={"model": "gpt-5-mini", "input": "Hello"},
)
