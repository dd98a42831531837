"""Deliberately wrong targets for the laws of a campaign: what builtin delivers, spoiled.

A spoiler sees the response that was sent, as an interface sees its events.
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

    Spoil = Callable[[Outcome, Script], Outcome]


class Spoiled:
    """A target that spoils what builtin delivers.

    Args:
        spoil: outcome, response -> the outcome it reports.
    """

    protocols = NAMES

    def __init__(self, spoil: Spoil) -> None:
        self.name, self._spoil = spoil.__name__, spoil
        self._clients: SdkClients | None = None

    def listen(self, call: Call) -> SpoiledListening:
        self._clients = self._clients or SdkClients(call.transport)  # in the loop of its lane
        return SpoiledListening(self._clients, call, self._spoil)


class SpoiledListening(BuiltinListening):
    def __init__(self, clients: SdkClients, call: Call, spoil: Spoil) -> None:
        super().__init__(clients, call)
        self._spoil, self._script = spoil, _script(call)

    def outcome(self) -> Outcome:
        return self._spoil(super().outcome(), self._script)


def _script(call: Call) -> Script:
    stage: Any = call.transport._stage
    script: Script = stage.script_for(urlsplit(call.base_url).path)[1]
    return script
