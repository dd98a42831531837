"""Client events stored in Redis, so that a run can go on without a client and be read later.

event_store.py is what a service uses; writer.py stores the frames of a run while they pass through,
reader.py reads them from any process, run_log.py is what Redis holds of one run, cancel_channel.py
cancels runs of other processes, redis_client.py is the only importer of redis.
"""

from __future__ import annotations

from harness.streaming.serving.background.errors import (
    BackgroundError,
    RedisFailedError,
    RedisUnavailableError,
    RunTakenError,
    RunUnknownError,
    WriterGoneError,
)
from harness.streaming.serving.background.event_store import EventStore
from harness.streaming.serving.background.settings import Settings
from harness.streaming.serving.background.writer import Writer

__all__ = [
    "BackgroundError",
    "EventStore",
    "RedisFailedError",
    "RedisUnavailableError",
    "RunTakenError",
    "RunUnknownError",
    "Settings",
    "Writer",
    "WriterGoneError",
]
