r"""The texts of server-sent events, found by the shape of events that were parsed before.

The events of a stream differ in a few values. A shape is a regular expression made of one event, in
which the values that no name depends on are free; one match of it finds the same texts as parsing.

Rules of this file: keys, punctuation and values that are part of names are literal in a shape; a
shape is made only of events that were seen often, and few are remembered, so making them never
costs more than parsing; events that fit no shape are parsed.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.cassettes.scrubbing.json_texts import json_texts, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cassettes.scrubbing.json_texts import Name, Parsed

TextSpan: TypeAlias = "tuple[Name, int, int]"  # the name of a text, its start and its end

# Texts that are complete in each event: a secret in one is found without joining.
UNFRAGMENTED = frozenset(
    b"id object model type role status name item_id call_id tool_call_id response_id event_id "
    b"responseId modelVersion system_fingerprint service_tier finish_reason finishReason "
    b"stop_reason obfuscation provider".split()
)
_DATA = re.compile(rb"(?m)^data: ?([^\r\n]*)")
_TEXT = rb'[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+'
_SCALAR = rb'[^\s"{}\[\]:,]++'
_MIN_SIGHTINGS = 8  # sightings after which a shape is worth making
_MAX_SHAPES, _MAX_CANDIDATES = 8, 64  # remembered shapes and candidates for shapes
_MAX_SHAPE_SIZE = 4096  # bytes of an event that is made a shape


class Shape(NamedTuple):
    """An event as a regular expression, and the groups of its texts with their names."""

    regex: re.Pattern[bytes]
    texts: tuple[tuple[int, Name], ...]
    fragmented: tuple[tuple[int, Name], ...]  # without the unfragmented ones


class Events:
    """Finds the texts of the events of one stream."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []  # newest first
        self._sightings: Counter[tuple[bytes, ...]] = Counter()

    def texts(self, raw: bytes) -> Iterable[TextSpan]:
        """Return the texts of an event: those of its JSON, or its data as it is.

        Unfragmented texts without escapes are left out: a search of the event's bytes finds them.
        """
        for shape in self.shapes:
            match = shape.regex.fullmatch(raw)
            if match is not None:
                texts = shape.texts if b"\\" in raw else shape.fragmented
                return [(name, *match.span(group)) for group, name in texts]
        return self._parse(raw)

    def _parse(self, raw: bytes) -> list[TextSpan]:
        """Return the texts of an event that fits no shape.

        Data that begins like JSON and does not end like it may be a truncated event or plain text;
        it is treated as both.
        """
        lines = list(_DATA.finditer(raw))
        plain: list[TextSpan] = [((b"data",), *line.span(1)) for line in lines]
        if len(lines) != 1 or lines[0][1][:1] not in {b"{", b"["}:
            return plain
        parsed = parse(lines[0][1])
        start = lines[0].start(1)
        texts = [(text.name, text.start + start, text.end + start) for text in parsed.texts]
        if lines[0][1].rstrip()[-1:] not in {b"}", b"]"}:
            return texts + plain
        if len(raw) <= _MAX_SHAPE_SIZE and all(raw[end : end + 1] == b'"' for _, _, end in texts):
            self._count_shape(raw, start, parsed)
        return texts

    def _count_shape(self, raw: bytes, start: int, parsed: Parsed) -> None:
        """Count an event's shape; make it one that is matched when it was seen often."""
        fixed, at = [], 0
        for value in parsed.free:
            fixed.append(raw[at : start + value.start])
            at = start + value.end
        key = (*fixed, raw[at:])
        if len(self._sightings) >= _MAX_CANDIDATES and key not in self._sightings:
            self._sightings.clear()
        self._sightings[key] += 1
        if self._sightings[key] == _MIN_SIGHTINGS:
            del self._sightings[key]
            self.shapes = [_shape(raw, start, parsed), *self.shapes[: _MAX_SHAPES - 1]]


def _shape(raw: bytes, offset: int, parsed: Parsed) -> Shape:
    names = {(text.start, text.end): text.name for text in parsed.texts}
    free = {value[:2]: _TEXT if value.is_text else _SCALAR for value in parsed.free}
    regex, at = b"", 0
    for start, end in sorted({*names, *free}):
        inner = free.get((start, end), re.escape(raw[offset + start : offset + end]))
        regex += re.escape(raw[at : offset + start])
        regex += b"(%b)" % inner if (start, end) in names else inner
        at = offset + end
    texts = tuple(enumerate((names[place] for place in sorted(names)), 1))
    fragmented = tuple(
        (group, name) for group, name in texts if not name or name[-1] not in UNFRAGMENTED
    )
    return Shape(re.compile(regex + re.escape(raw[at:])), texts, fragmented)


def texts_of_document(raw: bytes) -> Iterable[TextSpan]:
    """Return the texts of a document: those of its JSON, or all of it."""
    if raw.lstrip()[:1] in {b"{", b"[", b'"'}:
        return [(text.name, text.start, text.end) for text in json_texts(raw)]
    return [((b"",), 0, len(raw))]
