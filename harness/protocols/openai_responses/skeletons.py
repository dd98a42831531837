"""The shorthand of scenarios for the Responses stream.

Words are the wire's event types. In a payload ``at`` is ``[output_index]`` or ``[output_index, part
index]``; left out, an item is added at the next free index and everything else belongs to the item
added last. A delta may be written as its text alone. Four words write a whole item, deltas and done
events included:

``text: Hello``            a message of one part; ``says`` is its text, or the list of its deltas
``refusal: I cannot``      the same for a refusal
``reasoning: {says: […], encrypted: …}``  an item with one summary part for each text
``call: {name, arguments, call_id, status}``  a function call; ``arguments`` as ``says``

A composer remembers the items it has written. So ids, the texts of ``.done`` events, the items of
``output_item.done`` and the ``output`` of the terminal response follow from what came before,
unless a payload has them; events are numbered in the order they are written.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from harness.model import JSON, Event
from harness.protocols.composing import Composer, merge
from harness.protocols.message import IN_ORDER
from harness.protocols.openai_responses.grammar import ADDED, DONE, GRAMMAR
from harness.protocols.openai_responses.objects import (
    ANNOTATION,
    ENDINGS,
    ERROR,
    EVENT_FIELDS,
    MODEL,
    OPENINGS,
    PART_FIELDS,
    RESPONSE,
    RESPONSE_ID,
    new_item,
)
from harness.protocols.openai_responses.vocabulary import (
    AUDIO_EVENTS,
    FIELD_EVENTS,
    PART_EVENTS,
    PARTS,
    TERMINALS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.protocols.composing import Skeleton

    Fields: TypeAlias = dict[str, JSON]

_ANNOTATED = "response.output_text.annotation.added"
_STEMS: Mapping[str, str] = {kind: stem for stem, kind in PART_EVENTS.items()}
_INDEXES: Mapping[str, str] = {part.frame: part.numbered_by for part in PARTS.values()}


class _Events(Composer):
    """Writes the events of one Responses stream.

    Args:
        model: the model that its response objects name.
        response_id: their id.
    """

    def __init__(self, model: str = MODEL, response_id: str = RESPONSE_ID) -> None:
        self._response: Fields = {"id": response_id, "model": model, **RESPONSE}
        self._number = 0
        self._last = 0
        self._items: dict[int, Fields] = {}  # as far as they have grown
        self._done: dict[int, JSON] = {}  # as their output_item.done has them

    def _write(self, word: str, fields: Fields, payload: Fields) -> Event:
        """Return one event, numbered after the one before it."""
        number = {"sequence_number": self._number}
        data = merge({"type": word, **fields, **number}, payload)
        written = data.get("sequence_number")
        self._number = written + 1 if isinstance(written, int) else self._number
        return Event(data.get("type", word), data)

    # The response

    def opening(self, word: str, payload: Fields) -> Event:
        """Return an event before the first item."""
        response = {**self._response, "status": OPENINGS[word]}
        return self._write(word, {"response": response}, payload)

    def terminal(self, word: str, payload: Fields) -> Event:
        """Return an event that ends the response; its output is what is done so far."""
        written = dict(payload.get("response") or {})
        response = {
            **self._response,
            "status": TERMINALS[word],
            "output": [self._done[index] for index in sorted(self._done)],
            **ENDINGS[word],
        }
        if "usage" in written:  # a payload's counts replace the skeleton's as a whole
            response["usage"] = written.pop("usage")
        rest = {**payload, "response": written} if "response" in payload else payload
        if payload.get("response", written) is None:
            rest = {**payload, "response": None}
        return self._write(word, {"response": response}, rest)

    def error(self, word: str, payload: Fields) -> Event:
        """Return an error event: flat, or nested where the payload has an ``error``."""
        return self._write(word, {} if "error" in payload else ERROR, payload)

    # Items

    def add(self, word: str, payload: Fields) -> Event:
        """Return the event that adds an item."""
        (index,), rest = self._place(payload, [self._free()])
        written = rest.pop("item", {})
        item = merge(new_item(index, written), written)
        self._items[index] = deepcopy(item) if isinstance(item, dict) else {}
        self._last = index
        return self._write(word, {"output_index": index, "item": item}, rest)

    def finish(self, word: str, payload: Fields) -> Event:
        """Return the event that ends an item and repeats it as a whole."""
        (index,), rest = self._place(payload, [self._last])
        written = rest.pop("item", {})
        grown = self._items.get(index) or new_item(index, written)
        if "status" in grown:
            grown = {**grown, "status": "completed"}
        self._done[index] = item = merge(deepcopy(grown), written)
        return self._write(word, {"output_index": index, "item": item}, rest)

    def _free(self) -> int:
        return max(self._items, default=-1) + 1

    def _place(self, payload: Fields, default: Sequence[int]) -> tuple[Sequence[int], Fields]:
        """Take ``at`` out of a payload and complete it from the default."""
        rest = dict(payload)
        at = rest.pop("at", default)
        return [*at, *default[len(at) :]], rest

    def _indexed(self, word: str, payload: Fields) -> tuple[Sequence[int], Fields, Fields]:
        """Return the place of an event, the fields with its indexes, and its other payload."""
        names = _indexes(word)
        at, rest = self._place(payload, [self._last, 0])
        item_id = {"item_id": self._items.get(at[0], {}).get("id")} if names else {}
        return at, {**item_id, **dict(zip(names, at, strict=False))}, rest

    # Parts, and fields that grow

    def part_delta(self, stem: str, payload: Fields) -> Event:
        """Return an event that grows a part."""
        word = f"{stem}.delta"
        at, fields, rest = self._indexed(word, payload)
        _grow(self._part(at, PART_EVENTS[stem]), PARTS[PART_EVENTS[stem]].field, rest)
        return self._write(word, {**fields, "delta": "", **EVENT_FIELDS.get(stem, {})}, rest)

    def part_done(self, stem: str, payload: Fields) -> Event:
        """Return an event that repeats a part's text as a whole."""
        word = f"{stem}.done"
        at, fields, rest = self._indexed(word, payload)
        name = PARTS[PART_EVENTS[stem]].field
        text = self._part(at, PART_EVENTS[stem]).get(name, "")
        return self._write(word, {**fields, name: text, **EVENT_FIELDS.get(stem, {})}, rest)

    def frame(self, word: str, payload: Fields) -> Event:
        """Return an event that opens or closes a part."""
        kind = self._kind(word, payload)
        at, fields, rest = self._indexed(word, payload)
        grown = deepcopy(self._part(at, kind)) if kind in PARTS else {"type": kind}
        part = merge(grown, rest.pop("part", {}))
        return self._write(word, {**fields, "part": part}, rest)

    def annotation(self, word: str, payload: Fields) -> Event:
        """Return an event that annotates a text."""
        at, fields, rest = self._indexed(word, payload)
        known = self._part(at, "output_text").setdefault("annotations", [])
        note = merge(ANNOTATION, rest.pop("annotation", {}))
        known.append(note)
        fields |= {"annotation_index": len(known) - 1, "annotation": note}
        return self._write(word, fields, rest)

    def field_delta(self, stem: str, payload: Fields) -> Event:
        """Return an event that grows a field of an item."""
        word = f"{stem}.delta"
        at, fields, rest = self._indexed(word, payload)
        _grow(self._items.setdefault(at[0], {}), FIELD_EVENTS[stem][1], rest)
        return self._write(word, {**fields, "delta": ""}, rest)

    def field_done(self, stem: str, payload: Fields) -> Event:
        """Return an event that repeats a field as a whole."""
        word = f"{stem}.done"
        at, fields, rest = self._indexed(word, payload)
        name = FIELD_EVENTS[stem][1]
        fields[name] = self._items.get(at[0], {}).get(name, "")
        return self._write(word, fields, rest)

    def progress(self, word: str, payload: Fields) -> Event:
        """Return an event that reports what a tool is doing."""
        _, fields, rest = self._indexed(word, payload)
        return self._write(word, fields, rest)

    def _kind(self, word: str, payload: Fields) -> str:
        """Return the type of the part that an event opens or closes.

        It is the payload's, else that of the part at this index, else the usual one of the item.
        """
        at, rest = self._place(payload, [self._last, 0])
        written = (rest.get("part") or {}).get("type")
        framed = [kind for kind, part in PARTS.items() if word.startswith(part.frame)]
        item = self._items.get(at[0], {})
        grown = (item.get(PARTS[framed[0]].parts) or [])[at[1] : at[1] + 1]
        usual = [kind for kind in framed if PARTS[kind].item == item.get("type")]
        return written or next((part["type"] for part in grown), (usual or framed)[0])

    def _part(self, at: Sequence[int], kind: str) -> Fields:
        """Return a part as far as it has grown; the first time it is empty."""
        part = PARTS[kind]
        parts = self._items.setdefault(at[0], {}).setdefault(part.parts, [])
        while len(parts) <= at[1]:
            parts.append({"type": kind, part.field: "", **deepcopy(PART_FIELDS.get(kind, {}))})
        found: Fields = parts[at[1]]
        return found

    # Complete items

    def message(self, payload: Fields, *kinds: str) -> Iterator[Event]:
        """Yield a message: ``says`` holds the text of each of its parts."""
        (index,), rest = self._place(payload, [self._free()])
        parts = rest.pop("says", [""])
        yield self.add(ADDED, merge({"at": [index], "item": {"type": "message"}}, rest))
        for place, (kind, text) in enumerate(zip(kinds, parts, strict=True)):
            yield from self._whole_part(kind, [index, place], text)
        yield self.finish(DONE, {"at": [index]})

    def reasoning(self, payload: Fields) -> Iterator[Event]:
        """Yield a reasoning item: ``says`` holds its summary parts, ``encrypted`` its content."""
        (index,), rest = self._place(payload, [self._free()])
        says, encrypted = rest.pop("says", []), rest.pop("encrypted", None)
        yield self.add(ADDED, merge({"at": [index], "item": {"type": "reasoning"}}, rest))
        for place, text in enumerate([says] if isinstance(says, str) else says):
            yield from self._whole_part("summary_text", [index, place], text)
        content = {} if encrypted is None else {"encrypted_content": encrypted}
        yield self.finish(DONE, {"at": [index], "item": content})

    def call(self, payload: Fields) -> Iterator[Event]:
        """Yield a function call: its arguments in deltas, then as a whole."""
        (index,), rest = self._place(payload, [self._free()])
        arguments, status = rest.pop("arguments", "{}"), rest.pop("status", "completed")
        yield self.add(ADDED, {"at": [index], "item": {"type": "function_call", **rest}})
        stem = "response.function_call_arguments"
        for piece in _deltas(arguments):
            yield self.field_delta(stem, {"at": [index], "delta": piece})
        yield self.field_done(stem, {"at": [index]})
        yield self.finish(DONE, {"at": [index], "item": {"status": status}})

    def _whole_part(self, kind: str, at: Sequence[int], text: JSON) -> Iterator[Event]:
        """Yield every event of one part."""
        stem, frame, part = _STEMS[kind], PARTS[kind].frame, {"type": kind}
        yield self.frame(f"{frame}.added", {"at": at, "part": part})
        for piece in _deltas(text):
            yield self.part_delta(stem, {"at": at, "delta": piece})
        yield self.part_done(stem, {"at": at})
        yield self.frame(f"{frame}.done", {"at": at, "part": part})


