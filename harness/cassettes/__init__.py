"""Recordings of real HTTP traffic: byte-exact, scrubbed, readable by plain vcrpy.

cassette.py is the value everything here hands on; reading.py and writing.py are its file (with
yaml_text.py and coding.py, the texts and bodies in it); playing.py makes a script of it; scrubbing/
masks every secret before anything is written.
"""

from harness.cassettes.reading import load
from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.writing import save

__all__ = ["Scrubber", "load", "save"]
