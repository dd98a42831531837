"""An SDK's events as it hands them over: classes, fields, what it did not know, what it raised.

Rules of this file: no SDK is known here, only what pydantic gives each model; what came over the
wire is dumped, never a default the SDK filled in; ``!`` is a model's class, ``?`` lists the fields
its class does not know.
"""

from __future__ import annotations

import base64
from enum import Enum
from typing import TYPE_CHECKING, Any

from harness.targets.opening import open_stream

if TYPE_CHECKING:
    from harness.model import JSON
    from harness.targets.base import Call
    from harness.targets.clients import Clients

CLASS, UNKNOWN = "!", "?"


async def observe(clients: Clients, call: Call) -> dict[str, JSON]:
    """Return every event of a call's stream, typed, and what was raised where something was."""
    events: list[JSON] = []
    try:
        stream = await open_stream(clients, call)
        try:
            async for event in stream:
                events.append(typed(event))  # noqa: PERF401 - those before an exception count
        finally:
            await (stream.aclose() if hasattr(stream, "aclose") else stream.close())
    except Exception as error:  # noqa: BLE001 - what an SDK raises is what is observed
        return {"events": events, "raised": raised(error)}
    return {"events": events}


def raised(error: BaseException) -> dict[str, str]:
    """Return an exception as the class its users catch and the words they log."""
    return {"type": type(error).__name__, "message": str(error)}


def typed(value: Any) -> JSON:
    """Return a value as JSON that still says of which class each model is."""
    known = getattr(type(value), "model_fields", None)
    if known is not None:
        return _model(value, known)
    if isinstance(value, dict):
        return {str(key): typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [typed(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> JSON:
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return f"{type(value).__name__} {value}"


def _model(model: Any, known: Any) -> dict[str, JSON]:
    said: dict[str, JSON] = {CLASS: type(model).__name__}
    extra = getattr(model, "model_extra", None) or {}
    if extra:
        said[UNKNOWN] = sorted(extra)
    given = model.model_fields_set
    for name, value in {**vars(model), **extra}.items():
        if name in extra or (name in given and name in known):
            said[name] = typed(value)
    return said
