"""The words of one part of a Responses output item, from deltas and from snapshots.

Rule of this file: deltas are what counts, and a snapshot (the text of a ``.done`` event, of a done
item, of the output of the terminal response) is used only for what no delta told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.model import repair_surrogates as without_halves

if TYPE_CHECKING:
    from harness.model import JSON, Chunk
    from harness.streaming.content import TextBuilder
    from harness.streaming.interfaces.openai_responses.items import Item

Chunks: TypeAlias = "tuple[Chunk, ...]"


def as_text(value: object) -> str | None:
    """Return an id or a name as text; servers send numbers, too."""
    return None if value is None else str(value)


class TextAccumulator:
    """The words of one part of an item.

    Two habits of servers are seen through, each by waiting for one more event: an opening text
    that the deltas repeat, and a delta that repeats all that was said (catalogue OR-023).
    """

    __slots__ = ("_held", "_owner", "_said", "_size", "citations", "kind", "prose")

    def __init__(self, owner: Item, kind: str) -> None:
        self._owner, self.kind = owner, kind
        self._said: list[str] = []
        self._size = 0  # characters said
        self._held: str | None = None  # before anything is said an opening, afterwards an echo
        self.prose: TextBuilder | None = None
        self.citations: list[JSON] = []

    def open(self, text: object) -> None:
        """Take the text a part has when it is opened, and wait whether the deltas repeat it."""
        if isinstance(text, str) and text and not self._said:
            self._held = text

    def delta(self, fragment: object) -> Chunks:
        """Append a fragment."""
        if not isinstance(fragment, str) or not fragment:
            return ()
        if self._held is not None:
            return self._release(fragment) + self.delta(fragment)
        if len(fragment) == self._size and len(self._said) > 1 and fragment == "".join(self._said):
            self._held = fragment
            return ()
        return self._say(fragment)

    def whole(self, snapshot: object, *, final: bool = False) -> Chunks:
        """Take the whole text; say what of it was not said yet.

        Args:
            snapshot: the text, or whatever stands in its place.
            final: no more deltas will come, so a text that goes on after the last one is said.
        """
        text = snapshot if isinstance(snapshot, str) else ""
        said = self.said
        if self._held is not None and not said:
            text, self._held = text or self._held, None
        elif self._held is not None and said == text:
            self._held = None
            self._owner.note("repeated_text", None)
        before = self.settle()
        if not text or text == said or before:
            return before
        if not said or (final and text.startswith(said)):
            return self._say(text[len(said) :])
        if final:
            self._owner.note("snapshot_differs", self._owner.type)
        return ()

    def settle(self) -> Chunks:
        """Say what was held back: nothing has shown that it was said twice."""
        held, self._held = self._held, None
        return () if held is None else self._say(held)

    @property
    def said(self) -> str:
        """All that was said, as content holds it: characters that came in halves are joined."""
        return without_halves("".join(self._said))

    @property
    def holding(self) -> bool:
        """Whether something is held back."""
        return self._held is not None

    def _release(self, fragment: str) -> Chunks:
        """Decide about what is held back, now that a delta follows it."""
        if not self._said and (self._held or "").startswith(fragment):
            self._held = None
            return ()
        return self.settle()

    def _say(self, fragment: str) -> Chunks:
        self._said.append(fragment)
        self._size += len(fragment)
        return self._owner.write(self, fragment)
