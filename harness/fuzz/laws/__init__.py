"""What has to hold for every stream: each law a value, over any target.

A law is written from a provider's document, the catalogue or the design, never from what some code
does. It is handed a case and a way to tell streams to the target, and returns what is broken.
"""

from harness.fuzz.laws import endings, parity, saying, wires
from harness.fuzz.laws.law import Broken, Law, Tell, Told

LAWS: tuple[Law, ...] = (*saying.LAWS, *wires.LAWS, *parity.LAWS, *endings.LAWS)

__all__ = ["LAWS", "Broken", "Law", "Tell", "Told"]
