"""A run's client events as an OpenAI Chat Completions stream, for clients of that API.

encoder.py turns client events into chunks, stream.py reads a source of frames and ends the stream
on every path.
"""

from __future__ import annotations

from harness.streaming.reencoding.stream import reencode

__all__ = ["reencode"]
