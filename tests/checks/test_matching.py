"""Which actual values meet an expected one, and which expectations are invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks.matching import focus, invalid_expectation, is_open, matches, with_ordinals

if TYPE_CHECKING:
    from harness.model import JSON


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, 1),
        (1, 1.0),
        (None, None),
        ("", ""),
        (True, True),
        ([], []),
        ([1, {"a": 1}], [1, {"a": 1, "b": 2}]),
        ({}, {"a": 1}),
        ({"a": None}, {"a": None}),
        ({"a": None}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
        ({"$one_of": ["a", "b"]}, "b"),
        ({"$one_of": [{"a": 1}, None]}, {"a": 1, "b": 2}),
        ({"$contains": "ell"}, "Hello"),
        ({"$at_most": 2}, 2),
        ({"$any": True}, 0),
        ({"$any": True}, ""),
        ({"$any": False}, None),
        ({"$open": "undecided"}, "whatever"),
        ({"a": {"$any": True}}, {"a": 5}),
    ],
)
def test_met(expected: JSON, actual: JSON) -> None:
    assert matches(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, 2),
        (0, None),
        (None, 0),
        (0, False),
        (True, 1),
        (1, True),
        ("1", 1),
        ([1], [1, 2]),
        ([1], "1"),
        ([1, 2], [2, 1]),
        ({}, None),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, [1]),
        ({"$one_of": []}, None),
        ({"$at_most": 2}, 3),
        ({"$at_most": 2}, None),
        ({"$at_most": 2}, "1"),
        ({"$one_of": ["a", "b"]}, "c"),
        ({"$contains": "x"}, "Hello"),
        ({"$contains": "1"}, 1),
        ({"$any": True}, None),
        ({"$any": False}, 0),
        ({"$unknown": 1}, 1),
    ],
)
def test_not_met(expected: JSON, actual: JSON) -> None:
    assert not matches(expected, actual)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"$one_off": []}, "unknown operator '$one_off'; did you mean '$one_of'?"),
        ([{"a": {"$contain": "x"}}], "did you mean '$contains'?"),
        ({"$one_of": "ab"}, "$one_of takes a list of choices"),
        ({"$at_most": "many"}, "$at_most takes a number"),
        ({"$one_of": [{"$ayn": True}]}, "did you mean '$any'?"),
        ({"$any": True, "kind": "text"}, "$any must be the only key"),
    ],
)
def test_an_invalid_expectation_is_named(expected: JSON, message: str) -> None:
    assert message in str(invalid_expectation(expected))


@pytest.mark.parametrize("expected", [1, None, "$x", [], {"a": [{"$any": True}]}, {"$open": "why"}])
def test_a_valid_expectation_is_accepted(expected: JSON) -> None:
    assert invalid_expectation(expected) is None


def test_only_an_open_value_is_open() -> None:
    assert is_open({"$open": "why"})
    assert not is_open({"a": {"$open": "why"}})
    assert not is_open("$open")


@pytest.mark.parametrize(
    ("expected", "actual", "shown"),
    [
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 2}),
        ({"a": 1}, {}, {"a": None}),
        ([{"a": 1}], [{"a": 2, "b": 3}], [{"a": 2}]),
        ([{"a": 1}], [{"a": 2, "b": 3}] * 2, [{"a": 2, "b": 3}] * 2),
        ({"$any": True}, {"a": 1}, {"a": 1}),
        ({"a": 1}, "x", "x"),
        (1, {"a": 1}, {"a": 1}),
    ],
)
def test_a_report_shows_the_expected_fields(expected: JSON, actual: JSON, shown: JSON) -> None:
    assert focus(expected, actual) == shown


def test_ids_become_ordinals_and_equal_ids_stay_equal() -> None:
    value = {"response_id": "r", "content": [{"id": "x9"}, {"id": "r"}, {"id": None}, {"id": "x9"}]}
    named = {"response_id": "id-1", "content": [{"id": "id-2"}, {"id": "id-1"}, {"id": None}]}
    assert with_ordinals(value)["content"][:3] == named["content"]
    assert with_ordinals(value)["content"][3] == {"id": "id-2"}
    assert with_ordinals(value)["response_id"] == "id-1"


def test_ids_inside_foreign_data_are_kept() -> None:
    call = {
        "id": "c",
        "arguments": {"id": "customer 7"},
        "data": {"id": 1},
        "citations": [{"id": "q"}],
    }
    assert with_ordinals(call) == {**call, "id": "id-1"}
