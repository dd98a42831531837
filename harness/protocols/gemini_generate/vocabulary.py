"""The vocabulary of Gemini's streamGenerateContent; each word is in one table.

https://ai.google.dev/api/generate-content (response, candidate, finish reasons, usage)
https://ai.google.dev/api/caching#Part (parts)

Fields are named as Google's protos name them, which is how its SDKs spell their attributes;
``json_name`` returns the name on the wire. A word that means something to ``read``, ``encode`` or
the interface is here, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import ErrorKind, FinishReason


# Finish reasons that are failures: their kind, and whether the same request may succeed later.
# A call the model garbled is a matter of sampling (catalogue GE-009); a signature the request
# lacks, or an account that is closed, stays so. The words: FinishReason, at the URL above.
FAILURES: Mapping[str, tuple[ErrorKind, bool]] = {
    "MALFORMED_FUNCTION_CALL": ("protocol", True),
    "UNEXPECTED_TOOL_CALL": ("protocol", True),
    "TOO_MANY_TOOL_CALLS": ("protocol", True),
    "MALFORMED_RESPONSE": ("protocol", True),
    "NO_IMAGE": ("protocol", True),
    "MISSING_THOUGHT_SIGNATURE": ("bad_request", False),
    "PUP_LIMITED_DISABLED": ("permission", False),
}

# https://ai.google.dev/api/generate-content#FinishReason
# https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse
FINISH: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "pause",  # not done: a continuation token asks for the rest
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "IMAGE_OTHER": "content_filter",
    "OTHER": "unknown",  # "unknown reason" in Google's documents
    "FINISH_REASON_UNSPECIFIED": "unknown",
    **dict.fromkeys(FAILURES, "error"),
}

# The proto's default value: it means that the model has *not* finished.
UNFINISHED = "FINISH_REASON_UNSPECIFIED"

# Clients that ask for ``enum-encoding=int`` get numbers; the protos of Gemini and Vertex agree on
# these and on no others.
# https://github.com/googleapis/googleapis/blob/master/google/ai/generativelanguage/v1beta/generative_service.proto
NUMBERS: Mapping[int, str] = dict(
    enumerate((UNFINISHED, "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"))
)

# Why a prompt was refused before any candidate: https://ai.google.dev/api/generate-content#BlockReason
BLOCKED: Mapping[str, FinishReason] = dict.fromkeys(
    (
        "BLOCKED_REASON_UNSPECIFIED",
        "SAFETY",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "IMAGE_SAFETY",
        "MODEL_ARMOR",
        "JAILBREAK",
    ),
    "content_filter",
)

# Our usage field -> the provider's. The total is the sum of prompt, tool-use prompt, candidates and
# thoughts; cached tokens are inside the prompt; results of the provider's own tools are "provided
# back to the model as input". So tool-use prompt is added to the input, thoughts to the output.
# https://ai.google.dev/api/generate-content#UsageMetadata
USAGE: Mapping[str, str] = {
    "input": "prompt_token_count",
    "cached": "cached_content_token_count",
    "output": "candidates_token_count",
    "reasoning": "thoughts_token_count",
    "total": "total_token_count",
}
TOOL_USE_PROMPT = "tool_use_prompt_token_count"

# What a part can be: exactly one of these is set. https://ai.google.dev/api/caching#Part
DATA = (
    "text",
    "function_call",
    "executable_code",
    "code_execution_result",
    "inline_data",
    "file_data",
    "tool_call",
    "tool_response",
)
# What may stand beside it.
BESIDE = ("thought", "thought_signature")

RESPONSE = ("candidates", "usage_metadata", "prompt_feedback", "model_version", "response_id")
CANDIDATE = ("content", "finish_reason", "finish_message", "index", "citation_metadata")
