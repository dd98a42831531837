"""Sanitizing histories with the defects of failed runs (M1-M3, CA-006)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.streaming.request_sanitizing.chat import sanitise_chat
from harness.streaming.request_sanitizing.messages import CANCELLED, CONTINUED, sanitise

if TYPE_CHECKING:
    from collections.abc import Sequence


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": _content(content)}


def model(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": _content(content)}


def _content(content: tuple[Any, ...]) -> Any:
    return content[0] if len(content) == 1 and isinstance(content[0], str) else list(content)


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def call(call_id: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "get", "input": {}}


def result(call_id: str, content: Any = "done") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


def never(call_id: str) -> dict[str, Any]:
    return {**result(call_id, CANCELLED), "is_error": True}


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(
            [user("Hi"), model(text("a"), text(" \n"), text("b"))],
            [user("Hi"), model(text("a"), text("b"))],
            id="blank text block",
        ),
        pytest.param(
            [user("Hi"), model(""), user("Still there?")],
            [user(text("Hi"), text("Still there?"))],
            id="empty message between",
        ),
        pytest.param([user("Hi"), model("")], [user("Hi"), model("")], id="empty prefill stays"),
        pytest.param([user(" "), model("Yo")], [user(CONTINUED), model("Yo")], id="empty user"),
        pytest.param(
            [user("Hi"), model(call("a")), user(result("a"), result("a"))],
            [user("Hi"), model(call("a")), user(result("a"))],
            id="result stored twice",
        ),
        pytest.param(
            [user("Hi"), model(call("a")), user(result("a", "x"), result("a", "y"))],
            [user("Hi"), model(call("a")), user(result("a", [text("x"), text("y")]))],
            id="two results of one call",
        ),
        pytest.param(
            [user("Hi"), model(call("a")), user(result("a", "x"), never("a"))],
            [
                *[user("Hi"), model(call("a"))],
                user({**result("a", [text("x"), text(CANCELLED)]), "is_error": True}),
            ],
            id="a result that went wrong when it was repeated",
        ),
        pytest.param(
            [user("Hi"), model(call("a"), call("a")), user(result("a"))],
            [user("Hi"), model(call("a")), user(result("a"))],
            id="one call stored twice",
        ),
        pytest.param(
            [user("Hi"), model(call("a")), user(result("a")), model("Ok"), user(result("a"))],
            [user("Hi"), model(call("a")), user(result("a")), model("Ok")],
            id="result repeated later",
        ),
        pytest.param(
            [user("Hi"), model(text("Well"), call("a"))],
            [user("Hi"), model(text("Well"), call("a")), user(never("a"))],
            id="cancelled after a call",
        ),
        pytest.param(
            [user("Hi"), model(call("a"), call("b")), user(text("No"), result("b"))],
            [user("Hi"), model(call("a"), call("b")), user(never("a"), result("b"), text("No"))],
            id="one of two answered, late in the message",
        ),
        pytest.param(
            [user("Hi"), model(call("a")), user("Wait"), model("Ok"), user(result("a"))],
            [user("Hi"), model(call("a")), user(result("a"), text("Wait")), model("Ok")],
            id="result of an earlier call",
        ),
        pytest.param(
            [user("1"), model(call("a")), user("2"), model(call("a")), user(result("a"))],
            [
                *[user("1"), model(call("a")), user(never("a"), text("2"))],
                *[model(call("a")), user(result("a"))],
            ],
            id="an id used again",
        ),
    ],
)
def test_messages_are_sanitised(stored: list[Any], sent: list[Any]) -> None:
    assert sanitise(stored) == sent


WORDS = st.sampled_from(["", " ", "a", "b"])
IDS = st.sampled_from(["x", "y", "z"])
TEXTS = st.builds(text, WORDS)
BLOCKS = {
    "user": st.one_of(TEXTS, st.builds(result, IDS, st.one_of(WORDS, st.lists(TEXTS, max_size=2)))),
    "assistant": st.one_of(TEXTS, st.builds(call, IDS)),
}
MESSAGES = st.lists(
    st.sampled_from(["user", "assistant"]).flatmap(
        lambda role: st.fixed_dictionaries(
            {"role": st.just(role), "content": st.one_of(WORDS, st.lists(BLOCKS[role], max_size=4))}
        )
    ),
    max_size=8,
)


def refusals(messages: Sequence[Any]) -> list[str]:
    """Return why the API would reject messages: its rules, independent of our code."""
    found: list[str] = []
    pending: list[str] = []
    for place, message in enumerate(messages):
        last = place == len(messages) - 1
        if message["role"] == ("user", "assistant")[place % 2 == 0]:
            found.append(f"{place}: {message['role']} out of turn")
        content = message["content"]
        blocks = [text(content)] if isinstance(content, str) and content else list(content)
        if not blocks and not (last and message["role"] == "assistant"):
            found.append(f"{place}: empty")
        found += [
            f"{place}: blank text" for b in blocks if b["type"] == "text" and not b["text"].strip()
        ]
        given = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        if given != pending or [b["type"] for b in blocks[: len(given)]].count("text"):
            found.append(f"{place}: pending for {pending}, got {given}")
        pending = [b["id"] for b in blocks if b["type"] == "tool_use"]
        if len(set(pending)) != len(pending):
            found.append(f"{place}: call ids {pending}")
    return [*found, *(f"{call} unanswered" for call in pending)]


@given(MESSAGES)
def test_every_history_becomes_acceptable_and_then_stays_unchanged(stored: list[Any]) -> None:
    before = copy.deepcopy(stored)
    sent = sanitise(stored)
    assert refusals(sent) == []
    assert sanitise(sent) == sent
    assert stored == before


@given(MESSAGES)
def test_acceptable_messages_are_unchanged(stored: list[Any]) -> None:
    if not refusals(stored):
        assert sanitise(stored) == stored


def test_the_rules_of_this_file_can_be_broken() -> None:
    assert refusals([model("Hi")]) == ["0: assistant out of turn"]
    assert refusals([user("Hi"), model(call("a"))]) == ["a unanswered"]
    assert refusals([user(text(" "))]) == ["0: blank text"]
    assert refusals([user("")]) == ["0: empty"]
    assert refusals([user("Hi"), model(call("a"), call("a")), user(result("a"))])


def asks(*ids: str) -> dict[str, Any]:
    calls = [{"id": i, "type": "function", "function": {"name": "get"}} for i in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def tool(call_id: str, content: Any = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ([user("Hi"), asks("a"), tool("a"), tool("a")], [user("Hi"), asks("a"), tool("a")]),
        ([asks("a", "a"), tool("a")], [asks("a"), tool("a")]),
        ([asks("a", "b"), tool("b"), tool("a")], [asks("a", "b"), tool("a"), tool("b")]),
        ([asks("a"), user("No")], [asks("a"), tool("a", CANCELLED), user("No")]),
        ([asks("a"), user("Wait"), tool("a")], [asks("a"), tool("a"), user("Wait")]),
        ([tool("a"), user("Hi")], [user("Hi")]),
        ([asks("a"), tool("a", [text("x")]), tool("a", "x")], [asks("a"), tool("a", [text("x")])]),
        ([asks()], [{"role": "assistant", "content": None}]),
        (
            [asks("a"), tool("a", "x"), tool("a", "y")],
            [asks("a"), tool("a", [text("x"), text("y")])],
        ),
        (
            [asks("a"), user("1"), asks("a"), tool("a")],
            [asks("a"), tool("a", CANCELLED), user("1"), asks("a"), tool("a")],
        ),
    ],
)
def test_chat_messages_are_sanitised(stored: list[Any], sent: list[Any]) -> None:
    assert sanitise_chat(stored) == sent


CHAT = st.lists(
    st.one_of(
        st.builds(user, WORDS),
        st.lists(IDS, max_size=3).map(lambda ids: asks(*ids)),
        st.builds(tool, IDS, WORDS),
    ),
    max_size=8,
)


@given(CHAT)
def test_every_call_of_a_chat_has_one_result_directly_after_it(stored: list[Any]) -> None:
    before = copy.deepcopy(stored)
    sent = sanitise_chat(stored)
    assert sanitise_chat(sent) == sent
    assert stored == before
    waiting: list[str] = []
    for message in sent:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
        else:
            assert waiting == []
        calls = [call["id"] for call in message.get("tool_calls", ())]
        assert len(set(calls)) == len(calls)
        assert "tool_calls" not in message or calls
        waiting += calls
    assert waiting == []
