"""Cases for the laws: messages woven into one wire, and walks through its tables."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.generation.cases import Case
from harness.generation.strategies.messages import messages
from harness.generation.strategies.values import tapes
from harness.generation.strategies.walks import from_grammar

if TYPE_CHECKING:
    from harness.model import Event

_WALKED, _TOLD = "walked", "told"


@cache
def cases(protocol_name: str, kind: str | None = None) -> st.SearchStrategy[Case]:
    """Return a strategy of cases of one protocol.

    Args:
        protocol_name: its word.
        kind: ``told`` for messages only, ``walked`` for walks only, None for both.
    """
    told = st.builds(partial(_told, protocol_name), messages(), tapes, tapes)
    walked = st.builds(partial(_walked, protocol_name), from_grammar(protocol_name), tapes)
    return {_TOLD: told, _WALKED: walked}.get(kind or "", told | walked)


def _told(name: str, message: object, thread: bytes, dice: bytes) -> Case:
    return Case(name, message, thread, dice)  # type: ignore[arg-type]


def _walked(name: str, events: tuple[Event, ...], dice: bytes) -> Case:
    return Case(name, dice=dice, walked=events)
