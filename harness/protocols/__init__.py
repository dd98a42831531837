"""Provider wire languages, with the legal order of their events as tables.

``grammar.py`` evaluates the tables, ``protocol.py`` defines the value that describes a protocol,
``message.py`` and ``composing.py`` are the two ways to write a stream. Each protocol has a folder
of its own: vocabulary, grammar, skeletons (the scenario shorthand), encode, samples and oracle, and
in its ``__init__`` the ``PROTOCOL`` that names them all.

A protocol that ships with the project is a folder and a word in ``NAMES``; any other one is
registered with ``register``.
"""

from __future__ import annotations

from importlib import import_module

from harness.errors import UnknownWordError
from harness.protocols.protocol import Protocol  # noqa: TC001 - first, or the module hides the function

NAMES = ("openai_responses", "openai_chat", "anthropic_messages", "gemini_generate")
"""The protocols that ship with the project; ``names()`` has the registered ones as well."""

_loaded: dict[str, Protocol] = {}  # those that ship, once they were asked for
_registered: dict[str, Protocol] = {}


def names() -> tuple[str, ...]:
    """Return the name of every protocol, those that ship first."""
    return (*NAMES, *_registered)


def protocol(name: str) -> Protocol:
    """Return a protocol by its name.

    Raises:
        UnknownWordError: no protocol has that name.
    """
    found = _loaded.get(name) or _registered.get(name)
    if found is None:
        if name not in NAMES:
            raise UnknownWordError("protocol", name, names())
        found = _loaded[name] = import_module(f"harness.protocols.{name}").PROTOCOL
    return found


def register(new: Protocol) -> None:
    """Make a protocol known under its name.

    Raises:
        ValueError: the name is taken.
    """
    if new.name in names():
        raise ValueError(f"a protocol named {new.name!r} exists already")
    _registered[new.name] = new


def unregister(name: str) -> None:
    """Undo ``register``.

    Raises:
        KeyError: no protocol was registered under that name.
    """
    del _registered[name]
