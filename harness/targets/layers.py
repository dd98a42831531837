"""The layers above an interface, as a value: adapter, service, registry of cancellations.

A target that has ``layers`` is a whole system, and is left through all of them as well: see
``harness.engine.stack``. ``BuiltinTarget`` has ours.
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
    """What a run goes through between its provider and its client.

    Args:
        adapter: opener -> an adapter, one a step.
        service: the parts of ``StreamingService``, by keyword -> a service.
        registry: makes the registry of one service.
    """

    adapter: Callable[..., StreamAdapter] = StreamAdapter
    service: Callable[..., StreamingService] = StreamingService
    registry: Callable[[], CancellationRegistry] = CancellationRegistry
