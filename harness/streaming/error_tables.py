"""The status codes, error codes and exception names of providers and HTTP libraries, by kind.

Rule of this file: tables only, each with the document it follows. An error code is more specific
than an HTTP status, which counts where there is no code or only a vague one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import ErrorKind

# Kinds after which the same request may succeed later, except for FINAL_CODES and FINAL_STATUS.
RETRYABLE: frozenset[ErrorKind] = frozenset(
    {"rate_limit", "overloaded", "server", "connection", "timeout", "truncated"}
)

# https://developers.openai.com/api/docs/guides/error-codes
# https://docs.claude.com/en/api/errors
# https://ai.google.dev/gemini-api/docs/generate-content/api-errors
# https://openrouter.ai/docs/api/reference/errors-and-debugging
STATUS: Mapping[int, ErrorKind] = {
    400: "bad_request",
    401: "authentication",
    402: "rate_limit",  # no credit; see FINAL_STATUS
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "server",  # a lock or conflict: both SDKs retry it (_should_retry)
    413: "context_overflow",  # too many bytes; the remedy is the same
    422: "bad_request",
    429: "rate_limit",
    498: "overloaded",  # https://console.groq.com/docs/flex-processing
    499: "server",  # the client closed the request; see FINAL_STATUS
    500: "server",
    501: "bad_request",  # RFC 9110, 15.6.2: not supported
    502: "server",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

# The kind of any other status, by its first digit (RFC 9110, 15).
STATUS_CLASS: Mapping[int, ErrorKind] = {4: "bad_request", 5: "server"}

# Error codes and types of providers and compatible servers, in lower case.
CODES: Mapping[str, ErrorKind] = {
    # OpenAI: https://developers.openai.com/api/docs/guides/error-codes
    "context_length_exceeded": "context_overflow",
    "rate_limit_exceeded": "rate_limit",
    "slow_down": "rate_limit",
    "insufficient_quota": "rate_limit",
    "credit_balance_exhausted": "rate_limit",
    "organization_spend_limit_exceeded": "rate_limit",
    "organization_usage_limit_exceeded": "rate_limit",
    "project_spend_limit_exceeded": "rate_limit",
    "server_error": "server",
    "server_is_overloaded": "overloaded",
    "service_unavailable_error": "overloaded",
    "invalid_api_key": "authentication",
    "content_filter": "content_policy",
    "content_policy_violation": "content_policy",
    "model_not_found": "not_found",
    "invalid_request_error": "bad_request",
    # The string may be a tool's description or an id: not an overflow by itself.
    "string_above_max_length": "bad_request",
    # The codes of a failed response:
    # https://developers.openai.com/api/reference/resources/responses (error.code)
    "invalid_prompt": "bad_request",
    "bio_policy": "content_policy",
    "image_content_policy_violation": "content_policy",
    "misalignment_policy_violation": "content_policy",
    "data_residency_mismatch": "bad_request",
    "empty_image_file": "bad_request",
    "failed_to_download_image": "bad_request",
    "image_file_not_found": "bad_request",
    "image_file_too_large": "bad_request",
    "image_parse_error": "bad_request",
    "image_too_large": "bad_request",
    "image_too_small": "bad_request",
    "invalid_base64_image": "bad_request",
    "invalid_image": "bad_request",
    "invalid_image_format": "bad_request",
    "invalid_image_mode": "bad_request",
    "invalid_image_url": "bad_request",
    "unsupported_image_media_type": "bad_request",
    "vector_store_timeout": "timeout",
    # Groq: https://console.groq.com/docs/tool-use, https://console.groq.com/docs/flex-processing
    "tool_use_failed": "bad_request",
    "capacity_exceeded": "overloaded",
    # llama.cpp: https://github.com/ggml-org/llama.cpp/tree/master/tools/server
    "exceed_context_size_error": "context_overflow",
    # Anthropic: https://docs.claude.com/en/api/errors
    "authentication_error": "authentication",
    "billing_error": "rate_limit",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "conflict_error": "server",
    "request_too_large": "context_overflow",
    "rate_limit_error": "rate_limit",
    "api_error": "server",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
    # Its ``details.error_code``, which names the cause (anthropic.types.shared.ErrorDetails)
    "contract_spend_limit_reached": "rate_limit",
    "enforced_spend_limit_reached": "rate_limit",
    "linked_organization_spend_limit_reached": "rate_limit",
    # Google: https://cloud.google.com/video-intelligence/docs/reference/rest/Shared.Types/Code
    "cancelled": "server",
    "unknown": "server",
    "invalid_argument": "bad_request",
    "deadline_exceeded": "timeout",
    "not_found": "not_found",
    "already_exists": "bad_request",
    "permission_denied": "permission",
    "unauthenticated": "authentication",
    "resource_exhausted": "rate_limit",
    "failed_precondition": "bad_request",
    "aborted": "server",
    "out_of_range": "bad_request",
    "unimplemented": "bad_request",
    "internal": "server",
    "unavailable": "overloaded",
    "data_loss": "server",
    # https://ai.google.dev/api/generate-content#FinishReason
    "malformed_function_call": "protocol",
    "unexpected_tool_call": "protocol",
}

# Codes that are never retryable, whatever their kind: there is no credit (catalogue OR-011;
# https://help.openai.com/en/articles/6614457), or the request was cancelled.
FINAL_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "project_spend_limit_exceeded",
        "billing_error",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "cancelled",
    }
)
FINAL_STATUS = frozenset({402, 499})

# Kinds of unspecific codes: the message or the HTTP status may be more specific.
VAGUE: frozenset[ErrorKind] = frozenset({"bad_request", "server"})

# Phrases in messages about a prompt that is too long, where the code does not say so.
OVERFLOW_PHRASES = (
    "context length",  # OpenAI, DeepSeek, vLLM: this model's maximum context length is …
    "context window",  # OpenAI: your input exceeds the context window of this model
    "context limit",  # Anthropic: input length and max_tokens exceed context limit
    "prompt is too long",  # Anthropic
    "input token count",  # Google: … exceeds the maximum number of tokens allowed
)

# Parts of the class names of SDK and HTTP exceptions and their bases, most specific first.
EXCEPTION_NAMES: tuple[tuple[str, ErrorKind], ...] = (
    ("Timeout", "timeout"),
    ("Connect", "connection"),
    ("NetworkError", "connection"),  # httpx2: the base of ReadError and WriteError
    ("RemoteProtocolError", "connection"),  # httpx2: the peer closed without the last chunk
    ("IncompleteRead", "connection"),  # asyncio, http.client
    ("ClientPayloadError", "connection"),  # aiohttp
    ("JSONDecodeError", "protocol"),
    ("UnicodeDecodeError", "protocol"),
    ("UnknownApiResponse", "protocol"),  # google-genai
    ("ValidationError", "protocol"),
    ("WireError", "protocol"),  # our own readers
)
