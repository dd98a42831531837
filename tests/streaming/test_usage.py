"""Usage by table: a missing count is not reported, zero is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from openai.types import CompletionUsage

from harness.model import Usage
from harness.streaming.usage import counts_of, raw_of, usage_of

TABLE = {"input": "prompt_tokens", "cached": "prompt_tokens_details.cached_tokens"}


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, {}),
        ({}, {}),
        ({"prompt_tokens": 3}, {"input": 3}),
        ({"prompt_tokens": 0}, {"input": 0}),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, {"cached": 0}),
        ({"prompt_tokens": None, "prompt_tokens_details": None}, {}),
        ({"prompt_tokens": "3", "prompt_tokens_details": {"cached_tokens": True}}, {}),
        ({"prompt_tokens": -1, "prompt_tokens_details": {"cached_tokens": 2}}, {"cached": 2}),
        (SimpleNamespace(prompt_tokens_details=SimpleNamespace(cached_tokens=2)), {"cached": 2}),
    ],
)  # fmt: skip
def test_only_what_was_reported_is_counted(usage: Any, counts: dict[str, int]) -> None:
    assert counts_of(usage, TABLE) == counts


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({}, None),
        ({"input": 0}, Usage(input=0)),
        ({"output": 2}, Usage(output=2)),
        ({"input": 1, "output": 2}, Usage(input=1, output=2, total=3)),
        ({"input": 1, "output": 2, "total": 9}, Usage(input=1, output=2, total=9)),
    ],
)
def test_a_total_is_the_providers_or_the_sum(counts: dict[str, int], usage: Usage | None) -> None:
    before = dict(counts)
    assert usage_of(counts) == usage
    assert counts == before


def test_raw_usage_is_what_was_sent() -> None:
    sent: Any = {"prompt_tokens": 1, "completion_tokens": "many", "vendor": {"x": None}}
    assert raw_of(CompletionUsage.model_construct(**sent)) == sent  # a wrong type causes no warning
    assert raw_of(sent) is sent
    assert raw_of(None) is None
