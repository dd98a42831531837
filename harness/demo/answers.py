"""What is answered where no stream is: values as JSON, refusals with a status of their own.

Rule of this file: every refusal before the first byte has its row; the first class that fits
counts, so the special ones stand above the general. The body is OpenAI's, so its SDK can read it.
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
    """There is nothing of that name."""


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
_OUR_FAULT = 500
_log = logging.getLogger(__name__)


def answered(value: object, status: int = 200, **headers: str) -> Response:
    """Return a value as JSON, in ASCII: half of a surrogate pair has no bytes in UTF-8."""
    return Response(json.dumps(value), status, headers, media_type="application/json")


async def refused(_: Request, error: Exception) -> Response:
    """Answer a request that cannot be met."""
    status, kind = next(
        (status, kind) for known, status, kind in STATUSES if isinstance(error, known)
    )
    words = str(error) or type(error).__name__
    if status == _OUR_FAULT:
        _log.error("a request failed: %s: %s", type(error).__name__, words)
    about = {"type": kind, "message": words, "param": None, "code": None}
    return answered({"error": about}, status)
