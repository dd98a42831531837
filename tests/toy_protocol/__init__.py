"""A toy wire language: proof that a protocol is one folder, one interface and one registration.

No other file knows it. ``registered()`` makes it known for a ``with`` block; inside, every feature
of the harness works with it as with the protocols that ship.

- ``wire.py``: vocabulary, tables, shorthand, encode, samples and oracle, and the ``PROTOCOL``
- ``interface.py``: its streaming interface
- ``sdk.py``: its SDK binding, a plain POST with our own decoding
- ``scenarios/``: two scenarios
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness import protocols, sdks
from harness.streaming import interfaces
from tests.toy_protocol.interface import ToyInterface
from tests.toy_protocol.sdk import BINDING
from tests.toy_protocol.wire import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENARIOS = Path(__file__).with_name("scenarios")


@contextmanager
def registered() -> Iterator[None]:
    """Register the toy while the block runs."""
    protocols.register(PROTOCOL)
    interfaces.register_interface(ToyInterface)
    sdks.register(BINDING)
    try:
        yield
    finally:
        sdks.unregister(PROTOCOL.name)
        interfaces.unregister_interface(PROTOCOL.name)
        protocols.unregister(PROTOCOL.name)
