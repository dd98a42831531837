"""What an output item of the Responses API becomes, and the two items that are made of words.

Rules of this file: a slot is opened with the first thing it has to keep, so an empty part leaves no
trace; an item is told up to three times (added, done, in the terminal response), and each telling
adds only what is new.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from harness.protocols.openai_responses.vocabulary import PARAGRAPH, PARTS
from harness.streaming.interfaces.openai_responses.texts import TextAccumulator, as_text
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.streaming.content import Assembly, TextBuilder
    from harness.streaming.interfaces.openai_responses.texts import Chunks

    Note: TypeAlias = Callable[[str, object], None]
    Telling: TypeAlias = Literal["added", "done"]


class Item(ABC):
    """Base of the output items.

    Args:
        item_type: the provider's word for it.
        assembly: where its parts stand.
        note: leaves a note in the outcome.
    """

    def __init__(self, item_type: str, assembly: Assembly, note: Note) -> None:
        self.type, self.assembly, self.note = item_type, assembly, note
        self.id: str | None = None
        self.told: set[Telling] = set()
        self.words: dict[tuple[str, int], TextAccumulator] = {}  # of its numbered parts
        self.arguments = TextAccumulator(
            self, "arguments"
        )  # of the item itself: what it calls or runs

    def part(self, kind: str, index: int) -> TextAccumulator:
        """Return the words of a numbered part, opened where it is new."""
        found = self.words.get((kind, index))
        if found is None:
            found = self.words[kind, index] = TextAccumulator(self, kind)
        return found

    @abstractmethod
    def write(self, words: TextAccumulator, fragment: str) -> Chunks:
        """Put a fragment into the slot of these words; return what is shown of it."""

    def open(self, found: Any) -> Chunks:
        """Take the item as it is added."""
        for kind, index, part in self._parts(found):
            self.part(kind, index).open(getattr(part, PARTS[kind].field, None))
        return ()

    def close(self, found: Any) -> Chunks:
        """Take the item as it is done, or as the terminal response tells it."""
        told = [
            (self.part(kind, index), getattr(part, PARTS[kind].field, None), part)
            for kind, index, part in self._parts(found)
        ]
        for words, _, part in told:
            cited = getattr(part, "annotations", None)
            words.citations[:] = [raw_of(one) for one in cited or ()] or words.citations
        said = "".join(words.said for words in self.words.values())
        holding = any(words.holding for words in self.words.values())
        if not holding and said == "".join(str(text or "") for _, text, _ in told):
            return ()  # all of it was said, perhaps under other indexes
        return tuple(chunk for words, text, _ in told for chunk in words.whole(text, final=True))

    def settle(self) -> Chunks:
        """Return what was still held back at the end of the stream."""
        return tuple(chunk for words in self.words.values() for chunk in words.settle())

    def _parts(self, found: Any) -> Iterator[tuple[str, int, Any]]:
        """Yield the parts an item object holds, with their kinds and places."""
        for name in dict.fromkeys(part.parts for part in PARTS.values() if part.item == self.type):
            for index, part in enumerate(getattr(found, name, None) or ()):
                kind = str(getattr(part, "type", None))
                if kind in PARTS and PARTS[kind].item == self.type:
                    yield kind, index, part
                else:
                    self.note("unknown_part", kind)


class Message(Item):
    """An answer: each part is a text or a refusal of its own."""

    def write(self, words: TextAccumulator, fragment: str) -> Chunks:
        """Put a fragment into the part's own slot."""
        prose = words.prose
        if prose is None:
            prose = self.assembly.prose("refusal" if words.kind == "refusal" else "text")
            words.prose, prose.citations = prose, words.citations
        return prose.add(fragment)


class Thinking(Item):
    """A reasoning item: its parts are one reasoning, with blank lines between them.

    ``encrypted_content`` is its signature. OpenAI encrypts anew whenever it tells an item, and asks
    for the one of the done item; the one the item is added with may be incomplete.
    https://developers.openai.com/api/reference/resources/responses (reasoning item)
    """

    _prose: TextBuilder | None = None
    _last: TextAccumulator | None = None
    _opening_seal: str | None = None
    _seal: str | None = None

    def write(self, words: TextAccumulator, fragment: str) -> Chunks:
        """Put a fragment into the slot all parts share."""
        prose = self._slot()
        if self._last is not words:
            self._last = words
            if not prose.empty:
                fragment = PARAGRAPH + fragment
        return prose.add(fragment)

    def open(self, found: Any) -> Chunks:
        """Take the item as it is added."""
        self._opening_seal = as_text(getattr(found, "encrypted_content", None))
        return super().open(found)

    def close(self, found: Any) -> Chunks:
        """Take the item as it is done, and what proves it."""
        chunks = super().close(found)
        self._seal = self._seal or as_text(getattr(found, "encrypted_content", None))
        signature = self._seal or self._opening_seal
        if signature:
            self._slot().signature = signature
        return chunks

    def _slot(self) -> TextBuilder:
        if self._prose is None:
            self._prose = self.assembly.prose("reasoning")
        return self._prose
