"""Which words of a protocol the scenarios contain."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.protocols import protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.model import JSON
    from harness.scenarios import Scenario

_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")


def words_in(scenarios: Iterable[Scenario]) -> dict[str, dict[str, Counter[str]]]:
    """Count how many scenarios contain each word: protocol -> category -> word -> count.

    A word is a key, a dotted pair of keys or a value of the wire events. Which category it counts
    in is decided by the caller.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for scenario in scenarios:
        try:
            events = [item for item in scenario.wire() if not isinstance(item, bytes)]
        except InputError:
            continue  # `harness list` reports it
        found[scenario.protocol].update({w for event in events for w in _words(event.data)})
    return {name: dict.fromkeys(protocol(name).vocabulary, count) for name, count in found.items()}


def _words(value: JSON, above: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            word = _UPPER.sub(r"_\1", key).lower()
            yield word
            yield f"{above}.{word}"
            yield from _words(item, word)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item, above)
    elif isinstance(value, str):
        yield value
