"""The Chat Completions tables: complete against the SDK, right about order, and easily written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta
from pydantic import BaseModel

from harness.errors import InputError
from harness.model import Event
from harness.protocols import protocol
from harness.protocols.composing import entry_of
from harness.protocols.grammar import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL = protocol("openai_chat")


def compose(*entries: Any) -> list[Any]:
    return list(PROTOCOL.composer().compose(map(entry_of, entries)))


def sentences(*entries: Any) -> list[str]:
    found = PROTOCOL.violations(compose(*entries))
    return [v.sentence for v in found if v.severity == "violation"]


# The tables against the SDK


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _literals(annotation: Any) -> set[str]:
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*map(_literals, get_args(annotation)))


def _counts(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every number a usage object holds."""
    for name, field in model.model_fields.items():
        inner = list(_models(field.annotation))
        if not inner:
            yield f"{prefix}{name}"
        for each in inner:
            yield from _counts(each, f"{prefix}{name}.")


SDK_WORDS = {
    "chunk": set(ChatCompletionChunk.model_fields),
    "delta": set(ChoiceDelta.model_fields),
    "role": _literals(ChoiceDelta.model_fields["role"].annotation),
    "finish": _literals(Choice.model_fields["finish_reason"].annotation),
    "usage": set(_counts(CompletionUsage)),
}


@pytest.mark.parametrize("category", SDK_WORDS)
def test_every_word_of_the_sdk_is_in_a_table_or_has_a_reason(category: str) -> None:
    known = PROTOCOL.vocabulary[category]
    reasons = PROTOCOL.unmodelled.get(category, {})
    assert SDK_WORDS[category] - known - reasons.keys() == set()
    assert known & reasons.keys() == set()
    assert reasons.keys() - SDK_WORDS[category] == set(), "a reason for a word the SDK has not"


def test_the_enumeration_of_the_sdk_is_not_empty() -> None:
    sizes = {category: len(words) for category, words in SDK_WORDS.items()}
    assert sizes == {"chunk": 10, "delta": 6, "role": 5, "finish": 5, "usage": 13}


# Order

ANSWER = ("role", {"content": "Hel"}, {"content": "lo"}, {"finish": "stop"}, "usage", "done")
LOCATED = {"id": "call_1", "name": "locate", "arguments": ""}


def test_the_documented_order_is_legal() -> None:
    assert PROTOCOL.violations(compose(*ANSWER)) == []


def test_parallel_calls_may_overlap() -> None:
    assert (
        sentences(
            "role",
            {"tool_call": {"at": [0], **LOCATED}},
            {"tool_call": {"at": [1], "id": "call_2", "name": "clock", "arguments": "{"}},
            {"tool_call": {"at": [0], "arguments": "{}"}},
            {"tool_call": {"at": [1], "arguments": "}"}},
            {"finish": "tool_calls"},
            "done",
        )
        == []
    )


def test_the_legacy_function_call_is_legal() -> None:
    named, filled = {"name": "clock", "arguments": ""}, {"arguments": "{}"}
    assert (
        sentences(
            "role",
            {"delta": {"function_call": named}},
            {"delta": {"function_call": filled}},
            {"finish": "function_call"},
            "done",
        )
        == []
    )


def test_two_choices_finish_independently() -> None:
    second = {"index": 1, "delta": {"role": "assistant", "content": "Ho"}, "finish_reason": None}
    late = {"index": 1, "delta": {}, "finish_reason": "stop"}
    both = ["role", {"chunk": {"choices": [second]}}, {"finish": "stop"}]
    assert sentences(*both, {"chunk": {"choices": [late]}}, "done") == []
    assert sentences(*both, "done") == [
        "event 3 done: waits for choice[1], which is 'open'",
    ]


def test_audio_ends_without_a_finish_reason_and_expires_after_the_usage() -> None:
    events = compose(
        "role",
        {"delta": {"audio": {"id": "audio_1", "transcript": "Hi"}}},
        {"delta": {"audio": {"data": "AAAA"}}},
        "usage",
        {"delta": {"audio": {"expires_at": 1}}},
        "done",
    )
    assert {v.severity for v in PROTOCOL.violations(events)} == {"open"}


