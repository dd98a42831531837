"""The streaming interface of OpenAI Responses."""

from harness.streaming.interfaces.openai_responses.interface import (
    OpenAIResponsesInterface as Interface,
)

__all__ = ["Interface"]
