"""The properties of generated streams: what must hold for any target.

A property is written from a provider's document or the catalogue, never from what some code does.
It gets a case and what replays streams to the target, and returns a counterexample or None. The
invariants that hold for every outcome are properties as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UnknownWordError
from harness.fuzzing.properties import content, endings, outcomes, variants, wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.fuzzing.properties.property import Property

PROPERTIES: tuple[Property, ...] = (
    *content.PROPERTIES,
    *wire.PROPERTIES,
    *variants.PROPERTIES,
    *endings.PROPERTIES,
    *outcomes.PROPERTIES,
)


def select_properties(names: Sequence[str]) -> tuple[Property, ...]:
    """Return the properties of these names; no names means all.

    Raises:
        UnknownWordError: there is no property of that name.
    """
    known = {known.name: known for known in PROPERTIES}
    for name in names:
        if name not in known:
            raise UnknownWordError("property", name, known)
    return tuple(known[name] for name in known if not names or name in names)
