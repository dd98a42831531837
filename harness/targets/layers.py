"""The layers above an interface, as a value: adapter, service, cancellation registry.

A target with an attribute ``layers`` is a whole streaming system, and streams are aborted through
all of its layers as well (``consumer: {do: full_stack}``). ``BuiltinTarget`` has ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.streaming.adapter import StreamAdapter
from harness.streaming.cancellation import CancellationRegistry
from harness.streaming.serving import StreamingService

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Layers:
    """What a run passes through between its provider and its client.

    Args:
        adapter: called with a function that opens a stream; returns the adapter of one step.
        service: called with the keyword arguments of ``StreamingService``; returns a service.
        registry: returns the cancellation registry of one service.
    """

    adapter: Callable[..., StreamAdapter] = StreamAdapter
    service: Callable[..., StreamingService] = StreamingService
    registry: Callable[[], CancellationRegistry] = CancellationRegistry
