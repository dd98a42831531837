"""Content while it arrives: fragments in, parts out, and emitted chunks never change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import (
    Chunk,
    Media,
    Outcome,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    repair_surrogates,
)
from harness.streaming.content import Assembly, TextBuilder, ToolCallBuilder, parse_arguments

if TYPE_CHECKING:
    from harness.model import Part
    from harness.streaming.content import TextKind

EMOJI = "\U0001f600"
HIGH, LOW = "\ud83d", "\ude00"  # its two surrogates


# Text


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("text", Text(text="Hello")),
        ("reasoning", Reasoning(text="Hello")),
        ("refusal", Refusal(text="Hello")),
    ],
)
def test_text_builders_make_parts_of_their_kind(kind: TextKind, part: Part) -> None:
    slot = TextBuilder(kind, 3)
    assert (slot.kind, slot.empty, slot.value()) == (kind, True, None)
    assert (*slot.add("Hel"), *slot.add("lo")) == (Chunk(kind, "Hel", 3), Chunk(kind, "lo", 3))
    assert (slot.empty, slot.value()) == (False, part)


def test_d9_a_signature_alone_is_kept() -> None:
    slot = TextBuilder("reasoning", 0)
    slot.add_signature("ab")
    slot.add_signature("cd")
    assert slot.value() == Reasoning(text="", signature="abcd")


def test_text_keeps_its_signature_and_its_citations() -> None:
    slot = TextBuilder("text", 0)
    slot.add("Hi")
    slot.citations.append({"url": "u"})
    slot.add_signature("s")
    assert slot.value() == Text(text="Hi", signature="s", citations=({"url": "u"},))


# Characters cut in two (TR-022)


@pytest.mark.parametrize("kind", ["text", "reasoning", "refusal"])
def test_tr022_a_character_cut_in_two_is_joined_in_the_content(kind: TextKind) -> None:
    slot = TextBuilder(kind, 0)
    chunks = [chunk for piece in ("a", HIGH, LOW, "é") for chunk in slot.add(piece)]
    assert [chunk.text for chunk in chunks] == ["a", HIGH, LOW, "é"]
    assert getattr(slot.value(), "text", None) == f"a{EMOJI}é"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        (f"{EMOJI}é\ufeff", f"{EMOJI}é\ufeff"),
        (HIGH + LOW, EMOJI),
        ("a" + HIGH, "a\ufffd"),
        (LOW + "a", "\ufffda"),
        (HIGH + HIGH + LOW, "\ufffd" + EMOJI),
        ("\ufeff" + HIGH + LOW, "\ufeff" + EMOJI),
    ],
)
def test_a_lone_surrogate_is_replaced(text: str, kept: str) -> None:
    assert repair_surrogates(text) == kept
    assert repair_surrogates(kept) is kept


@given(st.text(st.characters()) | st.text(st.sampled_from([HIGH, LOW, "a", EMOJI])))
def test_parsed_arguments_can_be_encoded(text: str) -> None:
    assert repair_surrogates(text).encode().decode() == repair_surrogates(text)
    assert repair_surrogates(repair_surrogates(text)) == repair_surrogates(text)


@pytest.mark.parametrize(
    ("pieces", "blank"), [((), True), ((" ", "\n"), True), ((" ", "{"), False)]
)
def test_arguments_of_white_space_count_as_empty(pieces: tuple[str, ...], *, blank: bool) -> None:
    slot = ToolCallBuilder(0, 0, frozenset())
    for piece in pieces:
        slot.add(piece)
    assert slot.blank is blank


def test_an_outcome_with_a_lone_surrogate_round_trips() -> None:
    """The chunk is unchanged; only its JSON is ASCII."""
    slot = TextBuilder("text", 0)
    broken = Outcome(chunks=slot.add(HIGH), content=(slot.value() or Text(text=""),))
    for options in ({}, {"indent": 2}, {"exclude_none": True}):
        text = broken.model_dump_json(**options)
        assert text.isascii()
        assert Outcome.model_validate_json(text) == broken
    assert broken.text == "\ufffd"
    assert "é" in Outcome(model="é").model_dump_json()


# Calls


def _call(**known: Any) -> ToolCallBuilder:
    slot = ToolCallBuilder(2, 1, frozenset({"rm"}))
    for field, value in known.items():
        setattr(slot, field, value)
    return slot


def test_d22_a_call_waits_for_its_id_and_its_name() -> None:
    slot = _call()
    assert slot.empty
    assert slot.add('{"a"') == ()
    slot.name = "get"
    assert slot.announce() == ()
    slot.id = "c1"
    assert slot.add(": 1") == ()
    opening = Chunk("tool_call", None, 2, 1, "c1", "get", '{"a": 1')
    assert slot.announce() == (opening,)
    assert slot.announce() == ()
    assert slot.add("}") == (Chunk("tool_call", None, 2, 1, "c1", None, "}"),)
    assert not slot.empty


def test_a_call_opens_with_the_arguments_received_so_far() -> None:
    assert _call(id="c1", name="get").announce() == (
        Chunk("tool_call", None, 2, 1, "c1", "get", None),
    )


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        ({"name": "rm"}, "approval_request"),
        ({"name": "rmdir"}, "tool_call"),
        ({"name": "get", "asks_approval": True}, "approval_request"),
    ],
)
def test_i13_approval_is_decided_by_the_complete_name_or_the_provider(
    known: dict[str, Any], kind: str
) -> None:
    slot = _call(id="c1", **known)
    assert [chunk.kind for chunk in (*slot.announce(), *slot.add("{}"))] == [kind, kind]
    assert slot.value().approval is (True if kind == "approval_request" else None)


def test_a_call_without_a_name_needs_no_approval() -> None:
    assert not _call().needs_approval


def test_a_call_is_complete_once_it_was_closed() -> None:
    slot = _call(id="c1", name="get", signature="s")
    slot.add('{"a": 1}')
    assert slot.value() == ToolCall(
        id="c1", name="get", arguments_raw='{"a": 1}', arguments=None, complete=False, signature="s"
    )
    slot.close()
    assert slot.closed
    assert slot.value().complete
    assert slot.value().arguments == {"a": 1}


def test_or005_a_call_reported_as_incomplete_is_incomplete() -> None:
    slot = _call(id="c1", name="get")
    slot.add("{}")
    slot.close()
    slot.reopen()
    assert not slot.closed
    assert (slot.value().complete, slot.value().arguments) == (False, None)
    slot.close()
    assert slot.value().complete


def test_arguments_are_parsed_when_the_call_is_closed() -> None:
    slot = _call(id="c1", name="get")
    slot.add("{}")
    slot.close()
    slot.add("tail")
    slot.close()
    assert (slot.value().arguments, slot.value().arguments_raw) == ({}, "{}tail")


@pytest.mark.parametrize("known", [{}, {"id": "c1"}, {"name": "get"}, {"id": "", "name": "get"}])
def test_a_call_without_id_and_name_is_incomplete(known: dict[str, Any]) -> None:
    slot = _call(**known)
    slot.close()
    assert not slot.value().complete


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", {}),
        (" \n", {}),
        ('{"a": {"b": [1]}}', {"a": {"b": [1]}}),
        ('{"a": "é' + EMOJI + '"}', {"a": "é" + EMOJI}),
        ('{"a": "' + HIGH + LOW + '"}', {"a": EMOJI}),  # TR-022
        ('{"a": "' + HIGH + '"}', None),  # a part of the character is missing
        ('{"a": "\\ud83d\\ude00"}', {"a": EMOJI}),
        ('{"a": "\\ud83d"}', None),
        ('{"\\ude00": 1}', None),
        ('{"a": NaN}', None),
        ('{"a": [-Infinity]}', None),
        ('{"path": "/etc/pas', None),  # D6
        ("[1]", None),  # D17
        ("1", None),
        ("null", None),
        ("{}{}", None),
        ("[" * 100_000, None),
        ("9" * 10_000, None),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_arguments_are_one_json_object_or_none(text: str, arguments: Any) -> None:
    assert parse_arguments(text) == arguments


def test_tr022_arguments_cut_inside_a_character_are_joined_at_the_end() -> None:
    slot = _call(id="c1", name="get")
    slot.announce()
    pieces = ['{"a": "', HIGH, LOW, '"}']
    assert [chunk.arguments for piece in pieces for chunk in slot.add(piece)] == pieces
    slot.close()
    call = slot.value()
    assert (call.arguments_raw, call.arguments) == (f'{{"a": "{EMOJI}"}}', {"a": EMOJI})
    assert ToolCall.model_validate_json(call.model_dump_json()) == call


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.data())
def test_arguments_survive_any_cut(arguments: dict[str, Any], data: st.DataObject) -> None:
    """Where a text is cut does not change the result."""
    text = json.dumps(arguments)
    at = data.draw(st.integers(0, len(text)))
    slot = _call(id="c1", name="get")
    opening = slot.announce()
    chunks = [chunk for piece in (text[:at], text[at:]) for chunk in slot.add(piece)]
    slot.close()
    assert "".join(chunk.arguments or "" for chunk in (*opening, *chunks)) == text
    assert slot.value().arguments == arguments


# The response


def test_d27_parts_keep_the_order_of_their_opening() -> None:
    assembly = Assembly(frozenset({"rm"}))
    assert assembly.last is None
    thought, text = assembly.open_text("reasoning"), assembly.open_text("text")
    first = assembly.open_call("c1", "get")
    picture = assembly.add_part(Media(data="AA=="))
    second, unused = assembly.open_call("c2", "rm"), assembly.open_text("text")
    assert assembly.last is unused
    text.add("Hi")
    thought.add("Hm")
    assert [slot.part for slot in (thought, text, first, picture, second)] == [0, 1, 2, 3, 4]
    assert assembly.calls == [first, second]
    assert (first.index, second.index, second.needs_approval) == (0, 1, True)
    assert [part.kind for part in assembly.content()] == [
        "reasoning", "text", "tool_call", "media", "tool_call",
    ]  # fmt: skip


def test_d61_nothing_is_shared_between_responses() -> None:
    one, other = Assembly(), Assembly()
    one.open_call("c1", "get").add("{}")
    one.open_text("text").add("Hi")
    assert (other.content(), other.calls) == ((), [])


def test_only_a_refusal_with_text_counts_as_refused() -> None:
    assembly = Assembly()
    assembly.open_text("text").add("No")
    assembly.open_call()
    refusal = assembly.open_text("refusal")
    assert not assembly.refused
    refusal.add("No")
    assert assembly.refused


def test_reasoning_alone_does_not_count_as_output() -> None:
    assembly = Assembly()
    assembly.open_text("reasoning").add("Hm")
    assembly.add_part(RedactedReasoning(data="x"))
    text = assembly.open_text("text")
    assert assembly.no_output
    text.add("Hi")
    assert not assembly.no_output


@pytest.mark.parametrize("make", [Assembly.open_call, lambda one: one.add_part(Media())])
def test_a_call_and_media_count_as_output(make: Any) -> None:
    assembly = Assembly()
    make(assembly)
    assert not assembly.no_output


def test_a_refusal_counts_as_output() -> None:
    assembly = Assembly()
    assembly.open_text("refusal").add("No")
    assert not assembly.no_output
