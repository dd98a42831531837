"""The output items of the Responses API that are tools at work: calls, hosted tools, images.

Rules of this file: a call is whole when its item is done and its status says so; one without a
status waits for the terminal, because a cut response tells its calls in the same way; what the
provider carries out itself is kept as it stands and is never a call.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Chunk, Media, ServerTool
from harness.protocols.openai_responses.vocabulary import CLIENT_CALLS, FIELD_EVENTS, HOSTED
from harness.protocols.paths import get
from harness.streaming.interfaces.openai_responses.items import Item, Message, Thinking
from harness.streaming.interfaces.openai_responses.texts import as_text
from harness.streaming.usage import raw_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON
    from harness.streaming.content import Assembly, FinishedPart
    from harness.streaming.interfaces.openai_responses.items import Note
    from harness.streaming.interfaces.openai_responses.texts import Chunks, TextAccumulator

# Item type -> the field its own delta events grow.
_GROWING = dict(FIELD_EVENTS.values())
# Statuses of a done item that do not say it is whole; none at all leaves it to the terminal.
_UNVOUCHED = frozenset({None, "in_progress", "incomplete"})
# Image formats whose media type is not their own name.
_IMAGE_TYPES = {"svg": "svg+xml"}


class FunctionCall(Item):
    """A call of one of the client's functions."""

    asks: ClassVar[bool] = False  # whether it asks for approval, whatever the tool's name
    field = "arguments"

    def __init__(self, item_type: str, assembly: Assembly, note: Note) -> None:
        super().__init__(item_type, assembly, note)
        self._call = assembly.call()
        self._call.asks = self.asks
        self._status: str | None = None
        self._shown = False

    def write(self, words: TextAccumulator, fragment: str) -> Chunks:  # noqa: ARG002 - a call has one text
        """Put a fragment of the arguments into the call, which is not whole if one still comes."""
        self._call.reopen()
        return self._call.add(fragment)

    def open(self, found: Any) -> Chunks:
        """Take id and name, and arguments that are there already."""
        self.arguments.open(self._told(found))
        return self._name(found)

    def close(self, found: Any) -> Chunks:
        """Take the call as it is done."""
        chunks = self._name(found, whole=True)
        chunks += self.arguments.whole(self._told(found), final=True)
        self._status = as_text(getattr(found, "status", None)) or self._status
        self._end(whole=self._status not in _UNVOUCHED)
        return chunks

    def conclude(self, *, completed: bool) -> None:
        """Close a call the item left open, or open one that the cut response leaves in doubt.

        In a response that is not completed, only a status of its own vouches for a call.
        """
        self._end(whole=self._status == "completed" or (completed and self._status != "incomplete"))

    def settle(self) -> Chunks:
        """Say what was held back; a call that never got its name shows its arguments at last."""
        call = self._call
        call.id = call.id or self.id
        chunks = self.arguments.settle() + self._announce()
        if self._shown or call.empty:
            return chunks
        self._shown = True
        raw = call.value().arguments_raw
        return (Chunk("tool_call", None, call.part, call.index, call.id, None, raw),)

    def _announce(self) -> Chunks:
        chunks = self._call.announce()
        self._shown = self._shown or bool(chunks)
        return chunks

    def _end(self, *, whole: bool) -> None:
        if whole:
            self._call.close()
        else:
            self._call.reopen()

    def _name(self, found: Any, *, whole: bool = False) -> Chunks:
        """Take id and name; a done call without a call_id goes by the id of its item."""
        call = self._call
        call.id = call.id or as_text(getattr(found, "call_id", None))
        if whole:
            call.id = call.id or as_text(getattr(found, "id", None))
        call.name = call.name or self._tool(found)
        return self._announce()

    def _tool(self, found: Any) -> str | None:
        return as_text(getattr(found, "name", None))

    def _told(self, found: Any) -> object:
        return getattr(found, self.field, None)


