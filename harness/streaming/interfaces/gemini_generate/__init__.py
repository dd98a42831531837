"""The streaming interface of Gemini generateContent."""

from harness.streaming.interfaces.gemini_generate.interface import (
    GeminiGenerateInterface as Interface,
)

__all__ = ["Interface"]
