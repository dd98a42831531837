"""Classifies errors: an exception or a provider's error object -> ``ErrorInfo``.

Rules of this file: exceptions are recognised by their class names and plain attributes
(``status_code``, ``code``, ``body``), so no SDK is imported and every version is supported; the
tables are in ``error_tables``; the provider's own code and message are kept.
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
    CODES,
    EXCEPTION_NAMES,
    FINAL_CODES,
    FINAL_STATUS,
    OVERFLOW_PHRASES,
    RETRYABLE,
    STATUS,
    STATUS_CLASS,
    VAGUE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import ErrorKind

# The exception class that callers catch, by kind of error.
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


# The fields of an error object that may hold a code, most specific first: Anthropic's cause,
# OpenAI's code, the type that all have, Google's status. Groq adds an HTTP status.
_CODE_FIELDS = ("details.error_code", "code", "type", "status")
_FIELDS = ("code", "type", "status", "message", "status_code", "details")
_ERROR_STATUS = re.compile(r"[45]\d\d", re.ASCII)


def info_of(
    kind: ErrorKind | None = None,
    *,
    code: object = None,
    message: object = None,
    status: object = None,
) -> ErrorInfo:
    """Classify a provider's error.

    Args:
        kind: the kind, where the caller knows it; otherwise the tables decide.
        code: the provider's own code or type.
        message: the provider's own message.
        status: the HTTP status; where it is not an error status, ``code`` may be one.
    """
    number = _status(status) or _status(code)
    code_text = None if code is None else str(code)
    text = "" if message is None else str(message)
    kind = kind or _kind_of(code_text, text, number)
    final = number in FINAL_STATUS or (code_text or "").lower() in FINAL_CODES
    retryable = kind in RETRYABLE and not final
    return ErrorInfo(kind=kind, code=code_text, message=text, retryable=retryable)


def _kind_of(code: str | None, message: str, status: int) -> ErrorKind:
    known = CODES.get((code or "").lower())
    if known is not None and known not in VAGUE:
        return known
    lowered = message.lower()
    if any(phrase in lowered for phrase in OVERFLOW_PHRASES):
        return "context_overflow"
    return STATUS.get(status) or known or STATUS_CLASS.get(status // 100, "unknown")


def _status(value: object) -> int:
    """Return the HTTP status of an error, or 0: an error inside a 200 has none."""
    return int(str(value)) if _ERROR_STATUS.fullmatch(str(value)) else 0


def error_info(body: object) -> ErrorInfo:
    """Classify a provider's error object in an event: ``{code, type, message …}``."""
    return _info_of_object(_error_object(body))


def classify(error: BaseException) -> ErrorInfo:
    """Classify an exception; one that carries an ErrorInfo already keeps it."""
    if isinstance(error, StreamError):
        return error.info
    fields: dict[str, Any] = {
        "code": getattr(error, "code", None),
        "message": getattr(error, "message", None) or str(error) or type(error).__name__,
        "status_code": getattr(error, "status_code", None),
    }
    body = _error_object(getattr(error, "body", None) or getattr(error, "details", None))
    fields.update((field, value) for field, value in body.items() if value)
    return _info_of_object(fields, _kind_by_class(error))


def _info_of_object(body: Mapping[str, Any], kind: ErrorKind | None = None) -> ErrorInfo:
    """Classify an error object by its most specific code that is in a table."""
    values = (get(body, path) for path in _CODE_FIELDS)
    codes = [code for code in values if isinstance(code, str | int)]
    known = (code for code in codes if str(code).lower() in CODES)
    statuses = (_status(body.get(field)) for field in ("status_code", "code"))
    return info_of(
        kind,
        code=next(known, next(iter(codes), None)),
        message=body.get("message"),
        status=next(filter(None, statuses), None),
    )


def llm_error(error: Exception) -> LLMError:
    """Return the member of the LLMError family for an exception, which is its ``__cause__``.

    A member of the family is returned unchanged, never wrapped again (defect D54).
    """
    if isinstance(error, LLMError):
        return error
    info = classify(error)
    mapped = LLM_ERRORS[info.kind](info)
    mapped.__cause__ = error
    return mapped


def truncated(cause: str) -> ErrorInfo:
    """Return the error of a stream that ended without the provider's terminal event."""
    return info_of("truncated", message=cause)


def protocol_error(message: str) -> ProtocolError:
    """Return the exception for an event that contradicts an earlier one."""
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
    for part, kind in EXCEPTION_NAMES:
        if any(part in name for name in names):
            return kind
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes: SDKs wrap the exceptions of the HTTP library."""
    cause: BaseException | None = error
    for _ in range(4):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__
