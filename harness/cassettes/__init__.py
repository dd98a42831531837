"""Recordings of real HTTP traffic: byte-exact, scrubbed, readable by plain vcrpy.

- ``cassette``: a cassette as a value.
- ``reading``, ``writing``: its file, with ``yaml_text`` for the texts and ``coding`` for content
  codings.
- ``scripts``: recorded responses as scripts to replay.
- ``scrubbing``: masks secrets before anything is written.
- ``recorder``: a loopback proxy that records cassettes.
- ``importing``: recordings of other tools as cassettes.
"""

from __future__ import annotations

from typing import Any

from harness.cassettes.reading import load
from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.writing import save

__all__ = ["Scrubber", "load", "recording", "save"]


def __getattr__(name: str) -> Any:
    """Import the recorder on first use: it needs h11, asyncio and ssl."""
    if name != "recording":
        raise AttributeError(name)
    from harness.cassettes.recorder.session import recording

    return recording
