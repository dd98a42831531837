"""The output items of the Responses API that are calls, hosted tools and images.

Rules of this file: a call is closed when its item is done and has a status that says so; one
without a status waits for the terminal event, because a response that was cut sends its calls in
the same way; what the provider runs itself is kept unchanged and is never a tool call.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Chunk, Media, ServerTool
from harness.protocols.openai_responses.vocabulary import CLIENT_CALLS, FIELD_EVENTS, HOSTED
from harness.protocols.paths import get
from harness.streaming.interfaces.openai_responses.items import (
    Item,
    MessageItem,
    ReasoningItem,
    as_text,
)
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON
    from harness.streaming.content import Assembly, FinishedPart
    from harness.streaming.interfaces.openai_responses.items import Chunks, Note, TextAccumulator

# Item type -> the field its own delta events append to.
_GROWING = dict(FIELD_EVENTS.values())
# Statuses of a done item that do not close it; without a status the terminal event decides.
_NOT_CLOSED = frozenset({None, "in_progress", "incomplete"})
# Image formats whose media type has another name.
_IMAGE_TYPES = {"svg": "svg+xml"}


class FunctionCall(Item):
    """A call of one of the client's functions."""

    # Whether the provider itself asks for approval, whatever the tool's name.
    asks_approval: ClassVar[bool] = False
    field = "arguments"

    def __init__(self, item_type: str, assembly: Assembly, note: Note) -> None:
        super().__init__(item_type, assembly, note)
        self._call = assembly.open_call()
        self._call.asks_approval = self.asks_approval
        self._status: str | None = None
        self._announced = False

    def write(self, text: TextAccumulator, fragment: str) -> Chunks:  # noqa: ARG002 - a call has one text
        """Add a fragment of the arguments; a call that still grows is not closed."""
        self._call.reopen()
        return self._call.add(fragment)

    def open(self, sent: Any) -> Chunks:
        """Take id and name, and arguments that are there already."""
        self.arguments.open(self._arguments_in(sent))
        return self._identify(sent)

    def close(self, sent: Any) -> Chunks:
        """Take the done call."""
        chunks = self._identify(sent, done=True)
        chunks += self.arguments.snapshot(self._arguments_in(sent), final=True)
        self._status = as_text(getattr(sent, "status", None)) or self._status
        self._set_closed(closed=self._status not in _NOT_CLOSED)
        return chunks

    def end_response(self, *, completed: bool) -> None:
        """Close a call whose item was never done, or reopen one that a cut response may have cut.

        In a response that is not completed, only a call's own status can close it.
        """
        own = self._status == "completed"
        self._set_closed(closed=own or (completed and self._status != "incomplete"))

    def finalize(self) -> Chunks:
        """Emit what was held back; a call that never got a name emits its arguments now."""
        call = self._call
        call.id = call.id or self.id
        chunks = self.arguments.flush() + self._announce()
        if self._announced or call.empty:
            return chunks
        self._announced = True
        raw = call.value().arguments_raw
        return (Chunk("tool_call", None, call.part, call.index, call.id, None, raw),)

    def _announce(self) -> Chunks:
        chunks = self._call.announce()
        self._announced = self._announced or bool(chunks)
        return chunks

    def _set_closed(self, *, closed: bool) -> None:
        if closed:
            self._call.close()
        else:
            self._call.reopen()

    def _identify(self, sent: Any, *, done: bool = False) -> Chunks:
        """Take id and name; a done call without a call_id uses the id of its item."""
        call = self._call
        call.id = call.id or as_text(getattr(sent, "call_id", None))
        if done:
            call.id = call.id or as_text(getattr(sent, "id", None))
        call.name = call.name or self._tool_name(sent)
        return self._announce()

    def _tool_name(self, sent: Any) -> str | None:
        return as_text(getattr(sent, "name", None))

    def _arguments_in(self, sent: Any) -> object:
        return getattr(sent, self.field, None)