def test_azures_filter_results_may_come_first_and_last() -> None:
    first = {"id": "", "model": "", "prompt_filter_results": [{"prompt_index": 0}]}
    last = {"choices": [{"index": 0, "content_filter_results": {}, "finish_reason": None}]}
    verdict = {"choices": [{"index": 0, "content_filter_results": {"hate": {"filtered": False}}}]}
    assert (
        sentences({"chunk": first}, *ANSWER[:-2], {"chunk": last}, {"chunk": verdict}, "done") == []
    )


ILLEGAL = {
    "content after the finish": (*ANSWER[:4], {"content": "!"}, "done"),
    "two finishes": (*ANSWER[:4], {"finish": "stop"}, "done"),
    "usage on a running chunk": ("role", {"chunk": {
        "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}],
        "usage": {"prompt_tokens": 1},
    }}, {"finish": "stop"}, "done"),
    "two usages": (*ANSWER[:-1], "usage", "done"),
    "no terminal": ANSWER[:-1],
    "an end before the finish": ("role", {"content": "Hel"}, "done"),
    "a chunk after the end": (*ANSWER, {"content": "!"}),
    "a call that begins at 1": (
        "role", {"tool_call": {"at": [1], **LOCATED}}, {"finish": "stop"}, "done",
    ),
    "an id sent twice": (
        "role", {"tool_call": LOCATED}, {"tool_call": LOCATED}, {"finish": "stop"}, "done",
    ),
    "[DONE] after an error": ("role", {"error": "no"}, "done"),
    "an unknown finish": ("role", {"finish": "bored"}, "done"),
    "text where JSON should be": ("role", {"event": {"data": "{half"}}, {"finish": "stop"}, "done"),
}  # fmt: skip


@pytest.mark.parametrize("order", ILLEGAL)
def test_an_illegal_order_is_reported(order: str) -> None:
    assert sentences(*ILLEGAL[order]) != []


OPEN = {
    "a role again": ("role", "role", {"finish": "stop"}, "done"),
    "no role": ({"content": "Hi"}, {"finish": "stop"}, "done"),
    "reasoning": ("role", {"reasoning": "Hm"}, {"finish": "stop"}, "done"),
    "usage beside the finish": ("role", {"finish": {"reason": "stop", "usage": {"a": 1}}}, "done"),
    "a vendor's finish": ("role", {"finish": "eos"}, "done"),
    "no index": ("role", {"tool_call": {"at": None, **LOCATED}}, {"finish": "stop"}, "done"),
}


@pytest.mark.parametrize("order", OPEN)
def test_an_open_order_is_reported_as_open(order: str) -> None:
    violations = PROTOCOL.violations(compose(*OPEN[order]))
    assert {v.severity for v in violations} == {"open"}


def test_an_error_may_end_the_stream() -> None:
    assert sentences("role", {"error": "no"}) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "delta", "index", "tool_calls", "function", "id", "usage", "error",
             "finish_reason", "audio", "content", "role", "function_call"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(JSON, max_size=4))
def test_the_validator_never_raises(bodies: list[Any]) -> None:
    PROTOCOL.violations(
        Event(None, body if isinstance(body, dict) else str(body)) for body in bodies
    )


def test_one_chunk_is_read_as_several_steps() -> None:
    delta = {"role": "assistant", "content": "a", "tool_calls": [{"index": 0, "id": "c"}]}
    body = {"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}], "usage": {}}
    assert list(PROTOCOL.read(Event(None, body))) == [
        Step("role", (0,)),
        Step("content", (0,)),
        Step("call.start", (0, 0)),
        Step("finish[stop]", (0,)),
        Step("usage[beside choices]"),
    ]


# The short hand


def test_a_fragment_holds_only_what_is_written() -> None:
    [event] = compose({"tool_call": {"at": None, "arguments": "{}"}})
    assert event.data["choices"][0]["delta"] == {
        "tool_calls": [{"function": {"arguments": "{}"}}],
    }


def test_the_field_of_reasoning_can_be_chosen() -> None:
    [event] = compose({"reasoning": {"field": "reasoning", "text": "Hm"}})
    assert event.data["choices"][0]["delta"] == {"reasoning": "Hm"}


def test_a_field_of_a_chunk_can_be_removed() -> None:
    [event] = compose({"chunk": {"model": "$absent", "choices": "$absent"}})
    assert event.data.keys() == {"id", "object", "created"}


def test_a_payload_that_does_not_fit_is_an_error_of_the_file() -> None:
    with pytest.raises(InputError, match="finish"):
        compose({"finish": {"choice": 1}})
