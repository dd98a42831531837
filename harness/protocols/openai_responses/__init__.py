"""OpenAI Responses, first party, Azure and compatible servers."""

from __future__ import annotations

import re

from harness.model import Usage
from harness.protocols.generated import EVENT_STREAM, TRANSPORT
from harness.protocols.openai_responses.encode import encode, response_body
from harness.protocols.openai_responses.generated import ORACLE, SAMPLES
from harness.protocols.openai_responses.grammar import GRAMMAR, read
from harness.protocols.openai_responses.skeletons import ResponsesComposer
from harness.protocols.openai_responses.vocabulary import (
    AUDIO_EVENTS,
    FINISH,
    INCOMPLETE,
    PARAGRAPH,
    PARTS,
    PROGRESS,
    RUNNING,
    STATUS,
    USAGE,
)
from harness.protocols.protocol import (
    Detection,
    Endpoint,
    Expressible,
    Framing,
    Noise,
    Protocol,
)

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
            AUDIO_EVENTS, "has no index of an item, and this endpoint sends no audio"
        ),
        "status": dict.fromkeys(
            RUNNING, "not an end: a terminal event with this status is read by its type"
        ),
        "usage": {
            "input_tokens_details.cache_write_tokens_details.ttl_12h_tokens": _WRITTEN_CACHE,
            "input_tokens_details.cache_write_tokens_details.ttl_30m_tokens": _WRITTEN_CACHE,
        },
    },
    request={"model": "gpt-5-mini", "input": "Hello"},
    framing=Framing(named_by_type=True),
    detection=Detection(
        event=lambda data: str(data.get("type")).startswith("response."),
        path=re.compile("/responses$"),
    ),
    endpoint=Endpoint(
        "openai",
        "https://api.openai.com/v1/responses",
        "https://developers.openai.com/api/reference/resources/responses/streaming-events",
    ),
    expressible=Expressible(
        usage=frozenset(Usage.model_fields),
        # The summary is a list of parts; the reader decides how they are joined:
        # https://developers.openai.com/api/docs/api-reference/responses/object
        reasoning_separator=PARAGRAPH,
    ),
    samples=SAMPLES,
    oracle=ORACLE,
    noise=Noise(
        harmless={
            **TRANSPORT,
            **EVENT_STREAM,
            "keepalives": "recorded in long silences (OR-032)",
            "unknown_events": "new event types are added without a new version (OR-031)",
            "obfuscation": (
                "https://developers.openai.com/api/reference/resources/responses: "
                "include_obfuscation"
            ),
        },
        harmful={"pings": "OpenAI sends none; its SDK makes an event of a wrong type of one"},
    ),
)
