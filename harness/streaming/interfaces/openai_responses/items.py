"""The output items of the Responses API, and the text of their parts.

Rules of this file: a content part is opened with the first thing it has to keep, so an empty one
produces nothing; an item is sent up to three times (added, done, in the terminal response), and
each time only what is new is used; deltas count first, and a full text (in a ``.done`` event, a
done item, the terminal response) is used only for what no delta carried.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from harness.model import repair_surrogates
from harness.protocols.openai_responses.vocabulary import PARAGRAPH, PARTS
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model import JSON, Chunk
    from harness.streaming.content import Assembly, TextBuilder

    Note: TypeAlias = Callable[[str, object], None]
    Stage: TypeAlias = Literal["added", "done"]

Chunks: TypeAlias = "tuple[Chunk, ...]"


def as_text(value: object) -> str | None:
    """Return an id or a name as text; some servers send numbers."""
    return None if value is None else str(value)


class TextAccumulator:
    """The text of one part of an item.

    Some servers repeat the opening text of a part in its deltas, and some send a delta that repeats
    the whole text (catalogue OR-023). Both are detected by holding the text back for one event.
    """

    __slots__ = ("_emitted", "_held", "_item", "_size", "builder", "citations", "kind")

    def __init__(self, item: Item, kind: str) -> None:
        self._item, self.kind = item, kind
        self._emitted: list[str] = []
        self._size = 0  # characters emitted
        self._held: str | None = None  # the opening text, or later a delta that repeats everything
        self.builder: TextBuilder | None = None
        self.citations: list[JSON] = []

    def open(self, text: object) -> None:
        """Take the text a part is opened with; the deltas decide whether they repeat it."""
        if isinstance(text, str) and text and not self._emitted:
            self._held = text

    def delta(self, fragment: object) -> Chunks:
        """Append a fragment."""
        if not isinstance(fragment, str) or not fragment:
            return ()
        if self._held is not None:
            return self._resolve_held(fragment) + self.delta(fragment)
        if (
            len(fragment) == self._size
            and len(self._emitted) > 1
            and fragment == "".join(self._emitted)
        ):
            self._held = fragment
            return ()
        return self._emit(fragment)

    def snapshot(self, full: object, *, final: bool = False) -> Chunks:
        """Take the full text; emit the rest of it that no delta carried.

        Args:
            full: the text, or whatever the server sent in its place.
            final: no more deltas will come, so the text after the last delta is emitted.
        """
        text = full if isinstance(full, str) else ""
        emitted = self.text
        if self._held is not None and not emitted:
            text, self._held = text or self._held, None
        elif self._held is not None and emitted == text:
            self._held = None
            self._item.note("repeated_text", None)
        released = self.flush()
        if not text or text == emitted or released:
            return released
        if not emitted or (final and text.startswith(emitted)):
            return self._emit(text[len(emitted) :])
        if final:
            self._item.note("snapshot_differs", self._item.type)
        return ()

    def flush(self) -> Chunks:
        """Emit the text held back: nothing has shown that it was a repetition."""
        held, self._held = self._held, None
        return () if held is None else self._emit(held)

    @property
    def text(self) -> str:
        """The text emitted so far, with characters that were cut in two joined."""
        return repair_surrogates("".join(self._emitted))

    @property
    def holding(self) -> bool:
        """Whether some text is held back."""
        return self._held is not None

    def _resolve_held(self, fragment: str) -> Chunks:
        """Drop the text held back if the next delta starts to repeat it; otherwise emit it."""
        if not self._emitted and (self._held or "").startswith(fragment):
            self._held = None
            return ()
        return self.flush()

    def _emit(self, fragment: str) -> Chunks:
        self._emitted.append(fragment)
        self._size += len(fragment)
        return self._item.write(self, fragment)


class Item(ABC):
    """Base of the output items.

    Args:
        item_type: the provider's type of the item.
        assembly: the content its parts are added to.
        note: adds a note to the outcome.
    """

    def __init__(self, item_type: str, assembly: Assembly, note: Note) -> None:
        self.type, self.assembly, self.note = item_type, assembly, note
        self.id: str | None = None
        self.stages: set[Stage] = set()  # the events that carried the item so far
        self.texts: dict[tuple[str, int], TextAccumulator] = {}  # of its numbered parts
        # What the item itself calls or runs, as opposed to its parts.
        self.arguments = TextAccumulator(self, "arguments")

    def text_of(self, kind: str, index: int) -> TextAccumulator:
        """Return the text of a numbered part, created where it is new."""
        known = self.texts.get((kind, index))
        if known is None:
            known = self.texts[kind, index] = TextAccumulator(self, kind)
        return known

    @abstractmethod
    def write(self, text: TextAccumulator, fragment: str) -> Chunks:
        """Add a fragment of a text to the content; return its chunks."""

    def open(self, sent: Any) -> Chunks:
        """Take the item object of an ``added`` event."""
        for kind, index, part in self._parts(sent):
            self.text_of(kind, index).open(getattr(part, PARTS[kind].field, None))
        return ()

    def close(self, sent: Any) -> Chunks:
        """Take the item object of a ``done`` event or of the terminal response."""
        parts = [
            (self.text_of(kind, index), getattr(part, PARTS[kind].field, None), part)
            for kind, index, part in self._parts(sent)
        ]
        for text, _, part in parts:
            annotations = getattr(part, "annotations", None)
            text.citations[:] = [raw_of(one) for one in annotations or ()] or text.citations
        emitted = "".join(text.text for text in self.texts.values())
        holding = any(text.holding for text in self.texts.values())
        if not holding and emitted == "".join(str(full or "") for _, full, _ in parts):
            return ()  # all of it was emitted, perhaps under other indexes
        return tuple(chunk for text, full, _ in parts for chunk in text.snapshot(full, final=True))

    def finalize(self) -> Chunks:
        """Emit what is still held back at the end of the stream."""
        return tuple(chunk for text in self.texts.values() for chunk in text.flush())

    def _parts(self, sent: Any) -> Iterator[tuple[str, int, Any]]:
        """Yield the kind, the index and the object of each part in an item object."""
        for name in dict.fromkeys(part.parts for part in PARTS.values() if part.item == self.type):
            for index, part in enumerate(getattr(sent, name, None) or ()):
                kind = str(getattr(part, "type", None))
                if kind in PARTS and PARTS[kind].item == self.type:
                    yield kind, index, part
                else:
                    self.note("unknown_part", kind)


class MessageItem(Item):
    """An answer: each part is a text or a refusal of its own."""

    def write(self, text: TextAccumulator, fragment: str) -> Chunks:
        """Add a fragment to the content part of this text."""
        builder = text.builder
        if builder is None:
            builder = self.assembly.open_text("refusal" if text.kind == "refusal" else "text")
            text.builder, builder.citations = builder, text.citations
        return builder.add(fragment)


class ReasoningItem(Item):
    """A reasoning item: its parts become one reasoning part, separated by blank lines.

    ``encrypted_content`` is its signature. OpenAI encrypts it anew each time it sends the item and
    asks for the one of the done item; the one of the added item may be incomplete.
    https://developers.openai.com/api/reference/resources/responses (reasoning item)
    """

    _builder: TextBuilder | None = None
    _last: TextAccumulator | None = None
    _opening_signature: str | None = None
    _signature: str | None = None

    def write(self, text: TextAccumulator, fragment: str) -> Chunks:
        """Add a fragment to the content part that all parts of the item share."""
        builder = self._shared_builder()
        if self._last is not text:
            self._last = text
            if not builder.empty:
                fragment = PARAGRAPH + fragment
        return builder.add(fragment)

    def open(self, sent: Any) -> Chunks:
        """Take the item object of an ``added`` event."""
        self._opening_signature = as_text(getattr(sent, "encrypted_content", None))
        return super().open(sent)

    def close(self, sent: Any) -> Chunks:
        """Take the done item and its signature."""
        chunks = super().close(sent)
        self._signature = self._signature or as_text(getattr(sent, "encrypted_content", None))
        signature = self._signature or self._opening_signature
        if signature:
            self._shared_builder().signature = signature
        return chunks

    def _shared_builder(self) -> TextBuilder:
        if self._builder is None:
            self._builder = self.assembly.open_text("reasoning")
        return self._builder
