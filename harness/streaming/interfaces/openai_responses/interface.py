"""OpenAI Responses: typed stream events -> chunks and an outcome.

https://developers.openai.com/api/reference/resources/responses/streaming-events

Rules of this file: an event is known by its ``type`` alone, since the SDK builds unknown ones as
something they are not; what an event is about is found by openai_responses_shelf.py and grows as
openai_responses_items.py says; the terminal response decides status, usage, id and model; an event
that came before is dropped, and numbers that never came make the stream a failed one.
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
from harness.streaming.interfaces.openai_responses.item_index import ItemIndex, Numbers
from harness.streaming.interfaces.openai_responses.texts import as_text
from harness.streaming.interfaces.openai_responses.tools import FunctionCall, Image, kind_of
from harness.streaming.usage import counts_of, raw_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.model import Chunk
    from harness.streaming.interfaces.openai_responses.items import Item, Telling
    from harness.streaming.interfaces.openai_responses.texts import TextAccumulator

    Handler: TypeAlias = Callable[["OpenAIResponsesInterface", Any], Sequence[Chunk]]

# Frames that hold one kind of part only -> that kind, where the part itself does not say.
_ONLY_KIND = {f"{PARTS['summary_text'].frame}.{end}": "summary_text" for end in ("added", "done")}


def _nothing(_: OpenAIResponsesInterface, __: Any) -> Sequence[Chunk]:
    """Take note of progress, or of a sign of life: neither says anything to keep."""
    return ()


def _part_delta(kind: str) -> Handler:
    return lambda self, event: self.words(kind, event).delta(getattr(event, "delta", None))


def _part_whole(kind: str) -> Handler:
    field = PARTS[kind].field
    return lambda self, event: self.words(kind, event).whole(getattr(event, field, None))


def _field_delta(item_type: str) -> Handler:
    return lambda self, event: self.item(item_type, event).arguments.delta(
        getattr(event, "delta", None)
    )


def _field_whole(item_type: str, field: str) -> Handler:
    return lambda self, event: self.item(item_type, event).arguments.whole(
        getattr(event, field, None)
    )


class OpenAIResponsesInterface(StreamingInterface):
    """The Responses interface; see ``StreamingInterface`` for its arguments and use."""

    protocol: ClassVar[str] = "openai_responses"
    finish_words = FINISH

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        super().__init__(requires_approval=requires_approval, model=model)
        self._shelf = ItemIndex()
        self._numbers = Numbers()
        self._named: tuple[object, ...] = ()  # how the last event named the part it grew
        self._grown: TextAccumulator

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one stream event; return its chunks."""
        if not self._numbers.fresh(getattr(event, "sequence_number", None)):
            self.note("repeated_event")
            return ()
        name = getattr(event, "type", None)
        handler = self.events.get(name) if type(name) is str else None
        if handler is None:
            return self.unknown("event", name or type(event).__name__)
        return handler(self, event)

    def settle(self) -> Sequence[Chunk]:
        """Say what was held back; a stream with a hole in it is not whole (catalogue OR-036)."""
        chunks = [chunk for item in self._shelf.items for chunk in item.settle()]
        missing = self._numbers.missing
        if missing:
            self.failed(info_of("truncated", message=f"events {missing} of the stream never came"))
        return chunks

    # The response

    def _opening(self, event: Any) -> Sequence[Chunk]:
        self._meet(getattr(event, "response", None))
        return ()

    def _terminal(self, event: Any) -> Sequence[Chunk]:
        response = getattr(event, "response", None)
        self._meet(response)
        self._count(getattr(response, "usage", None))
        chunks = self._compare(getattr(response, "output", None) or ())
        status = as_text(getattr(response, "status", None))
        if status is None or status in RUNNING or STATUS.get(status) == "stop":
            status = TERMINALS[event.type]  # the event says more
        self.terminal(as_text(get(response, "incomplete_details.reason")) or status)
        completed = FINISH.get(self.finish_raw or "") == "stop"
        for item in self._shelf.items:
            if isinstance(item, FunctionCall):
                item.conclude(completed=completed)
        if "failed" in {status, TERMINALS[event.type]}:
            self._blame(getattr(response, "error", None))
        return chunks

    def _provider_error(self, event: Any) -> Sequence[Chunk]:
        self._blame(getattr(event, "error", None) or event)
        return ()

    def _meet(self, response: Any) -> None:
        """Take over id and model; what is null leaves them as they are."""
        self.response_id = as_text(getattr(response, "id", None)) or self.response_id
        self.model = as_text(getattr(response, "model", None)) or self.model

    def _count(self, usage: Any) -> None:
        if usage is not None:
            self.raw_usage = raw_of(usage)
            self.usage = usage_of(counts_of(usage, USAGE)) or self.usage

    def _blame(self, error: Any) -> None:
        """Record the provider's error, flat or nested, or the lack of one."""
        if error is None or isinstance(error, str):
            self.failed(info_of(message=error or "the response failed and names no error"))
        elif getattr(error, "type", None) == "error":  # the event itself, which is no error type
            self.failed(info_of(code=getattr(error, "code", None), message=error.message))
        else:
            self.failed(error_info(error))

    def _compare(self, output: Sequence[Any]) -> Sequence[Chunk]:
        """Deliver what only the terminal response tells."""
        chunks: list[Chunk] = []
        for found, item in self._shelf.match(output):
            chunks += self._tell(item, found, None, "done")
        return chunks

    # Items

    def _item_added(self, event: Any) -> Sequence[Chunk]:
        return self._item_event(event, "added")

    def _item_done(self, event: Any) -> Sequence[Chunk]:
        return self._item_event(event, "done")

    def _item_event(self, event: Any, telling: Telling) -> Sequence[Chunk]:
        found, index = getattr(event, "item", None), getattr(event, "output_index", None)
        return self._tell(self._shelf.find_whole(found, index, telling), found, index, telling)

    def _tell(
        self, item: Item | None, found: Any, index: object, telling: Telling
    ) -> Sequence[Chunk]:
        """Let an item, perhaps a new one, take what is told of it."""
        item_type = getattr(found, "type", None)
        if not isinstance(item_type, str):
            return self.unknown("item", item_type)
        item = item or self._made(item_type, found)
        item.told.add(telling)
        self._shelf.put(item, getattr(found, "id", None), index, getattr(found, "call_id", None))
        self._named = ()
        return item.open(found) if telling == "added" else item.close(found)

    def _made(self, item_type: str, found: Any) -> Item:
        if item_type not in PROGRESS:
            self.unknown("item", item_type)
        return kind_of(item_type, found)(item_type, self.assembly, self.note)

    def item(self, item_type: str, event: Any) -> Item:
        """Return the item an event grows."""
        return self._item(
            item_type, getattr(event, "item_id", None), getattr(event, "output_index", None)
        )

    def _item(self, item_type: str, item_id: object, index: object) -> Item:
        """Return an item by its names; one that was never added is opened (OR-017, D37)."""
        item = self._shelf.find(item_type, item_id, index)
        if item is None:
            self.note("missing_start", item_type)
            item = self._made(item_type, None)
            self._shelf.put(item, item_id, index)
        return item

    # What grows

    def words(self, kind: str, event: Any) -> TextAccumulator:
        """Return the words of the numbered part an event grows."""
        part = PARTS[kind]
        index = getattr(event, part.numbered_by, None)
        item_id, place = getattr(event, "item_id", None), getattr(event, "output_index", None)
        named = (kind, item_id, place, index)
        if named != self._named:  # one part mostly grows by many deltas in a row
            item = self._item(part.item, item_id, place)
            self._grown = item.part(kind, index if type(index) is int else 0)
            self._named = named
        return self._grown

    def _framed(self, event: Any) -> tuple[TextAccumulator, Any] | None:
        """Return the words an event frames and their text, or None where the part is unknown."""
        part = getattr(event, "part", None)
        kind = as_text(getattr(part, "type", None)) or _ONLY_KIND.get(event.type)
        if kind is None or kind not in PARTS:
            self.unknown("part", kind)
            return None
        return self.words(kind, event), getattr(part, PARTS[kind].field, None)

    def _part_added(self, event: Any) -> Sequence[Chunk]:
        framed = self._framed(event)
        if framed:
            framed[0].open(framed[1])
        return ()

    def _part_done(self, event: Any) -> Sequence[Chunk]:
        framed = self._framed(event)
        return framed[0].whole(framed[1]) if framed else ()

    def _annotation(self, event: Any) -> Sequence[Chunk]:
        found = getattr(event, "annotation", None)
        if found is not None:
            self.words("output_text", event).citations.append(raw_of(found))
        return ()

    def _partial_image(self, event: Any) -> Sequence[Chunk]:
        image = self.item("image_generation_call", event)
        data = getattr(event, "partial_image_b64", None)
        if isinstance(image, Image) and data:
            return image.show(data, getattr(event, "output_format", None))
        return ()

    events: ClassVar[Mapping[str, Handler]] = {
        **dict.fromkeys((label for label in GRAMMAR.labels if "[" not in label), _nothing),
        "response.created": _opening,
        "response.queued": _opening,
        "response.in_progress": _opening,
        **dict.fromkeys(TERMINALS, _terminal),
        "error": _provider_error,
        ADDED: _item_added,
        DONE: _item_done,
        **dict.fromkeys((f"{part.frame}.added" for part in PARTS.values()), _part_added),
        **dict.fromkeys((f"{part.frame}.done" for part in PARTS.values()), _part_done),
        **{f"{stem}.delta": _part_delta(kind) for stem, kind in PART_EVENTS.items()},
        **{f"{stem}.done": _part_whole(kind) for stem, kind in PART_EVENTS.items()},
        **{f"{stem}.delta": _field_delta(grown[0]) for stem, grown in FIELD_EVENTS.items()},
        **{f"{stem}.done": _field_whole(*grown) for stem, grown in FIELD_EVENTS.items()},
        "response.output_text.annotation.added": _annotation,
        "response.image_generation_call.partial_image": _partial_image,
    }
