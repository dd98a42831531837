"""What has to hold for every stream: each law a value, over any target.

A law is written from a provider's document, the catalogue or the design, never from what some code
does. It is handed a case and a way to tell streams to the target, and returns what is broken.
"""

from harness.fuzzing.properties import content, endings, parity, wires
from harness.fuzzing.properties.property import Broken, Deliver, Delivered, Property

PROPERTIES: tuple[Property, ...] = (*content.LAWS, *wires.LAWS, *parity.LAWS, *endings.LAWS)

__all__ = ["PROPERTIES", "Broken", "Deliver", "Delivered", "Property"]
