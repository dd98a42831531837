"""docs/requirements.md is what the code holds, and each of its rows has a source to open."""

from __future__ import annotations

from itertools import chain

import pytest

from tests.docs.requirements import PAGE, Check, link, page, sections

CHECKS = tuple(chain.from_iterable(section.checks for section in sections()))


def test_the_page_is_up_to_date() -> None:
    assert page() == PAGE.read_text("utf-8"), "run `python -m tests.docs.requirements`"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_has_a_sentence_and_a_source(check: Check) -> None:
    assert check.sentence
    assert not check.sentence.endswith(".")
    assert check.sources


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("CA-002", "[CA-002](catalogue.md#ca-002)"),
        ("D56", "[D56](defects.md#d56)"),
        ("IV-007", "[IV-007](streaming-rules.md#iv-007)"),
        ("limits.md", "[limits.md](limits.md)"),
        ("https://example.com/a", "[example.com/a](https://example.com/a)"),
    ],
)
def test_a_source_is_a_link(source: str, expected: str) -> None:
    assert link(source) == expected
