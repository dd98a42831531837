"""The words every protocol shares, and how a payload is laid over a skeleton."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from harness.errors import InputError
from harness.model import JSON, Event
from harness.protocols.composing import Composer, Entry, entry_of, merge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.protocols.composing import Skeleton


def _say(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield Event("say", {"words": payload.pop("words", "nothing"), **payload})


class Speaker(Composer):
    skeletons: ClassVar[Mapping[str, Skeleton]] = {"say": _say}
    scalar: ClassVar[Mapping[str, str]] = {"say": "words"}


class Strict(Composer):
    skeletons: ClassVar[Mapping[str, Skeleton]] = {"say": _say}


def composed(*values: JSON) -> list[Event | bytes]:
    entries = [entry_of(value, line) for line, value in enumerate(values, start=1)]
    return list(Speaker().compose(entries))


@pytest.mark.parametrize(
    ("entry", "wire"),
    [
        ("say", Event("say", {"words": "nothing"})),
        ({"say": None}, Event("say", {"words": "nothing"})),
        ({"say": "hi"}, Event("say", {"words": "hi"})),
        ({"say": {"loud": True}}, Event("say", {"words": "nothing", "loud": True})),
        ({"raw": "data: x\n\n"}, b"data: x\n\n"),
        ({"raw": "ü"}, "ü".encode()),
        ({"base64": "/wA="}, b"\xff\x00"),
        ({"json": {"ü": [1]}}, '{"ü": [1]}'.encode()),
        ({"comment": "alive"}, b": alive\n\n"),
        ("comment", b": \n\n"),
        ({"event": {"name": "x", "data": {"a": 1}}}, Event("x", {"a": 1})),
        ({"event": {"data": "[DONE]"}}, Event(None, "[DONE]")),
        ({"event": {"data": None}}, Event(None, "null")),
        ({"event": {"data": [1, "ü"]}}, Event(None, '[1, "ü"]')),
    ],
)
def test_an_entry_becomes_an_event_or_bytes(entry: JSON, wire: Event | bytes) -> None:
    assert composed(entry) == [wire]


def test_repeat_writes_its_entries_again() -> None:
    assert composed({"repeat": {"times": 2, "entries": ["say", {"raw": "x"}]}}) == [
        Event("say", {"words": "nothing"}), b"x",
        Event("say", {"words": "nothing"}), b"x",
    ]  # fmt: skip


def test_a_skeleton_that_modifies_its_payload_changes_no_entry() -> None:
    entries = [entry_of({"say": {"words": "hi"}})]
    assert list(Speaker().compose(entries)) == list(Speaker().compose(entries))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("sya", "unknown event 'sya'; did you mean 'say'?"),
        ({"comment": "x", "raw": "y"}, "one word, or one word with its payload"),
        ({"base64": "!"}, "base64: its payload does not fit"),
        ({"event": {"name": "x"}}, "event: its payload does not fit (KeyError: 'data')"),
        ({"event": 5}, "event: its payload does not fit"),
        ({"repeat": {"times": "x", "entries": []}}, "repeat: its payload does not fit"),
        ({"repeat": {"times": 1, "entries": ["sya"]}}, "unknown event 'sya'"),
        ({"repeat": {"times": 1, "entries": [5]}}, "one word, or one word with its payload"),
    ],
)
def test_an_error_carries_its_line(entry: JSON, says: str) -> None:
    with pytest.raises(InputError) as caught:
        composed("say", entry)
    assert says in str(caught.value)
    assert caught.value.line == 2


def test_a_bare_value_needs_a_field_to_fill() -> None:
    with pytest.raises(InputError, match="say: write its fields as a mapping"):
        list(Strict().compose([Entry("say", "hi", 1)]))


def test_words_are_the_protocols_own_and_the_shared_ones() -> None:
    shared = {"raw", "base64", "json", "comment", "event", "repeat"}
    assert Speaker().words() == {"say", *shared}
    with pytest.raises(InputError, match="unknown event 'say'"):
        list(Composer().compose([Entry("say")]))


@pytest.mark.parametrize(
    ("skeleton", "payload", "merged"),
    [
        ({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
        ({"a": [1]}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": 1, "b": 2}, {"a": "$absent"}, {"b": 2}),
        ({}, {"a": "$absent"}, {}),
        ({"a": 1}, {"b": {"c": "$absent", "d": 1}}, {"a": 1, "b": {"d": 1}}),
        ({"a": 1}, 5, 5),
    ],
)
def test_objects_are_merged_and_other_values_replace(
    skeleton: JSON, payload: JSON, merged: JSON
) -> None:
    assert merge(skeleton, payload) == merged


def test_merging_does_not_change_the_skeleton() -> None:
    skeleton = {"a": {"b": 1}}
    merge(skeleton, {"a": {"b": 2}})
    assert skeleton == {"a": {"b": 1}}
