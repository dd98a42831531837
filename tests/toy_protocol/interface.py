"""The streaming interface of the toy: texts are one part, calls are found by their index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import ErrorInfo
from harness.streaming.interfaces.base import StreamingInterface
from harness.streaming.usage import counts_of, usage_of
from tests.toy_protocol.wire import FINISH, NAME, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model import Chunk, FinishReason
    from harness.streaming.content import TextBuilder, ToolCallBuilder


class ToyInterface(StreamingInterface):
    """Reads toy events; see ``StreamingInterface`` for its arguments and use."""

    protocol: ClassVar[str] = NAME
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = FINISH

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._text: TextBuilder | None = None
        self._calls: dict[int, ToolCallBuilder] = {}

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Read one event; return its chunks."""
        kind = getattr(event, "type", None)
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        return self.note_unknown("event", kind) if handler is None else handler(self, event)

    def begin(self, event: Any) -> Sequence[Chunk]:
        """Keep the id and the model."""
        self.response_id = event.id or self.response_id
        self.model = event.model or self.model
        return ()

    def text(self, event: Any) -> Sequence[Chunk]:
        """Append to the text, which is opened by its first fragment."""
        if not isinstance(event.text, str) or not event.text:
            return ()
        if self._text is None or self._text is not self.assembly.last:
            self._text = self.assembly.open_text("text")
        return self._text.add(event.text)

    def call_start(self, event: Any) -> Sequence[Chunk]:
        """Open a call; one whose index is taken belongs to none."""
        if type(event.index) is not int or event.index in self._calls:
            return self.note_unknown("call", event.index)
        call = self._calls[event.index] = self.assembly.open_call(event.id, event.name)
        return call.announce()

    def call_arguments(self, event: Any) -> Sequence[Chunk]:
        """Append to the arguments of an open call."""
        call = self._open_call(event.index)
        if call is None or not isinstance(event.fragment, str) or not event.fragment:
            return ()
        return call.add(event.fragment)

    def call_end(self, event: Any) -> Sequence[Chunk]:
        """Close a call."""
        call = self._open_call(event.index)
        if call is not None:
            call.close()
        return ()

    def _open_call(self, index: Any) -> ToolCallBuilder | None:
        call = self._calls.get(index) if type(index) is int else None
        if call is None or call.closed:
            self.note_unknown("call", index)
            return None
        return call

    def end(self, event: Any) -> Sequence[Chunk]:
        """Record why the stream ended, and the usage."""
        self.usage = usage_of(counts_of(event.usage, USAGE))
        self.record_terminal(event.reason if isinstance(event.reason, str) else None)
        return ()

    def failure(self, event: Any) -> Sequence[Chunk]:
        """Record a failure that the provider reports."""
        self.record_error(ErrorInfo(kind="server", code=event.code, message=str(event.message)))
        return ()


_HANDLERS: Mapping[str, Callable[[ToyInterface, Any], Sequence[Chunk]]] = {
    "begin": ToyInterface.begin,
    "text": ToyInterface.text,
    "call.start": ToyInterface.call_start,
    "call.arguments": ToyInterface.call_arguments,
    "call.end": ToyInterface.call_end,
    "end": ToyInterface.end,
    "error": ToyInterface.failure,
}
