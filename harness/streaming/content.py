"""Where content grows: one slot for each content part, in the order the provider opened them.

Rules of this file: a slot keeps the fragments it was given and joins them only when asked, so an
event costs the same however long the stream is; a chunk, once handed out, never changes, while a
character that was cut in two is whole in the content; a tool call is complete only if it was closed
*and* its text is one JSON object.
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
    from harness.model import JSON, Part

TextKind: TypeAlias = Literal["text", "reasoning", "refusal"]


class TextBuilder:
    """A part made of words: text, reasoning or a refusal.

    ``signature`` and ``citations`` belong to this part alone; ``closed`` tells that the provider
    ended it.
    """

    __slots__ = ("_fragments", "_kind", "citations", "closed", "part", "signature")

    def __init__(self, kind: TextKind, part: int) -> None:
        self._kind = kind
        self._fragments: list[str] = []
        self.part = part
        self.signature: str | None = None
        self.citations: list[JSON] = []
        self.closed = False

    @property
    def kind(self) -> TextKind:
        """Which kind of words these are."""
        return self._kind

    @property
    def empty(self) -> bool:
        """Whether no word has come yet."""
        return not self._fragments

    def add(self, fragment: str) -> tuple[Chunk, ...]:
        """Append a non-empty fragment; return what can be shown of it, which is all."""
        self._fragments.append(fragment)
        return (text_chunk(self._kind, fragment, self.part),)

    def sign(self, fragment: str) -> None:
        """Append to the signature, which may come in several pieces."""
        self.signature = fragment if self.signature is None else self.signature + fragment

    def value(self) -> Part | None:
        """Return the part so far, or None where there is nothing to keep."""
        if not self._fragments and self.signature is None:
            return None
        text = repair_surrogates("".join(self._fragments))
        if self._kind == "reasoning":
            return Reasoning(text=text, signature=self.signature)
        if self._kind == "refusal":
            return Refusal(text=text)
        return Text(text=text, signature=self.signature, citations=tuple(self.citations) or None)


class ToolCallBuilder:
    """One tool call the client has to run.

    Its first chunk carries id and name and waits until both are known; fragments that came before
    are then handed out at once. ``approval`` turns its chunks into approval requests; ``asks`` says
    that the provider itself waits for somebody's word.
    """

    __slots__ = (
        "_approvals",
        "_closed",
        "_fragments",
        "_kind",
        "_parsed",
        "_waiting",
        "asks",
        "id",
        "index",
        "name",
        "part",
        "signature",
    )

    def __init__(self, part: int, index: int, approvals: frozenset[str]) -> None:
        self.part, self.index = part, index
        self.asks = False
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
        """Whether no byte of the arguments has come yet."""
        return not self._fragments

    @property
    def blank(self) -> bool:
        """Whether the arguments say nothing yet: no byte of them, or white space alone."""
        return not any(fragment.strip() for fragment in self._fragments)

    @property
    def closed(self) -> bool:
        """Whether the provider ended the call."""
        return self._closed

    @property
    def approval(self) -> bool:
        """Whether the tool needs somebody's approval before it runs."""
        return self.asks or (self.name is not None and self.name in self._approvals)

    def announce(self) -> tuple[Chunk, ...]:
        """Return the opening chunk once id and name are known; nothing the second time."""
        if self._kind is not None or not self.id or not self.name:
            return ()
        self._kind = "approval_request" if self.approval else "tool_call"
        waiting = "".join(self._waiting) or None
        self._waiting.clear()
        return (Chunk(self._kind, None, self.part, self.index, self.id, self.name, waiting),)

    def add(self, fragment: str) -> tuple[Chunk, ...]:
        """Append a non-empty fragment of the arguments; return what can be shown of it.

        It is kept back until ``announce`` has handed out the opening chunk.
        """
        self._fragments.append(fragment)
        if self._kind is None:
            self._waiting.append(fragment)
            return ()
        return (argument_chunk(self._kind, self.part, self.index, self.id, fragment),)

    def close(self) -> None:
        """Mark the call as ended by the provider; its arguments are parsed here, once."""
        if not self._closed:
            self._closed = True
            self._parsed = parse_arguments("".join(self._fragments))

    def reopen(self) -> None:
        """Take the close back: the provider reported the call itself as incomplete."""
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
            approval=True if self.approval else None,
        )


class FinishedPart:
    """A part that arrived whole: redacted reasoning, a server tool, media."""

    __slots__ = ("content", "part")

    def __init__(self, part: int, content: Part) -> None:
        self.part, self.content = part, content

    def value(self) -> Part:
        """Return the part."""
        return self.content


Slot: TypeAlias = TextBuilder | ToolCallBuilder | FinishedPart


class Assembly:
    """The slots of one response, in the order they were opened.

    Args:
        approvals: names of the tools that need approval before they run.
    """

    def __init__(self, approvals: frozenset[str] = frozenset()) -> None:
        self._approvals = approvals
        self._slots: list[Slot] = []
        self.calls: list[ToolCallBuilder] = []

    def prose(self, kind: TextKind) -> TextBuilder:
        """Open a part made of words."""
        slot = TextBuilder(kind, len(self._slots))
        self._slots.append(slot)
        return slot

    def call(self, call_id: str | None = None, name: str | None = None) -> ToolCallBuilder:
        """Open a tool call; calls are numbered from 0 as they are opened."""
        slot = ToolCallBuilder(len(self._slots), len(self.calls), self._approvals)
        slot.id, slot.name = call_id, name
        self._slots.append(slot)
        self.calls.append(slot)
        return slot

    def ready(self, content: Part) -> FinishedPart:
        """Keep a part that arrived whole."""
        slot = FinishedPart(len(self._slots), content)
        self._slots.append(slot)
        return slot

    @property
    def last(self) -> Slot | None:
        """The slot opened last."""
        return self._slots[-1] if self._slots else None

    @property
    def refused(self) -> bool:
        """Whether the model refused, in words of its own."""
        return any(
            s.kind == "refusal" and not s.empty for s in self._slots if isinstance(s, TextBuilder)
        )

    @property
    def silent(self) -> bool:
        """Whether there is nothing a reader or a tool could use: no text, call, refusal, media."""
        return not any(
            isinstance(slot, ToolCallBuilder)
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

    No text at all is a call without arguments (catalogue OC-037, AN-020). A text in which half a
    character is missing is none, raw or as an escape: nobody runs a tool with what is left. Nor is
    one with ``NaN`` or ``Infinity``, which only Python takes for JSON.
    """
    if not text.strip():
        return {}
    try:
        if not text.isascii():  # halves of characters that met are joined, a lone one is refused
            text = text.encode("utf-16", "surrogatepass").decode("utf-16")
        value = json.loads(text, parse_constant=_no_json)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _no_json(constant: str) -> None:
    raise ValueError(constant)
