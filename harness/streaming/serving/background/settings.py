"""Settings of stored runs: which Redis, how long frames are stored, and all timeouts."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from harness.errors import InputError

_POSITIVE = (
    "ttl",
    "batch_size",
    "batch_age",
    "heartbeat_timeout",
    "block",
    "timeout",
    "connections",
)


@dataclass(frozen=True)
class Settings:
    """How runs are stored; all times are in seconds.

    Args:
        url: ``redis://user:password@host:port/db``, ``rediss://`` or ``unix://``.
        prefix: the prefix of all keys.
        ttl: how long frames are stored after the last heartbeat of their writer; at least
            ``heartbeat_timeout``, otherwise a silent run would be lost.
        batch_size: the number of frames that are sent to Redis at once, without waiting for more.
        batch_age: how long a frame waits for others that are sent with it.
        heartbeat_timeout: how long a writer without a heartbeat counts as alive.
        block: how long one read waits for new frames.
        timeout: the timeout of a reply of Redis; more than ``block``.
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
    heartbeat_timeout: float = 15.0
    block: float = 1.0
    timeout: float = 5.0
    connections: int = 5000

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            number = getattr(self, name)
            if not (isfinite(number) and number > 0):
                raise InputError(f"{name} must be above 0, not {number!r}")
        if self.ttl < self.heartbeat_timeout:
            raise InputError(
                f"ttl must not be less than heartbeat_timeout ({self.heartbeat_timeout:g} s)"
            )
        if self.timeout <= self.block:
            raise InputError(f"timeout must be more than block ({self.block:g} s)")

    @property
    def heartbeat_interval(self) -> float:
        """Seconds between two heartbeats of a writer that has nothing to write."""
        return self.heartbeat_timeout / 3  # two may be lost
