"""Recordings of real HTTP traffic: byte-exact, scrubbed, readable by plain vcrpy.

- ``cassette``: a cassette as a value.
- ``reading``, ``writing``: its file, with ``yaml_text`` for the texts and ``coding`` for content
  codings.
- ``scripts``: recorded responses as scripts to replay.
- ``scrubbing``: masks secrets before anything is written.
- ``recorder``: a loopback proxy that records cassettes.
- ``importing``: recordings of other tools as cassettes.

The names below are imported when they are first used: scrubbing alone is a dozen modules, and the
recorder needs h11, asyncio and ssl.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.cassettes.reading import load
    from harness.cassettes.recorder.session import recording
    from harness.cassettes.scrubbing import Scrubber
    from harness.cassettes.writing import save

__all__ = ["Scrubber", "load", "recording", "save"]

_HOME = {
    "Scrubber": "scrubbing",
    "load": "reading",
    "recording": "recorder.session",
    "save": "writing",
}


def __getattr__(name: str) -> Any:
    """Import one of the names above."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
