"""Where frames are kept, for how long, and how patient everybody is."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from harness.errors import InputError

_POSITIVE = ("ttl", "batch_size", "batch_age", "alive_for", "block", "patience", "connections")


@dataclass(frozen=True)
class Settings:
    """How runs are kept; every time is in seconds.

    Args:
        url: ``redis://user:password@host:port/db``, ``rediss://`` or ``unix://``.
        prefix: what all keys begin with.
        ttl: how long frames are kept behind the last sign of life of their writer; no less than
            ``alive_for``, or a silent run would be lost.
        batch_size: frames that are sent to Redis at once, without waiting for more.
        batch_age: how long a frame waits for others to be sent with.
        alive_for: how long a writer that gives no sign of life is taken for alive.
        block: how long one read waits for new frames.
        patience: how long Redis may take to answer; more than ``block``.
        connections: the most that are open at once: every reader holds one while it waits, so it is
            how many runs can be followed (redis-py's own default is 100, Redis takes 10,000).

    Raises:
        InputError: a number makes no sense.
    """

    url: str = "redis://127.0.0.1:6379/0"
    prefix: str = "harness"
    ttl: float = 3600.0
    batch_size: int = 64
    batch_age: float = 0.05
    alive_for: float = 15.0
    block: float = 1.0
    patience: float = 5.0
    connections: int = 5000

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            number = getattr(self, name)
            if not (isfinite(number) and number > 0):
                raise InputError(f"{name} must be above 0, not {number!r}")
        if self.ttl < self.alive_for:
            raise InputError(f"ttl must not be less than alive_for ({self.alive_for:g} s)")
        if self.patience <= self.block:
            raise InputError(f"patience must be more than block ({self.block:g} s)")

    @property
    def heartbeat(self) -> float:
        """How often a writer that has nothing to write gives a sign of life."""
        return self.alive_for / 3  # two may be lost
