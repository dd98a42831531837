"""What an SDK needs of a call; ``Call`` itself is defined in a higher layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON


class SdkCall(Protocol):
    """What an SDK needs to make a request; ``harness.targets.base.Call`` is one."""

    @property
    def protocol(self) -> str:
        """The wire language, e.g. ``openai_chat``."""

    @property
    def base_url(self) -> str:
        """Where the provider answers; the SDK appends its own paths."""

    @property
    def request(self) -> Mapping[str, JSON]:
        """The keyword arguments of the SDK's method."""

    @property
    def read_timeout(self) -> float | None:
        """Seconds the client waits for the next bytes; None for its default."""
