"""Gemini streamGenerateContent, the Gemini API and Vertex AI."""

from __future__ import annotations

import re

from harness.model import Usage
from harness.protocols.gemini_generate.encode import encode, response_body
from harness.protocols.gemini_generate.generated import ORACLE, SAMPLES
from harness.protocols.gemini_generate.grammar import GRAMMAR, read
from harness.protocols.gemini_generate.skeletons import MODEL, GenerateComposer
from harness.protocols.gemini_generate.vocabulary import (
    BESIDE,
    BLOCKED,
    CANDIDATE,
    DATA,
    FINISH,
    RESPONSE,
    TOOL_USE_PROMPT,
    USAGE,
)
from harness.protocols.generated import TRANSPORT
from harness.protocols.protocol import (
    Detection,
    Endpoint,
    Expressible,
    Framing,
    Noise,
    Protocol,
)

_SDK = "google-genai raises UnknownApiResponseError on any line that is not `data: `"
_NO_TYPES = f"a response has no event type; {_SDK}"
_MEDIA = "describes media in the request; a model's answer has none"
_DETAILS = "the same count by modality; the sum is modelled"

PROTOCOL = Protocol(
    name="gemini_generate",
    grammar=GRAMMAR,
    read=read,
    composer=GenerateComposer,
    encode=encode,
    response_body=response_body,
    finish=FINISH,
    vocabulary={
        "response": frozenset(RESPONSE),
        "candidate": frozenset(CANDIDATE),
        "part": frozenset((*DATA, *BESIDE)),
        "finish": frozenset(FINISH),
        "block_reason": frozenset(BLOCKED),
        "usage": frozenset((*USAGE.values(), TOOL_USE_PROMPT)),
    },
    unmodelled={
        "response": {
            "create_time": "when the request reached the server; no content",
            "model_status": "announces the model's retirement; nothing about this response",
            "sdk_http_response": "the SDK's own copy of the HTTP headers",
            "parsed": "the SDK's own reading of a schema; never filled while streaming",
            "automatic_function_calling_history": "calls the SDK ran itself, with Python functions",
        },
        "candidate": {
            "token_count": "the count of one candidate; usage has the sum",
            "safety_ratings": "scores; what was blocked shows in the finish reason",
            "grounding_metadata": "sources and search hints for display; the text is the same",
            "url_context_metadata": "which pages a tool read; the text is the same",
            "avg_logprobs": "scores of the tokens; no content",
            "logprobs_result": "scores of the tokens; no content",
            "continuation_token": "the SDK follows it itself and yields the rest",
        },
        "part": {
            "function_response": "what a client answers to a call; a model never sends it",
            "video_metadata": _MEDIA,
            "media_resolution": _MEDIA,
            "media_processing": _MEDIA,
            "audio_metadata": _MEDIA,
            "document_metadata": _MEDIA,
            "spreadsheet_metadata": _MEDIA,
            "speech_metadata": "how a text is read aloud; part of a request",
            "part_metadata": "the client's own labels, echoed",
            "audio_transcription": "the transcript of audio that is kept itself, as media",
        },
        "usage": {
            "prompt_tokens_details": _DETAILS,
            "candidates_tokens_details": _DETAILS,
            "cache_tokens_details": _DETAILS,
            "tool_use_prompt_tokens_details": _DETAILS,
            "traffic_type": "a price class, no count of tokens",
        },
    },
    request={"model": MODEL, "contents": "Hello"},
    framing=Framing(line_end="\r\n", camel_case=True),
    detection=Detection(
        event=lambda data: not {"candidates", "usageMetadata"}.isdisjoint(data),
        path=re.compile(":streamGenerateContent$"),
    ),
    endpoint=Endpoint(
        "google_ai",
        "https://generativelanguage.googleapis.com/v1beta/models"
        "/unknown:streamGenerateContent?alt=sse",
        "https://ai.google.dev/api/generate-content",
        telemetry_names=frozenset({"gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai"}),
        operation="generate_content",
    ),
    expressible=Expressible(
        usage=frozenset(Usage.model_fields) - {"cache_write"},
        refusals=False,
        instead={"refusal": "stop"},
        arguments_as_text=False,  # `args` is an object
    ),
    samples=SAMPLES,
    oracle=ORACLE,
    noise=Noise(
        harmless=TRANSPORT,
        harmful={
            "comments": _SDK,
            "ids": _SDK,
            "no_space": _SDK,
            "pings": _NO_TYPES,
            "keepalives": _NO_TYPES,
            "unknown_events": _NO_TYPES,
            "obfuscation": "a field of OpenAI's; any other field is `unknown_fields`",
        },
    ),
)
