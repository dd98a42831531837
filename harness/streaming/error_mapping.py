"""What went wrong, in neutral words: an exception or a provider's error object -> ErrorInfo.

Rules of this file: exceptions are known by the words of their class names and by plain attributes
(``status_code``, ``code``, ``body``), so no SDK is imported and every version is understood; what
a word means stands in ``failure_words``; the provider's own code and message are kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.errors import (
    ContextOverflowError,
    LLMAuthenticationError,
    LLMBadRequestError,
    LLMConnectionError,
    LLMContentPolicyError,
    LLMError,
    LLMNotFoundError,
    LLMOverloadedError,
    LLMPermissionError,
    LLMProtocolError,
    LLMRateLimitError,
    LLMServerError,
    LLMTimeoutError,
    LLMTruncatedError,
    LLMUnknownError,
    ProtocolError,
    StreamError,
)
from harness.model import ErrorInfo
from harness.protocols.paths import get
from harness.streaming.error_tables import (
    CLASSES,
    CODES,
    FINAL_CODES,
    FINAL_STATUS,
    OVERFLOW_WORDS,
    RETRYABLE,
    STATUS,
    STATUS_CLASS,
    VAGUE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import ErrorKind

# What callers catch, for each kind of error.
LLM_ERRORS: Mapping[ErrorKind, type[LLMError]] = {
    "rate_limit": LLMRateLimitError,
    "overloaded": LLMOverloadedError,
    "authentication": LLMAuthenticationError,
    "permission": LLMPermissionError,
    "not_found": LLMNotFoundError,
    "bad_request": LLMBadRequestError,
    "context_overflow": ContextOverflowError,
    "content_policy": LLMContentPolicyError,
    "server": LLMServerError,
    "connection": LLMConnectionError,
    "timeout": LLMTimeoutError,
    "truncated": LLMTruncatedError,
    "protocol": LLMProtocolError,
    "unknown": LLMUnknownError,
}


# Where an error object says what it is about, most telling first: Anthropic's cause, OpenAI's code,
# everybody's type, Google's status. Groq writes an HTTP status into the object, too.
_TELLING = ("details.error_code", "code", "type", "status")
_FIELDS = ("code", "type", "status", "message", "status_code", "details")
_ERROR_STATUS = re.compile(r"[45]\d\d", re.ASCII)


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
        status: the HTTP status; where it is none of an error, ``code`` may be one.
    """
    number = _status(status) or _status(code)
    code_word = None if code is None else str(code)
    words = "" if message is None else str(message)
    found = kind or _kind_of(code_word, words, number)
    final = number in FINAL_STATUS or (code_word or "").lower() in FINAL_CODES
    return ErrorInfo(
        kind=found, code=code_word, message=words, retryable=found in RETRYABLE and not final
    )


def _kind_of(code: str | None, message: str, status: int) -> ErrorKind:
    known = CODES.get((code or "").lower())
    if known is not None and known not in VAGUE:
        return known
    lowered = message.lower()
    if any(words in lowered for words in OVERFLOW_WORDS):
        return "context_overflow"
    return STATUS.get(status) or known or STATUS_CLASS.get(status // 100, "unknown")


def _status(value: object) -> int:
    """Return an HTTP status that tells of an error, or 0: a failure inside a 200 has none."""
    return int(str(value)) if _ERROR_STATUS.fullmatch(str(value)) else 0


def error_info(body: object) -> ErrorInfo:
    """Name a provider's error object, as it stands in an event: ``{code, type, message …}``."""
    return _info_of_object(_error_object(body))


def classify(error: BaseException) -> ErrorInfo:
    """Name what an exception means; one that already carries its ErrorInfo is taken at its word."""
    if isinstance(error, StreamError):
        return error.info
    found: dict[str, Any] = {
        "code": getattr(error, "code", None),
        "message": getattr(error, "message", None) or str(error) or type(error).__name__,
        "status_code": getattr(error, "status_code", None),
    }
    body = _error_object(getattr(error, "body", None) or getattr(error, "details", None))
    found.update((field, value) for field, value in body.items() if value)
    return _info_of_object(found, _kind_by_class(error))


def _info_of_object(body: Mapping[str, Any], kind: ErrorKind | None = None) -> ErrorInfo:
    """Name an error object by its most telling word, where a table knows one."""
    words = [word for word in (get(body, path) for path in _TELLING) if isinstance(word, str | int)]
    known = (word for word in words if str(word).lower() in CODES)
    statuses = (_status(body.get(field)) for field in ("status_code", "code"))
    return info_of(
        kind,
        code=next(known, next(iter(words), None)),
        message=body.get("message"),
        status=next(filter(None, statuses), None),
    )


def llm_error(error: Exception) -> LLMError:
    """Return an exception as a member of the LLMError family, its ``__cause__``.

    One that is a member already is returned as it is, never wrapped again (defect D54).
    """
    if isinstance(error, LLMError):
        return error
    info = classify(error)
    mapped = LLM_ERRORS[info.kind](info)
    mapped.__cause__ = error
    return mapped


def truncated(cause: str) -> ErrorInfo:
    """Name a stream that ended without the provider's terminal."""
    return info_of("truncated", message=cause)


def protocol_error(message: str) -> ProtocolError:
    """Return the error for an event that contradicts what was opened before it."""
    return ProtocolError(info_of("protocol", message=message))


def _error_object(body: object) -> Mapping[str, Any]:
    """Find the error object in a body: providers nest it once, twice or not at all."""
    for _ in range(2):
        if isinstance(body, list) and body:
            body = body[0]
        if isinstance(body, dict) and isinstance(body.get("error"), dict | str):
            body = body["error"]
    if isinstance(body, dict):
        return body
    if isinstance(body, str):
        return {"message": body}
    found = {field: getattr(body, field, None) for field in _FIELDS}
    return {field: value for field, value in found.items() if value is not None}


def _kind_by_class(error: BaseException) -> ErrorKind | None:
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