def _deltas(says: JSON) -> Sequence[str]:
    """Return the deltas of a text: a list as it is written, one text split before its blanks."""
    return says if isinstance(says, list) else IN_ORDER.split(str(says))


def _grow(target: Fields, name: str, payload: Fields) -> None:
    """Append a payload's delta to a field; one of another type than text adds nothing."""
    delta = payload.get("delta")
    target[name] = (target.get(name) or "") + (delta if isinstance(delta, str) else "")


def _indexes(word: str) -> tuple[str, ...]:
    """Return the fields with the indexes of an event."""
    stem = word.rpartition(".")[0]
    if stem in _INDEXES:
        return ("output_index", _INDEXES[stem])
    machine = GRAMMAR.owner.get(word)
    return () if machine is None else machine.key


def _event(write: Callable[[_Events, str, Fields], Event], argument: str = "") -> Skeleton:
    """Return the skeleton of a word that stands for one event.

    Args:
        write: the method that returns it.
        argument: the word, or its stem, where several words share a method.
    """

    def skeleton(composer: _Events, payload: Fields) -> Iterator[Event]:
        yield write(composer, argument, payload)

    return skeleton


def _message(kind: str) -> Skeleton:
    """Return the skeleton of a message of one part."""

    def skeleton(composer: _Events, payload: Fields) -> Iterator[Event]:
        return composer.message({**payload, "says": [payload.get("says", "")]}, kind)

    return skeleton


