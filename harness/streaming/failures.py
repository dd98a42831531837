"""What went wrong, in neutral words: an exception or a provider's error object -> ErrorInfo.

Rules of this file: exceptions are known by the words of their class names and by plain attributes
(``status_code``, ``code``, ``body``), so no SDK is imported and every version is understood; each
mapping is a table; the provider's own code and message are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import ProtocolError, StreamError
from harness.model import ErrorInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import ErrorKind

# Kinds after which the same request may succeed later; a quota that is used up is the exception.
RETRYABLE: frozenset[ErrorKind] = frozenset(
    {"rate_limit", "overloaded", "server", "connection", "timeout", "truncated"}
)

# https://developers.openai.com/api/docs/guides/error-codes
# https://docs.claude.com/en/api/errors
# https://ai.google.dev/gemini-api/docs/troubleshooting
STATUS: Mapping[int, ErrorKind] = {
    400: "bad_request",
    401: "authentication",
    402: "rate_limit",
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "bad_request",
    413: "context_overflow",
    422: "bad_request",
    429: "rate_limit",
    500: "server",
    502: "server",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

# Error codes and types as the providers and their imitators write them, in lower case.
CODES: Mapping[str, ErrorKind] = {
    # OpenAI: https://developers.openai.com/api/docs/guides/error-codes
    "context_length_exceeded": "context_overflow",
    "string_above_max_length": "context_overflow",
    "rate_limit_exceeded": "rate_limit",
    "insufficient_quota": "rate_limit",
    "server_error": "server",
    "invalid_api_key": "authentication",
    "invalid_prompt": "bad_request",
    "content_filter": "content_policy",
    "content_policy_violation": "content_policy",
    "model_not_found": "not_found",
    "invalid_request_error": "bad_request",
    # The codes of a failed response:
    # https://developers.openai.com/api/reference/resources/responses (error.code)
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
    # Groq: https://console.groq.com/docs/tool-use
    "tool_use_failed": "bad_request",
    # Anthropic: https://docs.claude.com/en/api/errors
    "authentication_error": "authentication",
    "billing_error": "permission",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "request_too_large": "context_overflow",
    "rate_limit_error": "rate_limit",
    "api_error": "server",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
    # Google: https://cloud.google.com/apis/design/errors
    "invalid_argument": "bad_request",
    "failed_precondition": "bad_request",
    "unauthenticated": "authentication",
    "permission_denied": "permission",
    "not_found": "not_found",
    "resource_exhausted": "rate_limit",
    "internal": "server",
    "unavailable": "overloaded",
    "deadline_exceeded": "timeout",
    "cancelled": "server",
    # https://ai.google.dev/api/generate-content#FinishReason
    "malformed_function_call": "protocol",
    "unexpected_tool_call": "protocol",
}

# A code that says no retry will help, whatever its kind says (catalogue OR-011).
FINAL_CODES = frozenset({"insufficient_quota", "cancelled"})

# Sentences by which providers report a prompt that does not fit, where the code does not say so.
OVERFLOW_WORDS = (
    "context length",
    "context window",
    "prompt is too long",
    "input token count",
    "maximum number of tokens",
)

# Words in the class names of SDK and HTTP library exceptions, most telling first.
CLASSES: tuple[tuple[str, ErrorKind], ...] = (
    ("Timeout", "timeout"),
    ("Connect", "connection"),
    ("ReadError", "connection"),
    ("WriteError", "connection"),
    ("RemoteProtocolError", "connection"),
    ("ClientPayloadError", "connection"),
    ("ServerDisconnected", "connection"),
    ("JSONDecodeError", "protocol"),
    ("UnicodeDecodeError", "protocol"),
    ("UnknownApiResponse", "protocol"),
    ("ValidationError", "protocol"),
)


def info_of(
    kind: ErrorKind | None = None,
    *,
    code: object = None,
    message: object = None,
    status: object = None,
) -> ErrorInfo:
    """Name a provider's error.

    Args:
        kind: the kind, where the caller knows it; otherwise the tables decide.
        code: the provider's own code or type.
        message: the provider's own words.
        status: the HTTP status, or the number a provider writes in its place.
    """
    words = str(message or "")
    code_word = None if code is None else str(code)
    found = kind or _kind_of(code_word, words, status)
    final = code_word is not None and code_word.lower() in FINAL_CODES
    return ErrorInfo(
        kind=found, code=code_word, message=words, retryable=found in RETRYABLE and not final
    )


def _kind_of(code: str | None, message: str, status: object) -> ErrorKind:
    lowered = message.lower()
    known = CODES.get((code or "").lower())
    vague = known in {None, "bad_request", "server"}
    if vague and any(words in lowered for words in OVERFLOW_WORDS):
        return "context_overflow"
    if known is not None and not vague:
        return known
    number = _number(status) or _number(code)
    return STATUS.get(number, known or _by_century(number))


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 0


def _by_century(status: int) -> ErrorKind:
    return {4: "bad_request", 5: "server"}.get(status // 100, "unknown")  # type: ignore[return-value]  # a literal table


def classify(error: BaseException) -> ErrorInfo:
    """Name what an exception means; one that already carries its ErrorInfo is taken at its word."""
    if isinstance(error, StreamError):
        return error.info
    body = _error_object(getattr(error, "body", None) or getattr(error, "details", None))
    status = body.get("status_code", _status(error))
    if body or status:
        code = _first(body, "code", "type", "status") or getattr(error, "code", None)
        message = body.get("message") or getattr(error, "message", None) or str(error)
        return _with_status_words(body, code, message, status)
    kind = _by_class(error)
    if kind is None:
        return info_of(code=getattr(error, "code", None), message=str(error) or repr(error))
    return info_of(kind, message=str(error) or type(error).__name__)


def _with_status_words(
    body: Mapping[str, Any], code: object, message: object, status: object
) -> ErrorInfo:
    """Prefer the most telling of an error object's words: code, then type, then status."""
    for word in ("code", "type", "status"):
        value = body.get(word)
        if isinstance(value, str) and value.lower() in CODES:
            return info_of(code=value, message=message, status=status)
    return info_of(code=code, message=message, status=status)


