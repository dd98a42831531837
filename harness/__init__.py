"""Replay and conformance harness for LLM streaming.

``@harness.fuzz("openai_chat")`` above a streaming interface makes it one test per property.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.fuzzing.decorator import fuzz as fuzz

__all__ = ["fuzz"]

_EXPORTS = {"fuzz": "harness.fuzzing.decorator"}


def __getattr__(name: str) -> object:
    """Import an exported name when it is first used: ``import harness`` itself stays cheap."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)
