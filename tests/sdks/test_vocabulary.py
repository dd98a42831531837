"""What the installed SDKs know, and the gate that an upgrade has to pass."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal, Optional, Union

import pytest
from pydantic import BaseModel

from harness.protocols import NAMES, protocol
from harness.sdks.introspection import fields, integer_paths, literals, members, tags
from harness.sdks.vocabulary import coverage, versions, vocabulary

CATEGORIES = {
    "openai_responses": {"event", "item", "part", "status", "incomplete", "usage"},
    "openai_chat": {"chunk", "delta", "role", "finish", "usage"},
    "anthropic_messages": {"event", "block", "delta", "finish", "usage"},
    "gemini_generate": {"response", "candidate", "part", "finish", "block_reason", "usage"},
}

# Words that were in the SDKs' types long before the oldest version we support.
LASTING = [
    ("openai_responses", "event", "response.output_text.delta"),
    ("openai_responses", "event", "error"),
    ("openai_responses", "item", "function_call"),
    ("openai_responses", "part", "refusal"),
    ("openai_responses", "part", "summary_text"),
    ("openai_responses", "status", "incomplete"),
    ("openai_responses", "incomplete", "max_output_tokens"),
    ("openai_responses", "usage", "input_tokens_details.cached_tokens"),
    ("openai_chat", "chunk", "choices"),
    ("openai_chat", "delta", "tool_calls"),
    ("openai_chat", "role", "assistant"),
    ("openai_chat", "finish", "content_filter"),
    ("openai_chat", "usage", "completion_tokens_details.reasoning_tokens"),
    ("anthropic_messages", "event", "content_block_stop"),
    ("anthropic_messages", "block", "mcp_tool_use"),  # beta only
    ("anthropic_messages", "delta", "citations_delta"),
    ("anthropic_messages", "finish", "pause_turn"),
    ("anthropic_messages", "usage", "cache_read_input_tokens"),
    ("gemini_generate", "response", "usage_metadata"),
    ("gemini_generate", "candidate", "finish_reason"),
    ("gemini_generate", "part", "thought_signature"),
    ("gemini_generate", "finish", "MALFORMED_FUNCTION_CALL"),
    ("gemini_generate", "block_reason", "PROHIBITED_CONTENT"),
    ("gemini_generate", "usage", "thoughts_token_count"),
]


class Kind(Enum):
    A = "a"
    B = "b"


class Inner(BaseModel):
    type: Literal["inner"]
    count: int
    words: str
    flag: bool


class Outer(BaseModel):
    type: Literal["outer"]
    total: Optional[int] = None  # noqa: UP045 - SDKs write it this way
    inner: Inner
    rows: list[Inner] | None = None
    again: Union["Outer", None] = None


class Egg(BaseModel):
    count: int
    hen: Optional["Hen"] = None


class Hen(BaseModel):
    age: int
    eggs: list[Egg]


Egg.model_rebuild()
Either = Annotated[Union[Inner, Annotated[Outer, "tag"]], "discriminator"]  # noqa: UP007 - SDKs write it this way


def test_a_union_is_opened_however_it_is_wrapped() -> None:
    assert list(members(Either)) == [Inner, Outer]
    assert tags(Either) == {"inner", "outer"}


def test_words_are_those_of_literals_and_enums() -> None:
    assert literals(Literal["x", "y"] | None) == {"x", "y"}
    assert literals(Kind | str | None) == {"a", "b"}


def test_counts_are_found_through_models_and_lists_and_end_where_a_model_repeats() -> None:
    assert integer_paths(Outer) == {"total", "inner.count", "rows.count"}


def test_counts_end_where_models_hold_each_other() -> None:
    assert integer_paths(Egg) == {"count", "hen.age"}


def test_what_is_no_model_has_no_fields() -> None:
    assert fields(int) == frozenset()


def test_every_installed_sdk_fills_every_category() -> None:
    found = vocabulary()
    assert {name: set(words) for name, words in found.items()} == CATEGORIES
    assert not [key for words in found.values() for key, value in words.items() if not value]
    assert set(versions()) == {"openai", "anthropic", "google-genai"}


@pytest.mark.parametrize(("name", "category", "word"), LASTING)
def test_a_lasting_word_is_found(name: str, category: str, word: str) -> None:
    assert word in vocabulary()[name][category]


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_use_the_same_categories(name: str) -> None:
    known = protocol(name)
    assert set(known.vocabulary) == CATEGORIES[name]
    assert set(known.unmodelled) <= CATEGORIES[name]


def test_every_word_gets_one_row_with_its_scenarios() -> None:
    rows = coverage({"openai_chat": {"finish": {"stop": 3}}})
    keys = [(row.protocol, row.category, row.word) for row in rows]
    assert (
        len(keys)
        == len(set(keys))
        == sum(len(w) for c in vocabulary().values() for w in c.values())
    )
    assert [row for row in rows if row.scenarios] == [
        next(row for row in rows if (row.category, row.word) == ("finish", "stop"))
    ]


def test_a_reason_is_given_for_what_no_table_holds_and_only_for_that() -> None:
    rows = coverage({})
    assert {row.where for row in rows if row.reason} == {"unmodelled"}
    assert not [row for row in rows if row.where == "unmodelled" and not row.reason]


def test_a_reason_for_a_group_of_counts_holds_for_each_of_them() -> None:
    found = {(row.protocol, row.word): row for row in coverage({})}
    row = found["anthropic_messages", "cache_creation.ephemeral_1h_input_tokens"]
    assert (row.where, row.reason) == (
        "unmodelled",
        protocol("anthropic_messages").unmodelled["usage"]["cache_creation"],
    )


def test_no_word_of_an_installed_sdk_is_unknown_to_us() -> None:
    unknown = [f"{r.protocol} {r.category} {r.word}" for r in coverage({}) if r.where == "unknown"]
    assert unknown == []
