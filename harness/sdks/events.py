"""An SDK's events as JSON: their classes, their fields, unknown fields, and the exception raised.

No SDK is known here, only what pydantic gives every model. Fields that came over the wire are
included, defaults that the SDK filled in are not. The key ``!`` is a model's class; the key ``?``
lists the fields that its class does not know.
"""

from __future__ import annotations

import base64
from enum import Enum
from typing import TYPE_CHECKING, Any

from harness.sdks import open_stream

if TYPE_CHECKING:
    from harness.model import JSON
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients

CLASS, UNKNOWN = "!", "?"


async def read_events(clients: SdkClients, call: SdkCall) -> dict[str, JSON]:
    """Return a call's stream as ``{"events": […]}``, with ``"raised"`` if the SDK raised."""
    events: list[JSON] = []
    try:
        stream = await open_stream(clients, call)
        try:
            async for event in stream:
                events.append(to_json(event))  # noqa: PERF401 - events before an exception count
        finally:
            await (stream.aclose() if hasattr(stream, "aclose") else stream.close())
    except Exception as error:  # noqa: BLE001 - what an SDK raises is a part of the result
        return {"events": events, "raised": describe_exception(error)}
    return {"events": events}


def describe_exception(error: BaseException) -> dict[str, str]:
    """Return an exception as ``{"type": …, "message": …}``."""
    return {"type": type(error).__name__, "message": str(error)}


def to_json(value: Any) -> JSON:
    """Return a value as JSON that names the class of every model in it."""
    known = getattr(type(value), "model_fields", None)
    if known is not None:
        return _model(value, known)
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> JSON:
    if isinstance(value, Enum):
        return _scalar(value.value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return f"{type(value).__name__} {value}"


def _model(model: Any, known: Any) -> dict[str, JSON]:
    result: dict[str, JSON] = {CLASS: type(model).__name__}
    extra = getattr(model, "model_extra", None) or {}
    if extra:
        result[UNKNOWN] = sorted(extra)
    given = model.model_fields_set
    for name, value in {**vars(model), **extra}.items():
        if name in extra or (name in given and name in known):
            result[name] = to_json(value)
    return result
