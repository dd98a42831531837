"""Streamed arguments: what a piece appends to, and what it replaces."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from harness.streaming.interfaces.gemini_generate.arguments import StreamedArguments

if TYPE_CHECKING:
    from harness.model import JSON


def piece(path: str, value: JSON = None, *, more: bool = False) -> SimpleNamespace:
    text = value if isinstance(value, str) else None
    flag = value if isinstance(value, bool) else None
    return SimpleNamespace(json_path=path, string_value=text, bool_value=flag, will_continue=more)


@pytest.mark.parametrize(
    ("pieces", "value"),
    [
        ([piece("$.a", "x", more=True), piece("$.a", "y")], {"a": "xy"}),
        ([piece("$.a", "x"), piece("$.a", "y")], {"a": "y"}),
        ([piece("$.a", "x", more=True), piece("$.a", "y"), piece("$.a", "z")], {"a": "z"}),
        (
            [piece("$.a", "x", more=True), piece("$.b", "y"), piece("$.a", "z")],
            {"a": "z", "b": "y"},
        ),
        ([piece("$.a[0].b", "x", more=True), piece("$.a[0].b", "y")], {"a": [{"b": "xy"}]}),
        ([piece("$.a", more=True), piece("$.a", "x", more=True), piece("$.a", "y")], {"a": "xy"}),
        ([piece("$.a", "x", more=True), piece("$.a", value=True)], {"a": True}),
    ],
)
def test_pieces_of_a_string_are_joined_while_the_path_repeats(
    pieces: list[SimpleNamespace], value: JSON
) -> None:
    arguments = StreamedArguments()
    arguments.update(pieces)
    assert arguments.value == value


def test_the_arguments_can_be_read_at_any_moment() -> None:
    arguments = StreamedArguments()
    seen = []
    for word in ("Bad ", "Nau", "heim"):
        arguments.update([piece("$.city", word, more=True)])
        seen.append(arguments.value["city"])
    assert seen == ["Bad ", "Bad Nau", "Bad Nauheim"]
