"""Responses without a stream: values as JSON, and errors with their HTTP status.

Rule of this file: every error before the first byte has a row; the first matching class counts, so
subclasses come before their bases. The body has the form of OpenAI's errors, so its SDK reads it.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from starlette.responses import Response

from harness.errors import ConversationBusyError, InputError, UnknownWordError
from harness.streaming.serving import PendingApprovalError
from harness.streaming.serving.background import (
    BackgroundError,
    RedisUnavailableError,
    RunTakenError,
    RunUnknownError,
)
from harness.streaming.serving.runs.store import RunExistsError

if TYPE_CHECKING:
    from starlette.requests import Request


class NotFoundError(InputError):
    """Nothing has that name."""


STATUSES: tuple[tuple[type[Exception], int, str], ...] = (
    (ConversationBusyError, 409, "conversation_busy"),
    (PendingApprovalError, 409, "pending_approval"),
    (RunExistsError, 409, "run_exists"),
    (RunTakenError, 409, "run_exists"),
    (RunUnknownError, 404, "run_unknown"),
    (RedisUnavailableError, 503, "redis_away"),
    (BackgroundError, 503, "redis_failed"),
    (NotFoundError, 404, "not_found"),
    (UnknownWordError, 404, "unknown_word"),
    (InputError, 400, "bad_request"),
    (Exception, 500, "internal_error"),
)
_INTERNAL_ERROR = 500
_log = logging.getLogger(__name__)


def json_response(value: object, status: int = 200, **headers: str) -> Response:
    """Return a value as JSON, in ASCII: half of a surrogate pair cannot be encoded in UTF-8."""
    return Response(json.dumps(value), status, headers, media_type="application/json")


async def error_response(_: Request, error: Exception) -> Response:
    """Return the response for an exception."""
    status, kind = next(
        (status, kind) for row_type, status, kind in STATUSES if isinstance(error, row_type)
    )
    message = str(error) or type(error).__name__
    if status == _INTERNAL_ERROR:
        _log.error("a request failed: %s: %s", type(error).__name__, message)
    body = {"type": kind, "message": message, "param": None, "code": None}
    return json_response({"error": body}, status)
