"""The short hand of scenarios for the Responses stream.

Words are the wire's event types; ``at`` and what is filled in are described in writer.py. A delta
may be written as its text alone. Four words write a whole item, deltas and done events included:

``text: Hello``            a message of one part; ``says`` is its text, or the list of its deltas
``refusal: I cannot``      the same for a refusal
``reasoning: {says: […], encrypted: …}``  an item with one summary part for each text
``call: {name, arguments, call_id, status}``  a function call; ``arguments`` as ``says``
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.protocols.composing import Composer
from harness.protocols.openai_responses.grammar import ADDED, DONE, GRAMMAR
from harness.protocols.openai_responses.vocabulary import (
    FIELD_EVENTS,
    PART_EVENTS,
    PARTS,
    SOUND_EVENTS,
    TERMINALS,
)
from harness.protocols.openai_responses.writer import OPENINGS, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model import JSON, Event
    from harness.protocols.composing import Skeleton

_ANNOTATION = "response.output_text.annotation.added"


def _one(write: Callable[[Writer, dict[str, JSON]], Event]) -> Skeleton:
    """Return the skeleton of a word that stands for one event."""

    def skeleton(composer: ResponsesComposer, payload: dict[str, JSON]) -> Iterator[Event]:
        yield write(composer.writer, payload)

    return skeleton


def _named(write: Callable[[Writer, str, dict[str, JSON]], Event], word: str) -> Skeleton:
    """Return the skeleton of a word the writer has to be told."""
    return _one(lambda writer, payload: write(writer, word, payload))


def _message(kind: str) -> Skeleton:
    def skeleton(composer: ResponsesComposer, payload: dict[str, JSON]) -> Iterator[Event]:
        says = payload.get("says", "")
        return composer.writer.message({**payload, "says": [says]}, kind)

    return skeleton


class ResponsesComposer(Composer):
    """Writes a Responses stream from a scenario's short hand."""

    def __init__(self) -> None:
        self.writer = Writer()

    skeletons: ClassVar[Mapping[str, Skeleton]] = {
        **{
            word: _named(Writer.progress, word)
            for word in (*GRAMMAR.labels, *SOUND_EVENTS)
            if "[" not in word
        },
        **{word: _named(Writer.opening, word) for word in OPENINGS},
        **{word: _named(Writer.terminal, word) for word in TERMINALS},
        **{
            f"{part.frame}.{end}": _named(Writer.frame, f"{part.frame}.{end}")
            for part in PARTS.values()
            for end in ("added", "done")
        },
        **{f"{stem}.delta": _named(Writer.part_delta, stem) for stem in PART_EVENTS},
        **{f"{stem}.done": _named(Writer.part_done, stem) for stem in PART_EVENTS},
        **{f"{stem}.delta": _named(Writer.field_delta, stem) for stem in FIELD_EVENTS},
        **{f"{stem}.done": _named(Writer.field_done, stem) for stem in FIELD_EVENTS},
        ADDED: _one(Writer.add),
        DONE: _one(Writer.finish),
        _ANNOTATION: _one(Writer.annotation),
        "error": _one(Writer.error),
        "text": _message("output_text"),
        "refusal": _message("refusal"),
        "reasoning": lambda composer, payload: composer.writer.reasoning(payload),
        "call": lambda composer, payload: composer.writer.call(payload),
    }
    scalar: ClassVar[Mapping[str, str]] = {
        **{f"{stem}.delta": "delta" for stem in (*PART_EVENTS, *FIELD_EVENTS)},
        "text": "says",
        "refusal": "says",
        "reasoning": "says",
    }