def error_info(body: object) -> ErrorInfo:
    """Name a provider's error object, as it stands in an event: ``{code, type, message …}``."""
    found = _error_object(body)
    code = _first(found, "code", "type", "status")
    return _with_status_words(found, code, found.get("message"), found.get("status_code"))


def truncated(cause: str) -> ErrorInfo:
    """Name a stream that ended without the provider's terminal."""
    return info_of("truncated", message=cause)


def protocol_error(message: str) -> ProtocolError:
    """Return the error for an event that contradicts what was opened before it."""
    return ProtocolError(info_of("protocol", message=message))


def _error_object(body: object) -> dict[str, Any]:
    """Find the error object in a body: providers nest it once, twice or not at all."""
    for _ in range(3):
        if isinstance(body, list) and body:
            body = body[0]
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            body = body["error"]
    if isinstance(body, dict):
        return body
    words = ("code", "type", "status", "message")
    found = {word: getattr(body, word, None) for word in words}
    return {word: value for word, value in found.items() if value is not None}


def _first(body: Mapping[str, Any], *words: str) -> Any:
    return next((body[word] for word in words if body.get(word) is not None), None)


def _status(error: BaseException) -> int:
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and value != 200:  # noqa: PLR2004 - an error inside a 200 stream has no status of its own
            return value
    return 0


def _by_class(error: BaseException) -> ErrorKind | None:
    names = [cls.__name__ for cause in _causes(error) for cls in type(cause).__mro__]
    for word, kind in CLASSES:
        if any(word in name for name in names):
            return kind
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from: SDKs wrap the HTTP library's own."""
    cause: BaseException | None = error
    for _ in range(4):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__