class ResponsesComposer(_Events):
    """Writes a Responses stream from a scenario's shorthand; see ``_Events`` for its arguments."""

    skeletons: ClassVar[Mapping[str, Skeleton]] = {
        **{
            word: _event(_Events.progress, word)
            for word in (*GRAMMAR.labels, *AUDIO_EVENTS)
            if "[" not in word
        },
        **{word: _event(_Events.opening, word) for word in OPENINGS},
        **{word: _event(_Events.terminal, word) for word in TERMINALS},
        **{
            f"{part.frame}.{end}": _event(_Events.frame, f"{part.frame}.{end}")
            for part in PARTS.values()
            for end in ("added", "done")
        },
        **{f"{stem}.delta": _event(_Events.part_delta, stem) for stem in PART_EVENTS},
        **{f"{stem}.done": _event(_Events.part_done, stem) for stem in PART_EVENTS},
        **{f"{stem}.delta": _event(_Events.field_delta, stem) for stem in FIELD_EVENTS},
        **{f"{stem}.done": _event(_Events.field_done, stem) for stem in FIELD_EVENTS},
        ADDED: _event(_Events.add, ADDED),
        DONE: _event(_Events.finish, DONE),
        _ANNOTATED: _event(_Events.annotation, _ANNOTATED),
        "error": _event(_Events.error, "error"),
        "text": _message("output_text"),
        "refusal": _message("refusal"),
        "reasoning": _Events.reasoning,
        "call": _Events.call,
    }
    scalar: ClassVar[Mapping[str, str]] = {
        **{f"{stem}.delta": "delta" for stem in (*PART_EVENTS, *FIELD_EVENTS)},
        "text": "says",
        "refusal": "says",
        "reasoning": "says",
    }
