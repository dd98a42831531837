"""Recordings of real HTTP traffic: byte-exact, scrubbed, readable by plain vcrpy.

cassette.py is the value everything here hands on; reading.py and writing.py are its file (with
yaml_text.py and coding.py, the texts and bodies in it); playing.py makes a script of it; scrubbing/
masks every secret before anything is written; recorder/ is a loopback proxy that makes cassettes.
"""

from __future__ import annotations

from typing import Any

from harness.cassettes.reading import load
from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.writing import save

__all__ = ["Scrubber", "load", "recording", "save"]


def __getattr__(name: str) -> Any:
    """Import the recorder when it is asked for: it needs h11, asyncio and ssl."""
    if name != "recording":
        raise AttributeError(name)
    from harness.cassettes.recorder.session import recording

    return recording
