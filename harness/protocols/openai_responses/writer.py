"""Writes Responses events that agree with one another.

Rules of this file: a writer keeps the items it has written, so ids, the texts of ``.done`` events,
the items of ``output_item.done`` and the ``output`` of the terminal response follow from what came
before, unless a payload says otherwise; events are numbered in the order they are written.

In a payload ``at`` is ``[output_index]`` or ``[output_index, part index]``; left out, an item is
added at the next free index and everything else belongs to the item added last.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, TypeAlias

from harness.model import JSON, Event
from harness.protocols.composing import merge
from harness.protocols.message import IN_ORDER
from harness.protocols.openai_responses.grammar import ADDED, DONE, GRAMMAR
from harness.protocols.openai_responses.vocabulary import (
    FIELD_EVENTS,
    PART_EVENTS,
    PARTS,
    TERMINALS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Fields: TypeAlias = dict[str, JSON]

MODEL, RESPONSE_ID = "gpt-5-mini", "resp_1"

# What every response object holds; the rest of the request it repeats is left out.
_HEAD: Fields = {
    "object": "response",
    "created_at": 1767225600,
    "status": "in_progress",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "output": [],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": None,
}

# What an item holds besides type and id when it is added; ids are `<prefix>_<place>`.
_ITEMS: Mapping[str, tuple[str, Fields]] = {
    "message": ("msg", {"status": "in_progress", "role": "assistant", "content": []}),
    "reasoning": ("rs", {"summary": []}),
    "function_call": ("fc", {"status": "in_progress", "name": "get_weather", "arguments": ""}),
    "custom_tool_call": ("ctc", {"status": "in_progress", "name": "run_code", "input": ""}),
    "web_search_call": ("ws", {"status": "in_progress", "action": {"type": "search"}}),
    "file_search_call": ("fs", {"status": "in_progress", "queries": []}),
    "code_interpreter_call": ("ci", {"status": "in_progress", "code": "", "outputs": None}),
    "image_generation_call": ("ig", {"status": "in_progress", "result": None}),
    "mcp_call": ("mcp", {"name": "echo", "server_label": "server", "arguments": ""}),
    "mcp_list_tools": ("mcpl", {"server_label": "server", "tools": []}),
    "mcp_approval_request": ("mcpr", {"name": "echo", "server_label": "server", "arguments": "{}"}),
    "compaction": ("cmp", {"encrypted_content": ""}),
}

# Items that answer to a call_id of their own.
_CALLED = frozenset({"function_call", "custom_tool_call"})

_USAGE: Fields = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
# What the response of each terminal holds besides its status and output.
_ENDINGS: Mapping[str, Fields] = {
    "response.completed": {"usage": _USAGE},
    "response.incomplete": {
        "incomplete_details": {"reason": "max_output_tokens"},
        "usage": _USAGE,
    },
    "response.failed": {
        "error": {"code": "server_error", "message": "The server had an error."},
        "usage": None,
    },
}
OPENINGS: Mapping[str, str] = {
    "response.created": "in_progress",
    "response.queued": "queued",
    "response.in_progress": "in_progress",
}
# What a part, and the events that grow it, hold besides their words.
_PART_FIELDS: Mapping[str, Fields] = {"output_text": {"annotations": []}}
_EVENT_FIELDS: Mapping[str, Fields] = {"response.output_text": {"logprobs": []}}
_ANNOTATION: Fields = {
    "type": "url_citation",
    "url": "https://example.com",
    "title": "Example",
    "start_index": 0,
    "end_index": 1,
}


def pieces(says: JSON) -> Sequence[str]:
    """Return the deltas of a text: a list as it is written, one text split before its blanks."""
    return says if isinstance(says, list) else IN_ORDER.split(str(says))


_STEMS: Mapping[str, str] = {kind: stem for stem, kind in PART_EVENTS.items()}
_INDEXES: Mapping[str, str] = {part.frame: part.numbered_by for part in PARTS.values()}


class Writer:
    """Writes one Responses stream.

    Args:
        model: the model its response objects name.
        response_id: their id.
    """

    def __init__(self, model: str = MODEL, response_id: str = RESPONSE_ID) -> None:
        self._head: Fields = {"id": response_id, "model": model, **_HEAD}
        self._number = 0
        self._last = 0
        self._items: dict[int, Fields] = {}  # as far as they have grown
        self._done: dict[int, JSON] = {}  # as their output_item.done told them

    def write(self, word: str, fields: Fields, payload: Fields | None = None) -> Event:
        """Return one event, numbered after the one before it."""
        number = {"sequence_number": self._number}
        data = merge({"type": word, **fields, **number}, payload or {})
        written = data.get("sequence_number")
        self._number = written + 1 if isinstance(written, int) else self._number
        return Event(data.get("type", word), data)

    # The response

    def opening(self, word: str, payload: Fields) -> Event:
        """Return an event before the first item."""
        response = {**self._head, "status": OPENINGS[word]}
        return self.write(word, {"response": response}, payload)

    def terminal(self, word: str, payload: Fields) -> Event:
        """Return an event that ends the response; its output is what is done so far."""
        written = dict(payload.get("response") or {})
        response = {
            **self._head,
            "status": TERMINALS[word],
            "output": [self._done[index] for index in sorted(self._done)],
            **_ENDINGS[word],
        }
        if "usage" in written:  # counts are told whole or not at all
            response["usage"] = written.pop("usage")
        rest = {**payload, "response": written} if "response" in payload else payload
        if payload.get("response", written) is None:
            rest = {**payload, "response": None}
        return self.write(word, {"response": response}, rest)

    def error(self, payload: Fields) -> Event:
        """Return an error event: flat, or nested where the payload has an ``error``."""
        flat = {"code": "server_error", "message": "The server had an error.", "param": None}
        return self.write("error", {} if "error" in payload else flat, payload)

    # Items

    def add(self, payload: Fields) -> Event:
        """Return the event that adds an item."""
        (index,), rest = self._place(payload, [self._free()])
        written = rest.pop("item", {})
        item = merge(_skeleton(index, written), written)
        self._items[index] = deepcopy(item) if isinstance(item, dict) else {}
        self._last = index
        return self.write(ADDED, {"output_index": index, "item": item}, rest)

    def finish(self, payload: Fields) -> Event:
        """Return the event that ends an item, told whole."""
        (index,), rest = self._place(payload, [self._last])
        written = rest.pop("item", {})
        grown = self._items.get(index) or _skeleton(index, written)
        if "status" in grown:
            grown = {**grown, "status": "completed"}
        self._done[index] = item = merge(deepcopy(grown), written)
        return self.write(DONE, {"output_index": index, "item": item}, rest)

    def _free(self) -> int:
        return max(self._items, default=-1) + 1

    def _place(self, payload: Fields, default: Sequence[int]) -> tuple[Sequence[int], Fields]:
        """Take ``at`` out of a payload and fill it up from the default."""
        rest = dict(payload)
        at = rest.pop("at", default)
        return [*at, *default[len(at) :]], rest

    def _indexed(self, word: str, payload: Fields) -> tuple[Sequence[int], Fields, Fields]:
        """Return where an event belongs, the fields that say so, and the rest of its payload."""
        names = _indexes(word)
        at, rest = self._place(payload, [self._last, 0])
        item_id = {"item_id": self._items.get(at[0], {}).get("id")} if names else {}
        return at, {**item_id, **dict(zip(names, at, strict=False))}, rest

    # Parts and fields that grow

    def part_delta(self, stem: str, payload: Fields) -> Event:
        """Return an event that grows a part."""
        at, fields, rest = self._indexed(f"{stem}.delta", payload)
        self._grow(self._part(at, PART_EVENTS[stem]), PARTS[PART_EVENTS[stem]].field, rest)
        return self.write(
            f"{stem}.delta", {**fields, "delta": "", **_EVENT_FIELDS.get(stem, {})}, rest
        )

    def part_done(self, stem: str, payload: Fields) -> Event:
        """Return an event that tells a part's words whole."""
        at, fields, rest = self._indexed(f"{stem}.done", payload)
        name = PARTS[PART_EVENTS[stem]].field
        words = self._part(at, PART_EVENTS[stem]).get(name, "")
        return self.write(
            f"{stem}.done", {**fields, name: words, **_EVENT_FIELDS.get(stem, {})}, rest
        )

    def frame(self, word: str, payload: Fields) -> Event:
        """Return an event that opens or closes a part."""
        kind = self._kind(word, payload)
        at, fields, rest = self._indexed(word, payload)
        grown = deepcopy(self._part(at, kind)) if kind in PARTS else {"type": kind}
        part = merge(grown, rest.pop("part", {}))
        return self.write(word, {**fields, "part": part}, rest)

    def annotation(self, payload: Fields) -> Event:
        """Return an event that annotates a text."""
        word = "response.output_text.annotation.added"
        at, fields, rest = self._indexed(word, payload)
        known = self._part(at, "output_text").setdefault("annotations", [])
        note = merge(_ANNOTATION, rest.pop("annotation", {}))
        known.append(note)
        fields |= {"annotation_index": len(known) - 1, "annotation": note}
        return self.write(word, fields, rest)

    def field_delta(self, stem: str, payload: Fields) -> Event:
        """Return an event that grows a field of an item."""
        at, fields, rest = self._indexed(f"{stem}.delta", payload)
        self._grow(self._items.setdefault(at[0], {}), FIELD_EVENTS[stem][1], rest)
        return self.write(f"{stem}.delta", {**fields, "delta": ""}, rest)

    def field_done(self, stem: str, payload: Fields) -> Event:
        """Return an event that tells a field whole."""
        at, fields, rest = self._indexed(f"{stem}.done", payload)
        name = FIELD_EVENTS[stem][1]
        fields[name] = self._items.get(at[0], {}).get(name, "")
        return self.write(f"{stem}.done", fields, rest)

    def progress(self, word: str, payload: Fields) -> Event:
        """Return an event that reports what a tool is doing."""
        _, fields, rest = self._indexed(word, payload)
        return self.write(word, fields, rest)

    def _kind(self, word: str, payload: Fields) -> str:
        """Return the type of the part an event frames; an item has one that goes without saying."""
        at, rest = self._place(payload, [self._last, 0])
        written = (rest.get("part") or {}).get("type")
        framed = [kind for kind, part in PARTS.items() if word.startswith(part.frame)]
        item = self._items.get(at[0], {})
        grown = (item.get(PARTS[framed[0]].parts) or [])[at[1] : at[1] + 1]
        mine = [kind for kind in framed if PARTS[kind].item == item.get("type")]
        return written or next((part["type"] for part in grown), (mine or framed)[0])

    def _part(self, at: Sequence[int], kind: str) -> Fields:
        """Return a part as far as it has grown; the first time it is empty."""
        part = PARTS[kind]
        parts = self._items.setdefault(at[0], {}).setdefault(part.parts, [])
        while len(parts) <= at[1]:
            parts.append({"type": kind, part.field: "", **deepcopy(_PART_FIELDS.get(kind, {}))})
        found: Fields = parts[at[1]]
        return found

    @staticmethod
    def _grow(target: Fields, name: str, payload: Fields) -> None:
        delta = payload.get("delta")
        target[name] = (target.get(name) or "") + (delta if isinstance(delta, str) else "")

    # Whole items

    def message(self, payload: Fields, *kinds: str) -> Iterator[Event]:
        """Yield a message: ``says`` holds the words of each of its parts."""
        (index,), rest = self._place(payload, [self._free()])
        parts = rest.pop("says", [""])
        yield self.add(merge({"at": [index], "item": {"type": "message"}}, rest))
        for place, (kind, words) in enumerate(zip(kinds, parts, strict=True)):
            yield from self.part(kind, [index, place], words)
        yield self.finish({"at": [index]})

    def reasoning(self, payload: Fields) -> Iterator[Event]:
        """Yield a reasoning item: ``says`` holds its summary parts, ``encrypted`` its content."""
        (index,), rest = self._place(payload, [self._free()])
        says, encrypted = rest.pop("says", []), rest.pop("encrypted", None)
        yield self.add(merge({"at": [index], "item": {"type": "reasoning"}}, rest))
        for place, words in enumerate([says] if isinstance(says, str) else says):
            yield from self.part("summary_text", [index, place], words)
        sealed = {} if encrypted is None else {"encrypted_content": encrypted}
        yield self.finish({"at": [index], "item": sealed})

    def call(self, payload: Fields) -> Iterator[Event]:
        """Yield a function call: its arguments in deltas, then whole."""
        (index,), rest = self._place(payload, [self._free()])
        arguments, status = rest.pop("arguments", "{}"), rest.pop("status", "completed")
        yield self.add({"at": [index], "item": {"type": "function_call", **rest}})
        stem = "response.function_call_arguments"
        for piece in pieces(arguments):
            yield self.field_delta(stem, {"at": [index], "delta": piece})
        yield self.field_done(stem, {"at": [index]})
        yield self.finish({"at": [index], "item": {"status": status}})

    def part(self, kind: str, at: Sequence[int], words: JSON) -> Iterator[Event]:
        """Yield one whole part of an item."""
        stem, frame, part = _STEMS[kind], PARTS[kind].frame, {"type": kind}
        yield self.frame(f"{frame}.added", {"at": at, "part": part})
        for piece in pieces(words):
            yield self.part_delta(stem, {"at": at, "delta": piece})
        yield self.part_done(stem, {"at": at})
        yield self.frame(f"{frame}.done", {"at": at, "part": part})


def _skeleton(index: int, item: JSON) -> Fields:
    """Return an item of the type of another as it is added: empty, with ids of its own."""
    kind = item.get("type", "message") if isinstance(item, dict) else "message"
    prefix, fields = _ITEMS.get(kind, (kind, {"status": "in_progress"}))
    called = {"call_id": f"call_{index + 1}"} if kind in _CALLED else {}
    return {"type": kind, "id": f"{prefix}_{index + 1}", **called, **deepcopy(fields)}


def _indexes(word: str) -> tuple[str, ...]:
    """Return the fields that say where an event belongs."""
    stem = word.rpartition(".")[0]
    if stem in _INDEXES:
        return ("output_index", _INDEXES[stem])
    machine = GRAMMAR.owner.get(word)
    return () if machine is None else machine.key
