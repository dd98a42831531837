"""The frames of a run: what its client is sent, as server-sent events.

words.py holds the tables (message types, errors, stop reasons), frame.py is a frame and its bytes
both ways, framer.py makes the frames of one run from chunks, grammar.py is their legal order.
"""

from __future__ import annotations

from harness.streaming.frames.frame import DONE, Frame, FrameReader, numbered, text_of, write
from harness.streaming.frames.framer import Framer
from harness.streaming.frames.grammar import FRAMES, frame_violations
from harness.streaming.frames.words import (
    FAILURES,
    INTERNAL,
    MESSAGE_TYPES,
    STOP_REASON_OF,
    STREAM_INCOMPLETE,
    Failure,
    failure_of,
)

__all__ = [
    "DONE",
    "FAILURES",
    "FRAMES",
    "INTERNAL",
    "MESSAGE_TYPES",
    "STOP_REASON_OF",
    "STREAM_INCOMPLETE",
    "Failure",
    "Frame",
    "FrameReader",
    "Framer",
    "failure_of",
    "frame_violations",
    "numbered",
    "text_of",
    "write",
]
