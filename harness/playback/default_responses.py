"""Responses to requests that match no script: what this server is, and how to address it.

Rule of this file: each is an ordinary script, so both transports send it the same way.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Collection

_NAMED = 5  # keys listed in a message; more would hide the advice behind them
_JSON = (("content-type", "application/json"),)
_TEXT = (("content-type", "text/plain; charset=utf-8"),)
_ADDRESS = "use BASE_URL/KEY as the provider's base URL, e.g. POST /KEY/v1/chat/completions"


def index(keys: Collection[str]) -> Script:
    """Return the response to ``/``: one line that names this server and its keys."""
    line = f"llm-stream-harness replay: {_list(keys)}; {_ADDRESS}\n"
    return Script((line.encode(),), headers=_TEXT)


def not_found(path: str, keys: Collection[str]) -> Script:
    """Return the response to a path that begins with no registered key."""
    return _error(404, "not_found_error", f"no key begins {path!r}: {_list(keys)}; {_ADDRESS}")


def bad_request(reason: str, status: int) -> Script:
    """Return the response to bytes that are not an HTTP request."""
    return _error(status, "invalid_request_error", f"not an HTTP/1.1 request: {reason}")


def _error(status: int, kind: str, message: str) -> Script:
    body = json.dumps({"error": {"type": kind, "message": message}})
    return Script((body.encode(),), status=status, headers=_JSON)


def _list(keys: Collection[str]) -> str:
    if not keys:
        return "no keys are registered"
    more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
    return f"registered keys are {', '.join(islice(keys, _NAMED))}{more}"
