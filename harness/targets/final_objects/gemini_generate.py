"""Gemini's ``Content`` objects: https://ai.google.dev/api/caching#Content."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from harness.model import Media, Reasoning, ServerTool, Text
from harness.protocols.paths import get
from harness.targets.final_objects.common import EMPTY, tool_call, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model import Part, ToolCall


def of_parts(parts: Iterable[Any]) -> tuple[Part, ...]:
    """Return ``Part`` objects, one for one; one that holds nothing is no part."""
    return tuple(part for part in map(_part, parts) if part not in EMPTY)


def function_call(call: Any, signature: str | None = None) -> ToolCall:
    """Return a ``FunctionCall``: its arguments come as an object, and None is none."""
    arguments = get(call, "args")
    text = "" if arguments is None else written(arguments)
    whole = not get(call, "will_continue")
    return tool_call(get(call, "id"), get(call, "name"), text, whole=whole, signature=signature)


def _part(part: Any) -> Part:
    signature = _base64(get(part, "thought_signature"))
    if get(part, "function_call") is not None:
        return function_call(part.function_call, signature)
    if get(part, "inline_data") is not None:
        data = _base64(get(part, "inline_data.data"))
        return Media(media_type=get(part, "inline_data.mime_type"), data=data)
    if get(part, "text") is not None or signature is not None:
        text = get(part, "text") or ""
        prose = Reasoning if get(part, "thought") else Text
        return prose(text=text, signature=signature)
    held = part.model_dump(mode="json", exclude_none=True)
    return ServerTool(name=next(iter(held)), data=held) if held else Text(text="")


def _base64(data: bytes | None) -> str | None:
    """Return bytes as the wire writes them."""
    return None if data is None else base64.b64encode(data).decode("ascii")
