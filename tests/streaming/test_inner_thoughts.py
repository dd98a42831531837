"""The stage that turns reasoning in tool arguments into reasoning chunks."""

from __future__ import annotations

import itertools
import json
from time import process_time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.checks.invariants import evaluate_invariants
from harness.model import Chunk, Outcome, Reasoning, Text, ToolCall
from harness.streaming.inner_thoughts import InnerThoughts
from harness.streaming.json_members import ObjectReader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(['}"{', "\\", "😀"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
# Whether the reasoning comes first, and whether the text is ASCII with escapes.
FORMS = [(first, ascii_only) for first in (True, False) for ascii_only in (True, False)]
OBJECTS = st.dictionaries(st.text(max_size=8), JSON, max_size=4)


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def opening(index: int, name: str) -> Chunk:
    return Chunk("tool_call", None, index, index, f"call_{index}", name)


def piece(index: int, text: str) -> Chunk:
    return Chunk("tool_call", None, index, index, f"call_{index}", None, text)


def made(calls: list[tuple[str, str, Any]], order: list[Chunk]) -> Outcome:
    """Feed a stream of calls; the outcome before the stage is what an interface would give."""
    stage = InnerThoughts()
    chunks = [*order, Chunk("stop_reason", finish="tool_calls")]
    for chunk in chunks:
        stage.feed(chunk)
    content = tuple(
        ToolCall(
            id=f"call_{index}",
            name=name,
            arguments_raw=raw,
            arguments=arguments,
            complete=arguments is not None,
        )
        for index, (name, raw, arguments) in enumerate(calls)
    )
    plain = Outcome(
        chunks=tuple(chunks),
        content=content,
        finish="tool_calls",
        finish_raw="x",
        ending="complete",
    )
    return stage.outcome(plain)


def assert_consistent(outcome: Outcome) -> None:
    assert [wrong for _, wrong in evaluate_invariants(outcome, {"x": "stop"}) if wrong] == []


@given(OBJECTS, st.text(), st.lists(st.integers(0, 500), max_size=30), st.sampled_from(FORMS))
def test_thoughts_are_removed_and_the_other_arguments_stream_on(
    arguments: dict[str, Any], thoughts: str, places: list[int], form: tuple[bool, bool]
) -> None:
    first, ascii_only = form
    arguments.pop("inner_thoughts", None)
    member = {"inner_thoughts": thoughts}
    members = {**member, **arguments} if first else {**arguments, **member}
    raw = json.dumps(members, ensure_ascii=ascii_only)
    order = [opening(0, "search"), *(piece(0, text) for text in cut(raw, places))]
    outcome = made([("search", raw, members)], order)
    [call] = outcome.tool_calls
    assert outcome.reasoning == thoughts
    assert json.loads(call.arguments_raw) == arguments == call.arguments
    assert_consistent(outcome)


@given(st.text(min_size=1), st.text(), st.lists(st.integers(0, 500), max_size=30))
def test_send_message_becomes_text(message: str, thoughts: str, places: list[int]) -> None:
    members = {"inner_thoughts": thoughts, "message": message, "request_heartbeat": True}
    raw = json.dumps(members)
    order = [opening(0, "send_message"), *(piece(0, text) for text in cut(raw, places))]
    outcome = made([("send_message", raw, members)], order)
    assert (outcome.text, outcome.reasoning) == (message, thoughts)
    assert (outcome.tool_calls, outcome.finish) == ((), "stop")
    assert_consistent(outcome)


def test_parallel_calls_keep_their_own_ids_and_arguments() -> None:
    """D19, D30: interleaved calls, nested objects, one call's arguments in a single chunk."""
    first = {"inner_thoughts": "one", "where": {"city": "Rome", "at": [1, {"x": "}"}]}}
    second = {"query": "two", "inner_thoughts": "deux"}
    raws = [json.dumps(first), json.dumps(second)]
    order = [opening(0, "map"), opening(1, "search"), piece(1, raws[1])]
    order += [piece(0, sign) for sign in raws[0]]
    outcome = made([("map", raws[0], first), ("search", raws[1], second)], order)
    assert [(c.id, c.name, c.arguments) for c in outcome.tool_calls] == [
        ("call_0", "map", {"where": first["where"]}),
        ("call_1", "search", {"query": "two"}),
    ]
    assert [part.kind for part in outcome.content] == ["reasoning", "tool_call"] * 2
    assert_consistent(outcome)


def test_a_cut_call_keeps_its_arguments_and_stays_incomplete() -> None:
    raw = '{"inner_thoughts": "hm", "path": "/etc/pas'
    outcome = made([("open", raw, None)], [opening(0, "open"), piece(0, raw)])
    [call] = outcome.tool_calls
    assert (call.arguments_raw, call.complete, outcome.reasoning) == (
        '{"path":"/etc/pas',
        False,
        "hm",
    )
    assert_consistent(outcome)


def test_arguments_that_are_not_an_object_pass_unchanged() -> None:
    outcome = made([("run", "[1, 2]", None)], [opening(0, "run"), piece(0, "[1,"), piece(0, " 2]")])
    assert outcome.tool_calls[0].arguments_raw == "[1, 2]"
    assert_consistent(outcome)


def test_parts_around_the_calls_are_renumbered() -> None:
    stage = InnerThoughts()
    raw = '{"inner_thoughts": "b", "x": 1}'
    order = [
        Chunk("text", "a", 0),
        Chunk("tool_call", None, 1, 0, "c", "run", raw),
        Chunk("text", "d", 2),
        Chunk("usage"),
    ]
    for chunk in order:
        stage.feed(chunk)
    call = ToolCall(id="c", name="run", arguments_raw=raw, arguments=json.loads(raw), complete=True)
    plain = Outcome(chunks=tuple(order), content=(Text(text="a"), call, Text(text="d")))
    outcome = stage.outcome(plain)
    assert outcome.content[:2] == (Text(text="a"), Reasoning(text="b"))
    assert {chunk.part for chunk in outcome.chunks} == {0, 1, 2, 3, None}
    assert_consistent(
        outcome.model_copy(update={"chunks": outcome.chunks[:-1]}).model_copy(
            update={"chunks": (*outcome.chunks[:-1], Chunk("stop_reason", finish="unknown"))}
        )
    )


def test_a_call_without_chunks_is_unchanged() -> None:
    call = ToolCall(id=None, name=None, arguments_raw="{", arguments=None, complete=False)
    assert InnerThoughts().outcome(Outcome(content=(call,))).content == (call,)


@given(st.text(alphabet='{}[]":,\\u dD89abcdef0 \n', max_size=60), st.lists(st.integers(0, 60)))
def test_reading_never_raises_and_does_not_depend_on_cuts(text: str, places: list[int]) -> None:
    def read(pieces: list[str]) -> list[tuple[str, str]]:
        reader = ObjectReader()
        joined: list[tuple[str, str]] = []
        for found in (found for part in pieces for found in reader.feed(part)):
            if joined and joined[-1][0] == found.kind in {"raw", "text", "stray"}:
                joined[-1] = (found.kind, joined[-1][1] + found.text)
            else:
                joined.append((found.kind, found.text))
        return [item for item in joined if item[0] != "text"]

    def raws(pieces: list[str]) -> list[tuple[str, str]]:
        merged: list[tuple[str, str]] = []
        for kind, value in read(pieces):
            if merged and merged[-1][0] == kind == "raw":
                merged[-1] = (kind, merged[-1][1] + value)
            else:
                merged.append((kind, value))
        return merged

    assert raws([text]) == raws(cut(text, places)) == raws(list(text))


def test_reading_is_linear_in_length() -> None:
    def seconds(members: int) -> float:
        text = json.dumps({f"key {number}": "word " * 10 for number in range(members)})
        started = process_time()
        ObjectReader().feed(text)
        return process_time() - started

    seconds(500)
    assert min(seconds(8000) for _ in range(3)) < 14 * min(seconds(1000) for _ in range(3))


def test_an_invalid_escape_is_unchanged() -> None:
    texts = [p.text for p in ObjectReader().feed(r'{"a": "\x1"}') if p.kind == "text"]
    assert texts == [r"\x1"]


def test_chunks_of_one_part_keep_one_new_ordinal() -> None:
    stage = InnerThoughts()
    fed = [Chunk("text", "a", 4), Chunk("text", "b", 4), opening(0, "send_message"), piece(0, "{}")]
    shown = [chunk for chunk in fed for chunk in stage.feed(chunk)]
    assert [chunk.part for chunk in shown] == [0, 0]
    call = ToolCall(id="c", name="send_message", arguments_raw="{}", arguments={}, complete=True)
    assert stage.outcome(Outcome(content=(Text(text="ab"), call))).content == (Text(text="ab"),)