class CustomCall(FunctionCall):
    """A call of a tool that takes free text.

    Its text is kept as ``arguments_raw``. It is no JSON object, whatever it looks like, so no
    arguments can be parsed from it and the call stays incomplete; a note tells that it was whole.
    """

    field = "input"

    def _end(self, *, whole: bool) -> None:
        if whole:
            self.note("free_text_call", self._call.name)


class ClientCall(FunctionCall):
    """A computer, shell or patch call; what the client has to do is its arguments."""

    def _tool(self, found: Any) -> str | None:  # noqa: ARG002 - the name follows from the type
        return CLIENT_CALLS[self.type][0]

    def open(self, found: Any) -> Chunks:
        """Take the id; what to do is told when the item is done."""
        return self._name(found)

    def _told(self, found: Any) -> object:
        raw = raw_of(found)
        fields = {name: get(raw, name) for name in CLIENT_CALLS[self.type][1]}
        told = {name: value for name, value in fields.items() if value is not None}
        # Sorted, because each SDK version has an order of its own.
        return json.dumps(told, ensure_ascii=False, sort_keys=True)


class ApprovalRequest(FunctionCall):
    """A call of a remote tool that waits for somebody's word; it is answered by its item's id."""

    asks = True

    def _name(self, found: Any, *, whole: bool = True) -> Chunks:
        return super()._name(found, whole=whole)


class HostedTool(Item):
    """An item of the provider's own tools, or one nobody knows: kept as it stands."""

    _slot: FinishedPart | None = None
    _raw: JSON = None

    def write(self, words: TextAccumulator, fragment: str) -> Chunks:  # noqa: ARG002 - shown with the item
        """Keep a fragment for the end: a hosted tool's progress is not shown."""
        return ()

    def open(self, found: Any) -> Chunks:
        """Keep the item as it is added."""
        return self.close(found)

    def close(self, found: Any) -> Chunks:
        """Keep the item as it is done."""
        self._keep(raw_of(found), as_text(getattr(found, "id", None)))
        return ()

    def settle(self) -> Chunks:
        """Add what the deltas told, where the item itself never did."""
        self.arguments.settle()
        field, grown = _GROWING.get(self.type), self.arguments.said
        data = self._raw if isinstance(self._raw, dict) else {}
        if field and grown and not data.get(field):
            self._keep({**data, field: grown}, self.id)
        return ()

    def _keep(self, data: JSON, item_id: str | None) -> None:
        self._raw = data
        content = ServerTool(name=self.type, id=item_id, data=data)
        if self._slot is None:
            self._slot = self.assembly.ready(content)
        self._slot.content = content


class Image(HostedTool):
    """A generated image: the last one that came, be it partial; a failure is kept as it stands."""

    def open(self, found: Any) -> Chunks:  # noqa: ARG002 - there is nothing to see yet
        """Wait for the image."""
        return ()

    def show(self, data: object, image_format: object) -> Chunks:
        """Keep an image, in place of the one before."""
        name = as_text(image_format)
        media_type = name and f"image/{_IMAGE_TYPES.get(name, name)}"
        content = Media(media_type=media_type, data=as_text(data))
        if self._slot is None:
            self._slot = self.assembly.ready(content)
        self._slot.content = content
        return ()

    def close(self, found: Any) -> Chunks:
        """Keep the finished image."""
        result = getattr(found, "result", None)
        if result:
            return self.show(result, getattr(found, "output_format", None))
        return () if self._slot else super().close(found)


_KINDS: Mapping[str, type[Item]] = {
    "message": Message,
    "reasoning": Thinking,
    "function_call": FunctionCall,
    "custom_tool_call": CustomCall,
    "mcp_approval_request": ApprovalRequest,
    "image_generation_call": Image,
    **dict.fromkeys(CLIENT_CALLS, ClientCall),
}


def kind_of(item_type: str, found: Any) -> type[Item]:
    """Return the class for an item; what the provider carries out itself is a hosted tool."""
    path, value = HOSTED.get(item_type, ("", None))
    if path and get(found, path) == value:
        return HostedTool
    return _KINDS.get(item_type, HostedTool)
