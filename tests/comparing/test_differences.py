"""What moved between two hearings, without anybody to hear: shapes, places, cosmetics."""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.differences import ABSENT, Difference, changed_layer, differences
from harness.comparing.sides import SideResult
from harness.model import Chunk, ErrorInfo, Outcome, ToolCall, Usage


def result(wire: Any = None, outcome: Outcome | None = None) -> SideResult:
    return SideResult(wire, outcome or Outcome(), {"requests": 1})


def events(*found: dict[str, Any]) -> dict[str, Any]:
    return {"events": [{"!": "Event", **event} for event in found], "raised": None}


def only(before: Any, after: Any) -> Difference:
    """Return the one difference of two wires."""
    [found] = differences(result(before), result(after))
    return found


def test_equal_results_have_no_difference() -> None:
    assert differences(result(events({"type": "a"})), result(events({"type": "a"}))) == []


def test_a_difference_has_a_shape_without_numbers_and_a_place_with_them() -> None:
    old = events({"type": "a"}, {"type": "b", "items": [{"n": 1}, {"n": 2}]})
    new = events({"type": "a"}, {"type": "b", "items": [{"n": 1}, {"n": 3}]})
    found = only(old, new)
    assert found.shape == "events<b>.items[].n a number -> a number"
    assert found.place == "events[1]<b>.items[1].n"
    assert (found.before, found.after, found.layer) == (2, 3, "wire")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"status": "queued"}, {"status": "failed"}, "status queued -> failed"),
        ({"text": "a"}, {"text": ""}, "text text -> empty text"),
        ({"n": None}, {"n": 0}, "n None -> 0"),
        ({"n": 0}, {"n": 7}, "n 0 -> a number"),
        ({"n": True}, {"n": False}, "n True -> False"),
        ({"n": 1}, {"n": 1.0}, "n a number -> a float"),
        ({"n": 1}, {"n": True}, "n a number -> True"),
        ({"n": [1]}, {"n": None}, "n a list -> None"),
        ({}, {"n": {"a": 1}}, "n absent -> an object"),
        ({"!": "Old"}, {"!": "New"}, "class Old -> New"),
    ],
)
def test_a_shape_shows_closed_vocabulary_and_the_kinds_of_other_values(
    old: dict[str, Any], new: dict[str, Any], words: str
) -> None:
    found = only(events({"type": "a", **old}), events({"type": "a", **new}))
    assert found.shape == f"events<a>.{words}"


def test_newly_declared_fields_are_one_difference_of_their_object() -> None:
    old = events({"type": "a", "?": ["mood", "hue"], "mood": "grey", "hue": 1})
    new = events({"type": "a", "mood": "grey", "hue": 1})
    assert only(old, new).shape == "events<a> newly declared fields: hue, mood"
    assert only(new, old).shape == "events<a> no longer declared fields: hue, mood"


def test_declared_fields_are_not_compared_between_classes() -> None:
    old = events({"!": "Any", "type": "a", "?": ["mood"], "mood": "grey"})
    new = events({"!": "Mood", "type": "a", "mood": "grey"})
    assert only(old, new).shape == "events<a>.class Any -> Mood"


def test_an_additional_event_is_one_difference() -> None:
    old = events({"type": "a"}, {"type": "c", "n": 1})
    new = events({"type": "a"}, {"type": "b"}, {"type": "c", "n": 1})
    found = only(old, new)
    assert (found.shape, found.before) == ("events<b> absent -> Event", ABSENT)


def test_long_lists_are_compared_place_by_place() -> None:
    many: list[dict[str, Any]] = [{"type": "a", "n": n} for n in range(500)]
    found = differences(result(events(*many)), result(events(*many, {"type": "b"})))
    assert [one.shape for one in found] == ["events<b> absent -> Event"]


def test_the_order_of_keys_is_cosmetic() -> None:
    found = only({"request": [{"a": 1, "b": 2}]}, {"request": [{"b": 2, "a": 1}]})
    assert (found.shape, found.cosmetic) == ("the order of keys", True)


def test_an_id_on_the_wire_is_cosmetic_and_a_missing_one_is_not() -> None:
    assert only(events({"type": "a", "id": "1"}), events({"type": "a", "id": "2"})).cosmetic
    assert not only(events({"type": "a", "id": "1"}), events({"type": "a"})).cosmetic


def call(name: str) -> ToolCall:
    return ToolCall(id=name, name="get", arguments_raw="{}", arguments={}, complete=True)


def test_minted_ids_are_cosmetic_but_two_that_become_one_are_not() -> None:
    old = result(outcome=Outcome(content=(call("a"), call("b"))))
    minted = result(outcome=Outcome(content=(call("x"), call("y"))))
    merged = result(outcome=Outcome(content=(call("x"), call("x"))))
    [found] = differences(old, minted)
    assert (found.shape, found.cosmetic) == ("ids", True)
    assert changed_layer(differences(old, merged)) is None  # an id alone: but see the next
    assert [one.place for one in differences(old, merged)] == ["content[1]<tool_call>.id"]


def test_addresses_and_port_numbers_are_not_a_difference() -> None:
    def failed(port: int, letter: str) -> SideResult:
        words = f"no answer from http://127.0.0.1:{port}/{letter}/7 (0x7f{port:08x})"
        return result(outcome=Outcome(error=ErrorInfo(kind="server", message=words)))

    assert differences(failed(8001, "A"), failed(8002, "B")) == []


def test_the_lowest_layer_that_differs_is_named() -> None:
    usage = Outcome(usage=Usage(input=1), chunks=(Chunk("usage", usage=Usage(input=1)),))
    found = differences(result(), result(outcome=usage))
    assert {one.layer for one in found} == {"chunks", "outcome"}
    assert changed_layer(found) == "chunks"
    assert changed_layer([]) is None
