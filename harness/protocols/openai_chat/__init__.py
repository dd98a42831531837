"""OpenAI Chat Completions, first party, Azure and every compatible server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model import Event, Usage
from harness.protocols.generated import EVENT_STREAM, TRANSPORT
from harness.protocols.openai_chat.encode import encode, response_body
from harness.protocols.openai_chat.generated import ORACLE, SAMPLES
from harness.protocols.openai_chat.grammar import GRAMMAR, read
from harness.protocols.openai_chat.skeletons import MODEL, ChatComposer
from harness.protocols.openai_chat.vocabulary import (
    DELTA,
    DONE,
    FINISH,
    USAGE,
    VENDOR_USAGE,
)
from harness.protocols.protocol import (
    Detection,
    Endpoint,
    Expressible,
    Framing,
    Noise,
    Protocol,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON

_NO_TYPES = "a chunk has no event type, so an event with one is not a chunk"


def _is_chunk(data: Mapping[str, JSON]) -> bool:
    """Return whether an event is a chunk, and not one of the older Completions endpoint."""
    return "choices" in data and data.get("object") != "text_completion"


_BY_MODALITY = "how a count splits by modality; the sum is modelled"

PROTOCOL = Protocol(
    name="openai_chat",
    grammar=GRAMMAR,
    read=read,
    composer=ChatComposer,
    encode=encode,
    response_body=response_body,
    finish=FINISH,
    vocabulary={
        "chunk": frozenset({"id", "choices", "model", "usage"}),
        "delta": DELTA,
        "role": frozenset({"assistant"}),
        "finish": frozenset(FINISH),
        "usage": frozenset({*USAGE.values(), *VENDOR_USAGE.values()}),
    },
    unmodelled={
        "chunk": {
            "created": "when it was made; nothing is decided by it",
            "object": "always chat.completion.chunk; servers that send another value mean the same",
            "obfuscation": "padding against eavesdropping, without meaning",
            "moderation": "a classification of the answer; not part of it",
            "service_tier": "a price class",
            "system_fingerprint": "which backend answered",
        },
        "role": {
            "developer": "instructions of a request; an answer never has this role",
            "system": "instructions of a request, under their older name",
            "user": "the user's input",
            "tool": "the result of a call, which the client sends",
        },
        "usage": {
            "completion_tokens_details.accepted_prediction_tokens": "a part of the output count",
            "completion_tokens_details.rejected_prediction_tokens": "a part of the output count",
            "completion_tokens_details.audio_tokens": _BY_MODALITY,
            "completion_tokens_details.text_tokens": _BY_MODALITY,
            "prompt_tokens_details.audio_tokens": _BY_MODALITY,
            "prompt_tokens_details.image_tokens": _BY_MODALITY,
            "prompt_tokens_details.text_tokens": _BY_MODALITY,
        },
    },
    request={"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]},
    framing=Framing(sentinel=Event(None, DONE)),
    detection=Detection(event=_is_chunk, path=re.compile("/chat/completions$")),
    endpoint=Endpoint(
        "openai",
        "https://api.openai.com/v1/chat/completions",
        "https://developers.openai.com/api/reference/resources/chat/subresources/completions"
        "/streaming-events",
    ),
    expressible=Expressible(
        usage=frozenset(Usage.model_fields),
        instead={"pause": "stop"},
    ),
    samples=SAMPLES,
    oracle=ORACLE,
    noise=Noise(
        harmless={
            **TRANSPORT,
            **EVENT_STREAM,
            "obfuscation": (
                "https://developers.openai.com/api/reference/resources/responses: "
                "include_obfuscation"
            ),
        },
        harmful={
            "pings": "OpenAI sends none; its SDK makes a chunk without choices of one",
            "keepalives": _NO_TYPES,
            "unknown_events": _NO_TYPES,
        },
    ),
)
