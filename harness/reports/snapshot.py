"""Outcomes as text for review: the snapshot of one, and a table of what two differ in.

Ids are written in the order in which they first occur, so that random ids do not matter while two
uses of one id stay one id. Long strings are written as their beginning, their length and a digest,
so that a snapshot can be read and any change in the string still changes the text.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from harness.checks.matching import with_ordinals
from harness.reports.files import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model import JSON, Outcome

LONGEST = 240  # characters of a string that is written in full
_BEGINNING = 40  # characters that are shown of a longer one
_LISTS = frozenset({"chunks", "content", "notes"})  # written one item per line
_CELL = 56  # characters of a value in a table
ABSENT = "-"  # what a table shows for a field that one side does not have


def snapshot_text(outcome: Outcome) -> str:
    """Return the snapshot of an outcome: JSON with one chunk, one part and one note per line."""
    data = _readable(outcome)
    return "{\n" + ",\n".join(f"  {_line(key, data[key])}" for key in data) + "\n}\n"


def _readable(outcome: Outcome) -> dict[str, JSON]:
    shown: dict[str, JSON] = _digested(with_ordinals(outcome.model_dump(mode="json")))
    return shown


def _digested(value: JSON) -> JSON:
    if isinstance(value, str) and len(value) > LONGEST:
        digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return f"{value[:_BEGINNING]}… ({len(value):,} chars, sha256 {digest})"
    if isinstance(value, dict):
        return {key: _digested(item) for key, item in value.items()}
    return [_digested(item) for item in value] if isinstance(value, list) else value


def _line(key: str, value: JSON) -> str:
    if key in _LISTS and value:
        items = ",\n".join(f"    {json_text(item)}" for item in value)
        return f"{json_text(key)}: [\n{items}\n  ]"
    return f"{json_text(key)}: {json_text(value)}"


class Row(NamedTuple):
    """One field in which two outcomes of one scenario differ, each side as JSON or ``-``."""

    scenario: str
    field: str
    reference: str
    other: str


def differing(scenario: str, reference: Outcome, other: Outcome) -> list[Row]:
    """Return a row for each field in which an outcome differs from a reference, notes aside.

    Chunks that differ in number or kind are one row of counts, as their texts then say little.
    The ``part`` of a chunk is not compared, because the SDKs have no such number.
    """
    one, two = _comparable(reference), _comparable(other)
    rows: list[Row] = []
    for key in one:
        if key == "chunks" and _kinds(one[key]) != _kinds(two[key]):
            rows.append(Row(scenario, key, _kinds(one[key]), _kinds(two[key])))
        elif key != "notes":
            rows += [Row(scenario, *leaf) for leaf in _leaves(key, one[key], two[key])]
    return rows


def _comparable(outcome: Outcome) -> dict[str, JSON]:
    data = _readable(outcome)
    data["chunks"] = [{k: v for k, v in chunk.items() if k != "part"} for chunk in data["chunks"]]
    return data


def _kinds(chunks: Sequence[Mapping[str, JSON]]) -> str:
    """Return the kinds of chunks in order, repeated ones counted: ``text*3 usage``."""
    runs = ((kind, len(list(run))) for kind, run in groupby(chunk["kind"] for chunk in chunks))
    return " ".join(kind if count == 1 else f"{kind}*{count}" for kind, count in runs) or "none"


def _leaves(path: str, one: JSON, two: JSON) -> Iterator[tuple[str, str, str]]:
    if one == two:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for key in {**one, **two}:
            yield from _leaves(f"{path}.{key}", one.get(key, ABSENT), two.get(key, ABSENT))
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for at, (left, right) in enumerate(zip(one, two, strict=True)):
            yield from _leaves(f"{path}[{at}]", left, right)
    else:
        yield path, _cell(one), _cell(two)


def _cell(value: JSON) -> str:
    """Return a value as one cell: null fields of an object are left out, a long text is cut."""
    shown = {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
    text = ABSENT if value == ABSENT else json_text(shown)
    if len(text) <= _CELL:
        return text
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{text[: _CELL - 10]}… {digest}"


def table_text(target: str, agreeing: int, rows: Sequence[Row]) -> str:
    """Return the table of a topic: what a target delivers differently from ``builtin``.

    Args:
        target: the name of the other target.
        agreeing: how many scenarios have no row, because both deliver the same.
        rows: what differs in the others, scenario by scenario.
    """
    head = Row("scenario", "field", "builtin", target)
    lines = [head, *rows] if rows else []
    widths = [max((len(line[at]) for line in lines), default=0) for at in range(3)]
    text = "".join(
        "  ".join((*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[3])) + "\n"
        for line in lines
    )
    return f"{agreeing} scenarios agree with builtin in all but notes\n{text}"