class CustomCall(FunctionCall):
    """A call of a tool that takes free text.

    Its text is kept as ``arguments_raw``. It is not a JSON object, even where it looks like one, so
    it has no parsed arguments and the call stays incomplete; a note says that it was closed.
    """

    field = "input"

    def _set_closed(self, *, closed: bool) -> None:
        if closed:
            self.note("free_text_call", self._call.name)


class ClientCall(FunctionCall):
    """A computer, shell or patch call; what the client has to do is its arguments."""

    def _tool_name(self, sent: Any) -> str | None:  # noqa: ARG002 - the name follows from the type
        return CLIENT_CALLS[self.type][0]

    def open(self, sent: Any) -> Chunks:
        """Take the id; the done item carries the arguments."""
        return self._identify(sent)

    def _arguments_in(self, sent: Any) -> object:
        raw = raw_of(sent)
        fields = {name: get(raw, name) for name in CLIENT_CALLS[self.type][1]}
        present = {name: value for name, value in fields.items() if value is not None}
        # Sorted, because each SDK version has an order of its own.
        return json.dumps(present, ensure_ascii=False, sort_keys=True)


class ApprovalRequest(FunctionCall):
    """A call of a remote tool that waits for approval; the reply refers to its item's id."""

    asks_approval = True

    def _identify(self, sent: Any, *, done: bool = True) -> Chunks:
        return super()._identify(sent, done=done)


class HostedTool(Item):
    """An item of the provider's own tools, or of an unknown type: kept unchanged."""

    _slot: FinishedPart | None = None
    _raw: JSON = None

    def write(self, text: TextAccumulator, fragment: str) -> Chunks:  # noqa: ARG002 - see finalize
        """Emit nothing: the progress of a hosted tool is part of the item only."""
        return ()

    def open(self, sent: Any) -> Chunks:
        """Keep the added item."""
        return self.close(sent)

    def close(self, sent: Any) -> Chunks:
        """Keep the done item."""
        self._store(raw_of(sent), as_text(getattr(sent, "id", None)))
        return ()

    def finalize(self) -> Chunks:
        """Add what the deltas carried, where the item itself lacks it."""
        self.arguments.flush()
        field, grown = _GROWING.get(self.type), self.arguments.text
        data = self._raw if isinstance(self._raw, dict) else {}
        if field and grown and not data.get(field):
            self._store({**data, field: grown}, self.id)
        return ()

    def _store(self, data: JSON, item_id: str | None) -> None:
        self._raw = data
        content = ServerTool(name=self.type, id=item_id, data=data)
        if self._slot is None:
            self._slot = self.assembly.add_part(content)
        self._slot.content = content


class Image(HostedTool):
    """A generated image: the last one sent, even if partial; a failed item is kept unchanged."""

    def open(self, sent: Any) -> Chunks:  # noqa: ARG002 - an added item holds no image yet
        """Wait for the image."""
        return ()

    def update(self, data: object, image_format: object) -> Chunks:
        """Keep an image in place of the one before."""
        name = as_text(image_format)
        media_type = name and f"image/{_IMAGE_TYPES.get(name, name)}"
        content = Media(media_type=media_type, data=as_text(data))
        if self._slot is None:
            self._slot = self.assembly.add_part(content)
        self._slot.content = content
        return ()

    def close(self, sent: Any) -> Chunks:
        """Keep the finished image."""
        result = getattr(sent, "result", None)
        if result:
            return self.update(result, getattr(sent, "output_format", None))
        return () if self._slot else super().close(sent)


_CLASSES: Mapping[str, type[Item]] = {
    "message": MessageItem,
    "reasoning": ReasoningItem,
    "function_call": FunctionCall,
    "custom_tool_call": CustomCall,
    "mcp_approval_request": ApprovalRequest,
    "image_generation_call": Image,
    **dict.fromkeys(CLIENT_CALLS, ClientCall),
}


def item_class(item_type: str, sent: Any) -> type[Item]:
    """Return the class for an item; what the provider runs itself is a hosted tool."""
    path, value = HOSTED.get(item_type, ("", None))
    if path and get(sent, path) == value:
        return HostedTool
    return _CLASSES.get(item_type, HostedTool)
