r"""The texts of server-sent events, found by the shape of an event that was walked before.

The events of a stream differ in a few values. A shape is an event with room for those that no name
depends on; whatever fits it is told apart by one match, just as a walk would.

Rules of this file: keys, marks and the values that tell names are part of a shape, byte for byte; a
shape is made of what was seen often, and few are remembered, so making them never costs more than
walking; what fits none is walked.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.cassettes.scrubbing.leaves import leaves, walked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cassettes.scrubbing.leaves import Name, Walked

Place: TypeAlias = "tuple[Name, int, int]"  # of a text: its name, where it begins and ends

# Texts that come whole in each event: a secret in one is found without joining.
WHOLE = frozenset(
    b"id object model type role status name item_id call_id tool_call_id response_id event_id "
    b"responseId modelVersion system_fingerprint service_tier finish_reason finishReason "
    b"stop_reason obfuscation provider".split()
)
_DATA = re.compile(rb"(?m)^data: ?([^\r\n]*)")
_TEXT = rb'[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+'
_SCALAR = rb'[^\s"{}\[\]:,]++'
_OFTEN = 8  # sightings that make a shape worth its making
_SHAPES, _SEEN = 8, 64  # shapes, and candidates, that are remembered
_LARGE = 4096  # bytes of an event that repeats itself


class Shape(NamedTuple):
    """An event with room for other values, and the groups of its texts with their names."""

    regex: re.Pattern[bytes]
    texts: tuple[tuple[int, Name], ...]
    joined: tuple[tuple[int, Name], ...]  # without those that come whole


class Events:
    """Tells the texts of the events of one stream."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []  # the newest first
        self._seen: Counter[tuple[bytes, ...]] = Counter()

    def texts(self, raw: bytes) -> Iterable[Place]:
        """Return the texts of an event: those of its JSON, or its data as it is.

        Texts that come whole and bare are left out: whoever searches the event's bytes sees them.
        """
        for shape in self.shapes:
            hit = shape.regex.fullmatch(raw)
            if hit is not None:
                texts = shape.texts if b"\\" in raw else shape.joined
                return [(name, *hit.span(group)) for group, name in texts]
        return self._walk(raw)

    def _walk(self, raw: bytes) -> list[Place]:
        """Tell the texts of an event that has no shape yet.

        Data that begins like JSON and does not end so is both: an event cut short, or plain text.
        """
        lines = list(_DATA.finditer(raw))
        bare: list[Place] = [((b"data",), *line.span(1)) for line in lines]
        if len(lines) != 1 or lines[0][1][:1] not in {b"{", b"["}:
            return bare
        found = walked(lines[0][1])
        start = lines[0].start(1)
        texts = [(leaf.name, leaf.start + start, leaf.end + start) for leaf in found.leaves]
        if lines[0][1].rstrip()[-1:] not in {b"}", b"]"}:
            return texts + bare
        if len(raw) <= _LARGE and all(raw[end : end + 1] == b'"' for _, _, end in texts):
            self._remember(raw, start, found)
        return texts

    def _remember(self, raw: bytes, start: int, found: Walked) -> None:
        """Make a shape of an event if its like was seen often."""
        fixed, at = [], 0
        for value in found.free:
            fixed.append(raw[at : start + value.start])
            at = start + value.end
        key = (*fixed, raw[at:])
        if len(self._seen) >= _SEEN and key not in self._seen:
            self._seen.clear()
        self._seen[key] += 1
        if self._seen[key] == _OFTEN:
            del self._seen[key]
            self.shapes = [_shape(raw, start, found), *self.shapes[: _SHAPES - 1]]


def _shape(raw: bytes, offset: int, found: Walked) -> Shape:
    names = {(leaf.start, leaf.end): leaf.name for leaf in found.leaves}
    room = {value[:2]: _TEXT if value.is_text else _SCALAR for value in found.free}
    regex, at = b"", 0
    for start, end in sorted({*names, *room}):
        inner = room.get((start, end), re.escape(raw[offset + start : offset + end]))
        regex += re.escape(raw[at : offset + start])
        regex += b"(%b)" % inner if (start, end) in names else inner
        at = offset + end
    texts = tuple(enumerate((names[place] for place in sorted(names)), 1))
    joined = tuple((group, name) for group, name in texts if not name or name[-1] not in WHOLE)
    return Shape(re.compile(regex + re.escape(raw[at:])), texts, joined)


def texts_of_document(raw: bytes) -> Iterable[Place]:
    """Return the texts of a whole document: those of its JSON, or all of it."""
    if raw.lstrip()[:1] in {b"{", b"[", b'"'}:
        return [(leaf.name, leaf.start, leaf.end) for leaf in leaves(raw)]
    return [((b"",), 0, len(raw))]
