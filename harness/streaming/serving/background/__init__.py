"""Runs that go on without their client: their frames are kept in Redis, to be read again and later.

streams.py is what a service uses; writer.py writes the frames of a run while they pass by,
reader.py reads them from any place, run_log.py is what Redis holds of one run, calling_off.py tells
other processes which run is to end, door.py is the only importer of redis, errors.py what may go
wrong.
"""

from __future__ import annotations

from harness.streaming.serving.background.errors import (
    BackgroundError,
    RedisAwayError,
    RedisFailedError,
    RunTakenError,
    RunUnknownError,
    WriterGoneError,
)
from harness.streaming.serving.background.settings import Settings
from harness.streaming.serving.background.streams import Background
from harness.streaming.serving.background.writer import Writer

__all__ = [
    "Background",
    "BackgroundError",
    "RedisAwayError",
    "RedisFailedError",
    "RunTakenError",
    "RunUnknownError",
    "Settings",
    "Writer",
    "WriterGoneError",
]
