"""Scrubbing: no secret reaches a disk.

patterns.py and headers.py are the tables, masking.py finds and masks, leaves.py knows where texts
lie in JSON and events.py where in events that repeat themselves, tail.py when a text that still
arrives can be judged, body.py does so for a body (and states the guarantee), binary.py for one of
binary events, arriving.py for either, scrubber.py for all of an exchange.
"""

from harness.cassettes.scrubbing.scrubber import Scrubber

__all__ = ["Scrubber"]
