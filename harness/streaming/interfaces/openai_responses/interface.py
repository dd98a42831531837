"""OpenAI Responses: typed stream events -> chunks and an outcome.

https://developers.openai.com/api/reference/resources/responses/streaming-events

Rules of this file: an event is identified by its ``type`` alone, because the SDK parses unknown
events as another class; the terminal response decides status, usage, id and model; a repeated event
is dropped, and a stream with missing sequence numbers is a failed one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from harness.protocols.openai_responses.grammar import ADDED, DONE, GRAMMAR
from harness.protocols.openai_responses.vocabulary import (
    FIELD_EVENTS,
    FINISH,
    PART_EVENTS,
    PARTS,
    PROGRESS,
    RUNNING,
    STATUS,
    TERMINALS,
    USAGE,
)
from harness.protocols.paths import get
from harness.streaming.error_mapping import error_info, info_of
from harness.streaming.interfaces.base import StreamingInterface
from harness.streaming.interfaces.openai_responses.item_index import ItemIndex
from harness.streaming.interfaces.openai_responses.items import as_text
from harness.streaming.interfaces.openai_responses.sequence import SequenceNumbers
from harness.streaming.interfaces.openai_responses.tools import FunctionCall, Image, item_class
from harness.streaming.usage import counts_of, raw_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.model import Chunk
    from harness.streaming.interfaces.openai_responses.items import Item, Stage, TextAccumulator

    Handler: TypeAlias = Callable[["OpenAIResponsesInterface", Any], Sequence[Chunk]]

# Part events that exist for one kind of part -> that kind, for parts without a type of their own.
_ONLY_KIND = {f"{PARTS['summary_text'].frame}.{end}": "summary_text" for end in ("added", "done")}


def _ignore(_: OpenAIResponsesInterface, __: Any) -> Sequence[Chunk]:
    """Handle an event that carries no content: progress, keepalive."""
    return ()


def _text_delta(kind: str) -> Handler:
    return lambda self, event: self.text_of(kind, event).delta(getattr(event, "delta", None))


def _text_done(kind: str) -> Handler:
    field = PARTS[kind].field
    return lambda self, event: self.text_of(kind, event).snapshot(getattr(event, field, None))


def _field_delta(item_type: str) -> Handler:
    return lambda self, event: self.item_of(item_type, event).arguments.delta(
        getattr(event, "delta", None)
    )


def _field_done(item_type: str, field: str) -> Handler:
    return lambda self, event: self.item_of(item_type, event).arguments.snapshot(
        getattr(event, field, None)
    )


class OpenAIResponsesInterface(StreamingInterface):
    """The Responses interface; see ``StreamingInterface`` for its arguments and use."""

    protocol: ClassVar[str] = "openai_responses"
    finish_reasons = FINISH

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        super().__init__(requires_approval=requires_approval, model=model)
        self._index = ItemIndex()
        self._sequence = SequenceNumbers()
        self._last_key: tuple[object, ...] = ()  # how the last event identified its part
        self._last_text: TextAccumulator

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one stream event; return its chunks."""
        if not self._sequence.accept(getattr(event, "sequence_number", None)):
            self.note("repeated_event")
            return ()
        name = getattr(event, "type", None)
        handler = self.events.get(name) if type(name) is str else None
        if handler is None:
            return self.note_unknown("event", name or type(event).__name__)
        return handler(self, event)

    def finalize(self) -> Sequence[Chunk]:
        """Emit what was held back; a stream with missing events has failed (catalogue OR-036)."""
        chunks = [chunk for item in self._index.items for chunk in item.finalize()]
        missing = self._sequence.missing
        if missing:
            message = f"events {missing} of the stream never came"
            self.record_error(info_of("truncated", message=message))
        return chunks

    # The response

    def _opening(self, event: Any) -> Sequence[Chunk]:
        self._take_identity(getattr(event, "response", None))
        return ()

    def _terminal(self, event: Any) -> Sequence[Chunk]:
        response = getattr(event, "response", None)
        self._take_identity(response)
        self._take_usage(getattr(response, "usage", None))
        chunks = self._take_output(getattr(response, "output", None) or ())
        status = as_text(getattr(response, "status", None))
        if status is None or status in RUNNING or STATUS.get(status) == "stop":
            status = TERMINALS[event.type]  # the event's name is more specific
        self.record_terminal(as_text(get(response, "incomplete_details.reason")) or status)
        completed = FINISH.get(self.finish_raw or "") == "stop"
        for item in self._index.items:
            if isinstance(item, FunctionCall):
                item.end_response(completed=completed)
        if "failed" in {status, TERMINALS[event.type]}:
            self._take_error(getattr(response, "error", None))
        return chunks

    def _provider_error(self, event: Any) -> Sequence[Chunk]:
        self._take_error(getattr(event, "error", None) or event)
        return ()

    def _take_identity(self, response: Any) -> None:
        """Take over id and model; null keeps the known ones."""
        self.response_id = as_text(getattr(response, "id", None)) or self.response_id
        self.model = as_text(getattr(response, "model", None)) or self.model

    def _take_usage(self, usage: Any) -> None:
        if usage is not None:
            self.raw_usage = raw_of(usage)
            self.usage = usage_of(counts_of(usage, USAGE)) or self.usage

    def _take_error(self, error: Any) -> None:
        """Record the provider's error, flat or nested, or that there is none."""
        if error is None or isinstance(error, str):
            message = error or "the response failed and names no error"
            self.record_error(info_of(message=message))
        elif getattr(error, "type", None) == "error":  # the event itself: "error" is not a code
            self.record_error(info_of(code=getattr(error, "code", None), message=error.message))
        else:
            self.record_error(error_info(error))

    def _take_output(self, output: Sequence[Any]) -> Sequence[Chunk]:
        """Deliver what only the terminal response contains."""
        chunks: list[Chunk] = []
        for sent, item in self._index.match(output):
            chunks += self._take_item(item, sent, None, "done")
        return chunks

    # Items

    def _item_added(self, event: Any) -> Sequence[Chunk]:
        return self._item_event(event, "added")

    def _item_done(self, event: Any) -> Sequence[Chunk]:
        return self._item_event(event, "done")

    def _item_event(self, event: Any, stage: Stage) -> Sequence[Chunk]:
        sent, index = getattr(event, "item", None), getattr(event, "output_index", None)
        return self._take_item(self._index.find_sent(sent, index, stage), sent, index, stage)

    def _take_item(
        self, item: Item | None, sent: Any, index: object, stage: Stage
    ) -> Sequence[Chunk]:
        """Update an item, or a new one, from an item object."""
        item_type = getattr(sent, "type", None)
        if not isinstance(item_type, str):
            return self.note_unknown("item", item_type)
        item = item or self._new_item(item_type, sent)
        item.stages.add(stage)
        sent_id, call_id = getattr(sent, "id", None), getattr(sent, "call_id", None)
        self._index.register(item, sent_id, index, call_id)
        self._last_key = ()
        return item.open(sent) if stage == "added" else item.close(sent)

    def _new_item(self, item_type: str, sent: Any) -> Item:
        if item_type not in PROGRESS:
            self.note_unknown("item", item_type)
        return item_class(item_type, sent)(item_type, self.assembly, self.note)

    def item_of(self, item_type: str, event: Any) -> Item:
        """Return the item an event appends to."""
        return self._item(
            item_type, getattr(event, "item_id", None), getattr(event, "output_index", None)
        )

    def _item(self, item_type: str, item_id: object, index: object) -> Item:
        """Return an item by id or index; one that was never added is opened (OR-017, D37)."""
        item = self._index.find(item_type, item_id, index)
        if item is None:
            self.note("missing_start", item_type)
            item = self._new_item(item_type, None)
            self._index.register(item, item_id, index)
        return item

    # Text

    def text_of(self, kind: str, event: Any) -> TextAccumulator:
        """Return the text of the numbered part an event appends to."""
        part = PARTS[kind]
        index = getattr(event, part.numbered_by, None)
        item_id, output_index = (
            getattr(event, "item_id", None),
            getattr(event, "output_index", None),
        )
        key = (kind, item_id, output_index, index)
        if key != self._last_key:  # most deltas belong to the same part as the one before
            item = self._item(part.item, item_id, output_index)
            self._last_text = item.text_of(kind, index if type(index) is int else 0)
            self._last_key = key
        return self._last_text

    def _sent_part(self, event: Any) -> tuple[TextAccumulator, Any] | None:
        """Return the text a part event belongs to and the one it carries; None: an unknown part."""
        part = getattr(event, "part", None)
        kind = as_text(getattr(part, "type", None)) or _ONLY_KIND.get(event.type)
        if kind is None or kind not in PARTS:
            self.note_unknown("part", kind)
            return None
        return self.text_of(kind, event), getattr(part, PARTS[kind].field, None)

    def _part_added(self, event: Any) -> Sequence[Chunk]:
        sent = self._sent_part(event)
        if sent:
            sent[0].open(sent[1])
        return ()

    def _part_done(self, event: Any) -> Sequence[Chunk]:
        sent = self._sent_part(event)
        return sent[0].snapshot(sent[1]) if sent else ()

    def _annotation(self, event: Any) -> Sequence[Chunk]:
        annotation = getattr(event, "annotation", None)
        if annotation is not None:
            self.text_of("output_text", event).citations.append(raw_of(annotation))
        return ()

    def _partial_image(self, event: Any) -> Sequence[Chunk]:
        image = self.item_of("image_generation_call", event)
        data = getattr(event, "partial_image_b64", None)
        if isinstance(image, Image) and data:
            return image.update(data, getattr(event, "output_format", None))
        return ()

    events: ClassVar[Mapping[str, Handler]] = {
        **dict.fromkeys((label for label in GRAMMAR.labels if "[" not in label), _ignore),
        "response.created": _opening,
        "response.queued": _opening,
        "response.in_progress": _opening,
        **dict.fromkeys(TERMINALS, _terminal),
        "error": _provider_error,
        ADDED: _item_added,
        DONE: _item_done,
        **dict.fromkeys((f"{part.frame}.added" for part in PARTS.values()), _part_added),
        **dict.fromkeys((f"{part.frame}.done" for part in PARTS.values()), _part_done),
        **{f"{stem}.delta": _text_delta(kind) for stem, kind in PART_EVENTS.items()},
        **{f"{stem}.done": _text_done(kind) for stem, kind in PART_EVENTS.items()},
        **{f"{stem}.delta": _field_delta(grown[0]) for stem, grown in FIELD_EVENTS.items()},
        **{f"{stem}.done": _field_done(*grown) for stem, grown in FIELD_EVENTS.items()},
        "response.output_text.annotation.added": _annotation,
        "response.image_generation_call.partial_image": _partial_image,
    }
