"""One streaming interface a protocol; base.py holds what they share."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from harness.errors import UnknownWordError

if TYPE_CHECKING:
    from harness.streaming.interfaces.base import StreamingInterface

_CLASSES = {
    "openai_responses": "OpenAIResponsesInterface",
    "openai_chat": "OpenAIChatInterface",
    "anthropic_messages": "AnthropicMessagesInterface",
    "gemini_generate": "GeminiGenerateInterface",
}


def interface_for(protocol: str) -> type[StreamingInterface]:
    """Return the interface class of a protocol.

    Raises:
        UnknownWordError: no interface speaks that protocol.
    """
    if protocol not in _CLASSES:
        raise UnknownWordError("protocol", protocol, _CLASSES)
    module = import_module(f"harness.streaming.interfaces.{protocol}.interface")
    found: type[StreamingInterface] = getattr(module, _CLASSES[protocol])
    return found
