"""The streaming interface of Anthropic Messages."""

from harness.streaming.interfaces.anthropic_messages.interface import (
    AnthropicMessagesInterface as Interface,
)

__all__ = ["Interface"]
