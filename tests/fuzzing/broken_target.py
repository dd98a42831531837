"""A deliberately broken target for the properties of a campaign: what builtin delivers, changed.

The change sees the response that was sent, as an interface sees its events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.protocols import NAMES
from harness.sdks.clients import SdkClients
from harness.targets.builtin import BuiltinListening

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model import Outcome
    from harness.targets.base import Call
    from harness.wire.script import Script

    Change = Callable[[Outcome, Script], Outcome]


class BrokenTarget:
    """A target that changes what builtin delivers.

    Args:
        change: outcome, response -> the outcome it reports.
    """

    protocols = NAMES

    def __init__(self, change: Change) -> None:
        self.name, self._change = change.__name__, change
        self._clients: SdkClients | None = None

    def listen(self, call: Call) -> BrokenListening:
        # Created here, because clients belong to the event loop that runs the target.
        self._clients = self._clients or SdkClients(call.transport)
        return BrokenListening(self._clients, call, self._change)


class BrokenListening(BuiltinListening):
    def __init__(self, clients: SdkClients, call: Call, change: Change) -> None:
        super().__init__(clients, call)
        self._change, self._script = change, _script(call)

    def outcome(self) -> Outcome:
        return self._change(super().outcome(), self._script)


def _script(call: Call) -> Script:
    registry: Any = call.transport._registry
    script: Script = registry.script_for(urlsplit(call.base_url).path)[1]
    return script
