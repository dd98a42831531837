"""The content of a response while it arrives: one slot per part, in the order of their opening.

Rules of this file: a slot keeps its fragments and joins them only when it is read, so the cost of
an event does not grow with the stream; an emitted chunk never changes, while the content joins a
character that was cut in two; a tool call is complete only if it was closed *and* its arguments are
one JSON object.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.model import (
    Chunk,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    argument_chunk,
    repair_surrogates,
    text_chunk,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model import JSON, Part

TextKind: TypeAlias = Literal["text", "reasoning", "refusal"]


class TextBuilder:
    """A text, reasoning or refusal part; ``signature`` and ``citations`` belong to it alone."""

    __slots__ = ("_fragments", "_kind", "citations", "part", "signature")

    def __init__(self, kind: TextKind, part: int) -> None:
        self._kind = kind
        self._fragments: list[str] = []
        self.part = part
        self.signature: str | None = None
        self.citations: list[JSON] = []

    @property
    def kind(self) -> TextKind:
        """Which kind of part this is."""
        return self._kind

    @property
    def empty(self) -> bool:
        """Whether no text has arrived yet."""
        return not self._fragments

    def add(self, fragment: str) -> tuple[Chunk, ...]:
        """Append a non-empty fragment; return its chunk."""
        self._fragments.append(fragment)
        return (text_chunk(self._kind, fragment, self.part),)

    def add_signature(self, fragment: str) -> None:
        """Append to the signature, which may arrive in several pieces."""
        self.signature = fragment if self.signature is None else self.signature + fragment

    def value(self) -> Part | None:
        """Return the part so far, or None where it holds nothing."""
        if not self._fragments and self.signature is None:
            return None
        text = repair_surrogates("".join(self._fragments))
        if self._kind == "reasoning":
            return Reasoning(text=text, signature=self.signature)
        if self._kind == "refusal":
            return Refusal(text=text)
        return Text(text=text, signature=self.signature, citations=tuple(self.citations) or None)


class ToolCallBuilder:
    """One tool call that the client has to run.

    Its first chunk carries id and name and is emitted once both are known, together with the
    fragments that arrived before. The chunks of a call that needs approval are approval requests;
    ``asks_approval`` means that the provider itself asks for it.
    """

    __slots__ = (
        "_approvals",
        "_closed",
        "_fragments",
        "_kind",
        "_parsed",
        "_waiting",
        "asks_approval",
        "id",
        "index",
        "name",
        "part",
        "signature",
    )

    def __init__(self, part: int, index: int, approvals: frozenset[str]) -> None:
        self.part, self.index = part, index
        self.asks_approval = False
        self.id: str | None = None
        self.name: str | None = None
        self.signature: str | None = None
        self._approvals = approvals
        self._fragments: list[str] = []
        self._waiting: list[str] = []
        self._kind: Literal["approval_request", "tool_call"] | None = None  # None: not announced
        self._closed = False
        self._parsed: dict[str, JSON] | None = None

    @property
    def empty(self) -> bool:
        """Whether no arguments have arrived yet."""
        return not self._fragments

    @property
    def blank(self) -> bool:
        """Whether the arguments are empty or white space so far."""
        return not any(fragment.strip() for fragment in self._fragments)

    @property
    def closed(self) -> bool:
        """Whether the provider ended the call."""
        return self._closed

    @property
    def needs_approval(self) -> bool:
        """Whether the call needs approval before it runs."""
        return self.asks_approval or (self.name is not None and self.name in self._approvals)

    def announce(self) -> tuple[Chunk, ...]:
        """Return the opening chunk once id and name are known; nothing the second time."""
        if self._kind is not None or not self.id or not self.name:
            return ()
        self._kind = "approval_request" if self.needs_approval else "tool_call"
        waiting = "".join(self._waiting) or None
        self._waiting.clear()
        return (Chunk(self._kind, None, self.part, self.index, self.id, self.name, waiting),)

    def add(self, fragment: str) -> tuple[Chunk, ...]:
        """Append a non-empty fragment of the arguments; return its chunk.

        The fragment waits until ``announce`` has returned the opening chunk.
        """
        self._fragments.append(fragment)
        if self._kind is None:
            self._waiting.append(fragment)
            return ()
        return (argument_chunk(self._kind, self.part, self.index, self.id, fragment),)

    def close(self) -> None:
        """Mark the call as ended by the provider and parse its arguments, once."""
        if not self._closed:
            self._closed = True
            self._parsed = parse_arguments("".join(self._fragments))

    def reopen(self) -> None:
        """Undo ``close``: the call goes on, or the provider reported it as incomplete."""
        self._closed, self._parsed = False, None

    def value(self) -> ToolCall:
        """Return the call so far."""
        complete = self._closed and self._parsed is not None and bool(self.name) and bool(self.id)
        return ToolCall(
            id=self.id,
            name=self.name,
            arguments_raw=repair_surrogates("".join(self._fragments)),
            arguments=self._parsed if complete else None,
            complete=complete,
            signature=self.signature,
            approval=True if self.needs_approval else None,
        )


class FinishedPart:
    """A part that arrived in one piece: redacted reasoning, a server tool, media."""

    __slots__ = ("content", "part")

    def __init__(self, part: int, content: Part) -> None:
        self.part, self.content = part, content

    def value(self) -> Part:
        """Return the part."""
        return self.content


class DeferredPart:
    """A part that is built when the content is read: media or a server tool that arrives in pieces.

    Args:
        part: its position in the content.
        build: returns the part as it is now.
    """

    __slots__ = ("part", "value")

    def __init__(self, part: int, build: Callable[[], Part]) -> None:
        self.part, self.value = part, build


Slot: TypeAlias = TextBuilder | ToolCallBuilder | FinishedPart | DeferredPart


class Assembly:
    """The content parts of one response, in the order they were opened.

    Args:
        approvals: names of the tools that need approval before they run.
    """

    def __init__(self, approvals: frozenset[str] = frozenset()) -> None:
        self._approvals = approvals
        self._slots: list[Slot] = []
        self.calls: list[ToolCallBuilder] = []

    def open_text(self, kind: TextKind) -> TextBuilder:
        """Open a text, reasoning or refusal part."""
        slot = TextBuilder(kind, len(self._slots))
        self._slots.append(slot)
        return slot

    def open_call(self, call_id: str | None = None, name: str | None = None) -> ToolCallBuilder:
        """Open a tool call; calls are numbered from 0 as they are opened."""
        slot = ToolCallBuilder(len(self._slots), len(self.calls), self._approvals)
        slot.id, slot.name = call_id, name
        self._slots.append(slot)
        self.calls.append(slot)
        return slot

    def add_part(self, content: Part) -> FinishedPart:
        """Add a part that arrived in one piece."""
        slot = FinishedPart(len(self._slots), content)
        self._slots.append(slot)
        return slot

    def defer_part(self, build: Callable[[], Part]) -> DeferredPart:
        """Add a part that is built each time the content is read."""
        slot = DeferredPart(len(self._slots), build)
        self._slots.append(slot)
        return slot

    @property
    def last(self) -> Slot | None:
        """The slot opened last."""
        return self._slots[-1] if self._slots else None

    @property
    def refused(self) -> bool:
        """Whether the model wrote a refusal."""
        return any(
            s.kind == "refusal" and not s.empty for s in self._slots if isinstance(s, TextBuilder)
        )

    @property
    def no_output(self) -> bool:
        """Whether there is no text, refusal, call, server tool or media."""
        return not any(
            isinstance(slot, ToolCallBuilder | DeferredPart)
            or (isinstance(slot, TextBuilder) and slot.kind != "reasoning" and not slot.empty)
            or (isinstance(slot, FinishedPart) and slot.content.kind != "redacted_reasoning")
            for slot in self._slots
        )

    def content(self) -> tuple[Part, ...]:
        """Return every part that holds something, in order."""
        values = (slot.value() for slot in self._slots)
        return tuple(value for value in values if value is not None)


def parse_arguments(text: str) -> dict[str, JSON] | None:
    """Return the arguments of a closed call, or None where the text is not one JSON object.

    An empty text is a call without arguments (catalogue OC-037, AN-020). A text with a lone
    surrogate, raw or escaped, is rejected, because a part of the character is missing; so are
    ``NaN`` and ``Infinity``, which only Python accepts as JSON.
    """
    if not text.strip():
        return {}
    try:
        if not text.isascii():  # pairs of surrogates are joined, a lone one is an error
            text = text.encode("utf-16", "surrogatepass").decode("utf-16")
        value = json.loads(text, parse_constant=_reject_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _reject_constant(constant: str) -> None:
    raise ValueError(constant)
