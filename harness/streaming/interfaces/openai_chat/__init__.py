"""The streaming interface of OpenAI Chat Completions."""

from harness.streaming.interfaces.openai_chat.interface import OpenAIChatInterface as Interface

__all__ = ["Interface"]
