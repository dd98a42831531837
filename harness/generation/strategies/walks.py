"""``from_grammar``: any legal stream of a protocol, drawn as one tape that a walk follows."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.generation.walking import walk

if TYPE_CHECKING:
    from harness.model import Event

STEPS = 40  # decisions of one walk, at most


@cache
def from_grammar(protocol_name: str) -> st.SearchStrategy[tuple[Event, ...]]:
    """Return a strategy of legal streams; it shrinks towards the shortest one.

    Args:
        protocol_name: whose tables are walked.
    """
    return st.binary(max_size=STEPS).map(partial(walk, protocol_name))
