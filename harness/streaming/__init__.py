"""The reference streaming system: usable on its own, as the streaming layer of a product.

The names in ``__all__`` are its public API; each is imported when it is first used, so importing
the package is cheap and loads no SDK.

Layers, from below: ``interfaces/`` turn the event stream of a provider's SDK into chunks and an
outcome, one folder per protocol, built on content.py (the parts of an answer), usage.py and
error_mapping.py. decoding.py decodes such events straight from the wire. cancellation.py and
closing.py end a stream from outside. adapter.py calls a provider by name, maps its errors and
writes a trace (``tracing/``). continuation.py and ``request_sanitizing/`` are the rules between two
steps of an agent; inner_thoughts.py is a stage over chunks. ``serving/`` streams the runs of an
agent to clients, ``reencoding/`` writes them as Chat Completions chunks. docs/streaming.md has
examples.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.streaming.adapter import StepContext, StepResult, StreamAdapter
    from harness.streaming.cancellation import CancellationRegistry, CancelSignal
    from harness.streaming.continuation import stop_reason_after
    from harness.streaming.decoding import wire_events, wire_events_async
    from harness.streaming.error_mapping import classify, llm_error
    from harness.streaming.inner_thoughts import InnerThoughts, MessageTool
    from harness.streaming.interfaces import interface_for, register_interface
    from harness.streaming.interfaces.base import StreamingInterface
    from harness.streaming.reencoding.stream import reencode
    from harness.streaming.request_sanitizing.chat import sanitise_chat
    from harness.streaming.request_sanitizing.messages import sanitise
    from harness.streaming.serving.background_runs import BackgroundRuns
    from harness.streaming.serving.service import StreamingService, StreamRequest
    from harness.streaming.tracing.manager import TraceManager

__all__ = [
    "BackgroundRuns",
    "CancelSignal",
    "CancellationRegistry",
    "InnerThoughts",
    "MessageTool",
    "StepContext",
    "StepResult",
    "StreamAdapter",
    "StreamRequest",
    "StreamingInterface",
    "StreamingService",
    "TraceManager",
    "classify",
    "interface_for",
    "llm_error",
    "reencode",
    "register_interface",
    "sanitise",
    "sanitise_chat",
    "stop_reason_after",
    "wire_events",
    "wire_events_async",
]

_MODULES = {
    "harness.streaming.adapter": ("StepContext", "StepResult", "StreamAdapter"),
    "harness.streaming.cancellation": ("CancelSignal", "CancellationRegistry"),
    "harness.streaming.continuation": ("stop_reason_after",),
    "harness.streaming.decoding": ("wire_events", "wire_events_async"),
    "harness.streaming.error_mapping": ("classify", "llm_error"),
    "harness.streaming.inner_thoughts": ("InnerThoughts", "MessageTool"),
    "harness.streaming.interfaces": ("interface_for", "register_interface"),
    "harness.streaming.interfaces.base": ("StreamingInterface",),
    "harness.streaming.reencoding.stream": ("reencode",),
    "harness.streaming.request_sanitizing.chat": ("sanitise_chat",),
    "harness.streaming.request_sanitizing.messages": ("sanitise",),
    "harness.streaming.serving.background_runs": ("BackgroundRuns",),
    "harness.streaming.serving.service": ("StreamRequest", "StreamingService"),
    "harness.streaming.tracing.manager": ("TraceManager",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import an exported name when it is first used."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
