"""Provider wire languages: the law of legal order, as tables.

grammar.py is the machinery, protocol.py the value each protocol fills in, message.py and
composing.py the two ways to write a stream; then one package a protocol. Adding a protocol is one
package and one line here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from harness.errors import UnknownWordError
from harness.protocols.protocol import Protocol  # noqa: TC001 - first, or the module hides the function

NAMES = ("openai_responses", "openai_chat", "anthropic_messages", "gemini_generate")


@cache  # asked for once a stream
def protocol(name: str) -> Protocol:
    """Return a protocol by its word.

    Raises:
        UnknownWordError: no protocol has that name.
    """
    if name not in NAMES:
        raise UnknownWordError("protocol", name, NAMES)
    found: Protocol = import_module(f"harness.protocols.{name}").PROTOCOL
    return found
