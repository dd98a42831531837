"""Replay and conformance harness for LLM streaming.

This module is the public API; docs/api.md documents every name. A name is imported when it is
first used, so that ``import harness`` is cheap and imports no SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.api import ScenarioResults as ScenarioResults
    from harness.api import check as check
    from harness.api import compare as compare
    from harness.api import record as record
    from harness.api import replay as replay
    from harness.api import run as run
    from harness.engine.results import ScenarioResult as ScenarioResult
    from harness.errors import HarnessError as HarnessError
    from harness.errors import InputError as InputError
    from harness.errors import TargetError as TargetError
    from harness.fuzzing.decorator import fuzz as fuzz
    from harness.model import Chunk as Chunk
    from harness.model import ErrorInfo as ErrorInfo
    from harness.model import Finding as Finding
    from harness.model import Media as Media
    from harness.model import Outcome as Outcome
    from harness.model import Reasoning as Reasoning
    from harness.model import RedactedReasoning as RedactedReasoning
    from harness.model import Refusal as Refusal
    from harness.model import ServerTool as ServerTool
    from harness.model import Text as Text
    from harness.model import ToolCall as ToolCall
    from harness.model import Usage as Usage
    from harness.protocols.grammar import Violation as Violation
    from harness.targets.base import Call as Call
    from harness.targets.base import Listening as Listening
    from harness.targets.base import Target as Target

_MODULES = {
    "harness.api": ("ScenarioResults", "check", "compare", "record", "replay", "run"),
    "harness.engine.results": ("ScenarioResult",),
    "harness.errors": ("HarnessError", "InputError", "TargetError"),
    "harness.fuzzing.decorator": ("fuzz",),
    "harness.model": (
        "Chunk",
        "ErrorInfo",
        "Finding",
        "Media",
        "Outcome",
        "Reasoning",
        "RedactedReasoning",
        "Refusal",
        "ServerTool",
        "Text",
        "ToolCall",
        "Usage",
    ),
    "harness.protocols.grammar": ("Violation",),
    "harness.targets.base": ("Call", "Listening", "Target"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
__all__ = list(_MODULE_OF)


if not TYPE_CHECKING:  # a type checker would take any name for a public one

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    """Return the public names, for completion in editors and shells."""
    return __all__
