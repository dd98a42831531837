"""A run's frames as an OpenAI Chat Completions stream, for clients that speak nothing else.

words.py says why a run stopped in OpenAI's words, encoder.py turns frame after frame into chunks,
stream.py reads a source of frames and brings it to an end on every path.
"""

from __future__ import annotations

from harness.streaming.reencoding.stream import reencode

__all__ = ["reencode"]
