"""OpenAI Chat Completions, first party, Azure and every compatible server."""

from __future__ import annotations

from harness.protocols.openai_chat.encode import encode
from harness.protocols.openai_chat.grammar import GRAMMAR, read
from harness.protocols.openai_chat.skeletons import MODEL, ChatComposer
from harness.protocols.openai_chat.vocabulary import (
    DELTA,
    FINISH,
    USAGE,
    VENDOR_USAGE,
)
from harness.protocols.openai_chat.whole import response_body
from harness.protocols.protocol import Protocol

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
            "object": "always chat.completion.chunk; servers that write another word mean the same",
            "obfuscation": "padding against eavesdropping, without meaning",
            "moderation": "a verdict beside the answer; no part of what the model said",
            "service_tier": "a price class",
            "system_fingerprint": "which backend answered",
        },
        "role": {
            "developer": "instructions of a request; an answer never speaks as one",
            "system": "instructions of a request, under their older name",
            "user": "what the person said",
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
)
