"""Settings of stored runs: which Redis, how long frames are stored, and all timeouts."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from harness.errors import InputError

_POSITIVE = ("ttl", "batch_size", "batch_age", "alive_for", "block", "patience", "connections")


@dataclass(frozen=True)
class Settings:
    """How runs are stored; all times are in seconds.

    Args:
        url: ``redis://user:password@host:port/db``, ``rediss://`` or ``unix://``.
        prefix: the prefix of all keys.
        ttl: how long frames are stored after the last heartbeat of their writer; at least
            ``alive_for``, otherwise a silent run would be lost.
        batch_size: the number of frames that are sent to Redis at once, without waiting for more.
        batch_age: how long a frame waits for others that are sent with it.
        alive_for: how long a writer without a heartbeat counts as alive.
        block: how long one read waits for new frames.
        patience: the timeout of a reply of Redis; more than ``block``.
        connections: the largest number of open connections. A reader holds one while it waits, so
            it limits how many runs can be followed at once (redis-py's default is 100, Redis
            allows 10,000).

    Raises:
        InputError: a number is out of its range.
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
        """Seconds between two heartbeats of a writer that has nothing to write."""
        return self.alive_for / 3  # two may be lost
