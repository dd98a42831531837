"""The versions that a range names."""

from __future__ import annotations

import pytest

from harness.errors import InputError
from harness.targets.releases import Range, range_of, releases, within

KNOWN = ("3.1.0", "2.0.0", "2.0.1", "2.10.0", "2.9.1", "2.9.0", "3.0.0", "3.0.1rc1", "1.9", "3.2")


@pytest.mark.parametrize(
    ("text", "depth", "versions"),
    [
        ("a:2.0..3", 2, ["2.0.0", "2.0.1", "2.9.1", "2.10.0", "3.0.0", "3.1.0", "3.2"]),
        ("a:2.0..3.1", 3, ["2.0.0", "2.0.1", "2.9.0", "2.9.1", "2.10.0", "3.0.0", "3.1.0"]),
        ("a:2..3", 1, ["2.0.0", "2.10.0", "3.2"]),
        ("a:2.9.0..2.9.1", 2, ["2.9.0", "2.9.1"]),
        ("a:4..5", 2, []),
    ],
)
def test_a_range_contains_the_last_version_of_every_step_and_the_oldest(
    text: str, depth: int, versions: list[str]
) -> None:
    assert within(range_of(text), KNOWN, depth) == versions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openai", "write them as PACKAGE:LOW..HIGH"),
        ("openai:2..x", "write them as PACKAGE:LOW..HIGH"),
        ("openai:3..2", "3 is above 2"),
    ],
)
def test_an_invalid_range_is_an_error(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        range_of(text)


def test_an_unknown_step_proposes_a_known_one() -> None:
    with pytest.raises(InputError, match="did you mean 'minor'"):
        releases(Range("openai", "2", "3"), "minr")
