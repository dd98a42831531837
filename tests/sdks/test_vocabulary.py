"""What the installed SDKs know, and the gate for SDK upgrades."""

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

# Words that are in the types of every supported SDK version.
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


class First(BaseModel):
    count: int
    second: Optional["Second"] = None


class Second(BaseModel):
    age: int
    firsts: list[First]


First.model_rebuild()
Either = Annotated[Union[Inner, Annotated[Outer, "tag"]], "discriminator"]  # noqa: UP007 - SDKs write it this way


def test_members_of_nested_unions_are_found() -> None:
    assert list(members(Either)) == [Inner, Outer]
    assert tags(Either) == {"inner", "outer"}


def test_words_come_from_literals_and_enums() -> None:
    assert literals(Literal["x", "y"] | None) == {"x", "y"}
    assert literals(Kind | str | None) == {"a", "b"}


def test_integers_are_found_in_models_and_lists_without_recursion() -> None:
    assert integer_paths(Outer) == {"total", "inner.count", "rows.count"}


def test_mutually_recursive_models_end() -> None:
    assert integer_paths(First) == {"count", "second.age"}


def test_a_type_that_is_not_a_model_has_no_fields() -> None:
    assert fields(int) == frozenset()


def test_every_installed_sdk_fills_every_category() -> None:
    found = vocabulary()
    assert {name: set(words) for name, words in found.items()} == CATEGORIES
    assert not [key for words in found.values() for key, value in words.items() if not value]
    assert set(versions()) == {"openai", "anthropic", "google-genai"}


@pytest.mark.parametrize(("name", "category", "word"), LASTING)
def test_a_word_of_every_version_is_found(name: str, category: str, word: str) -> None:
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


def test_unmodelled_words_and_no_others_have_a_reason() -> None:
    rows = coverage({})
    assert {row.where for row in rows if row.reason} == {"unmodelled"}
    assert not [row for row in rows if row.where == "unmodelled" and not row.reason]


def test_the_reason_of_a_group_of_counts_applies_to_each() -> None:
    found = {(row.protocol, row.word): row for row in coverage({})}
    row = found["anthropic_messages", "cache_creation.ephemeral_1h_input_tokens"]
    assert (row.where, row.reason) == (
        "unmodelled",
        protocol("anthropic_messages").unmodelled["usage"]["cache_creation"],
    )


def test_every_word_of_the_installed_sdks_is_known() -> None:
    unknown = [f"{r.protocol} {r.category} {r.word}" for r in coverage({}) if r.where == "unknown"]
    assert unknown == []
