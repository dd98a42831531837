"""The differences between the results of two sides for one stream, and their layers.

Three layers, from below: ``wire``, what the SDK hands over and what it asked for; ``chunks``, what
the target emitted; ``outcome``, what it delivered, and what became of the connection.

Rules of this file: lists are aligned by what their items are, so that one item more is one
difference; what differs only in ids, in the order of keys or in the server's address is cosmetic;
a difference has a *shape*, in which it is equal to its like in other streams: places without
numbers, values as kinds of values, but words as they are.
"""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from harness.checks.matching import with_ordinals
from harness.sdks.events import CLASS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparing.sides import SideResult
    from harness.model import JSON

Layer: TypeAlias = Literal["wire", "chunks", "outcome"]
LAYERS: tuple[Layer, ...] = ("wire", "chunks", "outcome")
ABSENT: Final = "(absent)"  # in place of a value that one side has not
# Fields whose values belong to a closed vocabulary, so that a shape shows them.
_VOCABULARY_FIELDS = frozenset(
    {CLASS, "code", "ending", "finish", "finish_raw", "finish_reason", "kind", "method",
     "object", "path", "reason", "role", "status", "stop_reason", "type", "closed_by"}
)  # fmt: skip
_IDS = frozenset({"id", "response_id", "item_id", "call_id"})
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+(/[AB]/\d+)?|0x[0-9a-f]{6,}")
_ALIGNED = 400  # items beyond which lists are compared place by place: aligning is quadratic


class Difference(NamedTuple):
    """One difference: where it is, and the value on each side.

    ``shape`` is the same for its like in other streams; ``place`` is where exactly in this one.
    """

    layer: Layer
    shape: str
    place: str
    before: JSON
    after: JSON
    cosmetic: bool = False


class _Change(NamedTuple):
    path: tuple[str | int, ...]
    before: JSON
    after: JSON
    description: str = ""  # in place of what the values say


def differences(before: SideResult, after: SideResult) -> list[Difference]:
    """Return every difference, layer by layer."""
    return [
        *_of_layer("wire", before.wire, after.wire),
        *_of_layer("chunks", before.chunks, after.chunks),
        *_of_layer("outcome", before.delivered, after.delivered),
    ]


def changed_layer(found: Sequence[Difference]) -> Layer | None:
    """Return the lowest layer that differs; differences above it may follow from it."""
    layers = {difference.layer for difference in found if not difference.cosmetic}
    return next((layer for layer in LAYERS if layer in layers), None)


def _of_layer(layer: Layer, before: JSON, after: JSON) -> Iterator[Difference]:
    if before == after and json.dumps(before) == json.dumps(after):
        return
    if json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True):
        yield Difference(layer, "the order of keys", "", "", "", cosmetic=True)
        return
    if layer != "wire":  # a target may mint ids; what an SDK hands over came over the wire
        before, after = with_ordinals(before), with_ordinals(after)
        if before == after:
            yield Difference(layer, "ids", "", "", "", cosmetic=True)
            return
    for change in _changes(before, after):
        if not _same_text(change):
            yield _difference(layer, change)


def _difference(layer: Layer, change: _Change) -> Difference:
    path, before, after, description = change
    kinds = description or f"{_kind_of_value(path, before)} -> {_kind_of_value(path, after)}"
    return Difference(
        layer,
        f"{_shown(path, numbers=False)} {kinds}",
        _shown(path, numbers=True),
        before,
        after,
        cosmetic=_is_id(change),
    )


def _changes(before: JSON, after: JSON, path: tuple[str | int, ...] = ()) -> Iterator[_Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        for number, (old, new) in enumerate(_aligned(before, after)):
            item = new if old is ABSENT else old
            yield from _changes(old, new, (*path, number, *_label(item)))
    elif before != after or type(before) is not type(after):  # 1 and 1.0 and True are equal
        yield _Change(path, before, after)


def _of_objects(
    before: dict[str, Any], after: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[_Change]:
    if before.get(CLASS) == after.get(CLASS):  # another class knows other fields: no news
        yield from _learned(before, after, path)
    for name in dict.fromkeys((*before, *after)):
        if name != UNKNOWN:
            old, new = before.get(name, ABSENT), after.get(name, ABSENT)
            yield from _changes(old, new, (*path, name))


def _learned(
    before: dict[str, Any], after: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[_Change]:
    """Yield the fields that a class declares on one side only."""
    old, new = set(before.get(UNKNOWN, ())), set(after.get(UNKNOWN, ()))
    for names, description in (
        (old - new, "newly declared fields"),
        (new - old, "no longer declared fields"),
    ):
        shared = sorted(name for name in names if name in before and name in after)
        if shared:
            yield _Change(path, sorted(old), sorted(new), f"{description}: {', '.join(shared)}")


def _aligned(before: list[JSON], after: list[JSON]) -> Iterator[tuple[JSON, JSON]]:
    """Pair the items of two lists by their labels; one without a partner is paired with ABSENT."""
    old, new = [_label(item) for item in before], [_label(item) for item in after]
    if old == new or max(len(old), len(new)) > _ALIGNED:
        yield from zip_longest(before, after, fillvalue=ABSENT)
        return
    for word, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if word == "equal":
            yield from zip(before[i:j], after[k:m], strict=True)
        else:
            yield from ((item, ABSENT) for item in before[i:j])
            yield from ((ABSENT, item) for item in after[k:m])


def _label(item: JSON) -> tuple[str, ...]:
    """Return the label of an item: the type of an event, the kind of a part, or its class."""
    if not isinstance(item, dict):
        return ()
    word = item.get("type") or item.get("kind") or item.get(CLASS)
    return (f"<{word}>",) if isinstance(word, str) else ()


def _shown(path: tuple[str | int, ...], *, numbers: bool) -> str:
    """Return a path as text; the number of an item appears only in an example."""
    shown = ""
    for piece in path:
        if isinstance(piece, int):
            shown += f"[{piece}]" if numbers else "[]"
        elif piece.startswith("<"):
            shown += piece
        else:
            shown += f".{'class' if piece == CLASS else piece}"
    return shown.removeprefix(".").replace("[]<", "<")


def _kind_of_value(path: tuple[str | int, ...], value: JSON) -> str:
    """Return the kind of a value; a value of a closed vocabulary is returned as it is."""
    if value is ABSENT:
        return "absent"
    if value is None or isinstance(value, bool) or value == 0:
        return str(value)
    names = [piece for piece in path if isinstance(piece, str) and not piece.startswith("<")]
    if isinstance(value, str):
        return (
            value
            if names and names[-1] in _VOCABULARY_FIELDS
            else "text"
            if value
            else "empty text"
        )
    if isinstance(value, dict):
        return str(value.get(CLASS) or value.get("kind") or "an object")
    return {list: "a list", float: "a float"}.get(type(value), "a number")


def _same_text(change: _Change) -> bool:
    """Return whether two texts differ only in addresses, which differ in every run."""
    before, after = change.before, change.after
    if not (isinstance(before, str) and isinstance(after, str)):
        return False
    return _ADDRESS.sub("…", before) == _ADDRESS.sub("…", after)


def _is_id(change: _Change) -> bool:
    both = isinstance(change.before, str) and isinstance(change.after, str)
    return both and bool(change.path) and change.path[-1] in _IDS and ABSENT not in change[1:3]
