"""Choices read from a byte string: the simplest past its end, and texts that join again."""

from __future__ import annotations

from harness.generation.byte_source import ByteSource, delta_plan


def test_a_byte_source_past_its_end_gives_the_simplest_choice() -> None:
    source = ByteSource(b"\x05")
    assert [source.below(4), source.below(4), source.choose("xyz")] == [1, 0, "x"]
    assert ByteSource(b"\x01\x02").below(300) == 258


def test_the_pieces_of_a_text_join_to_the_text() -> None:
    assert delta_plan(b"\x01\x02").split("abcdef") == ["ab", "cde", "f"]
    assert delta_plan(b"").split("abc") == ["abc"]
    assert delta_plan(b"").split("") == []
