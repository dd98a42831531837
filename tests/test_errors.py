"""An error is one line that a person can act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import (
    FrameTooLargeError,
    HarnessError,
    InputError,
    ProtocolError,
    StreamError,
    TargetError,
    UnknownWordError,
    WireError,
)
from harness.model import ErrorInfo


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InputError("no"), "no"),
        (InputError("no", path="a.yaml"), "a.yaml: no"),
        (InputError("no", path=Path("a.yaml"), line=3), "a.yaml:3: no"),
        (InputError("no", line=3), "no"),
        (InputError("no", line=1).at("b.yaml", 7), "b.yaml:7: no"),
    ],
)
def test_the_place_is_first(error: InputError, message: str) -> None:
    assert str(error) == message


@pytest.mark.parametrize(
    ("word", "known", "cure"),
    [
        ("antropic", ("anthropic", "gemini"), "did you mean 'anthropic'?"),
        ("zzz", ("b", "a"), "known: a, b"),
        ("zzz", (), "known: none"),
        ("zzz", map(str, range(100)), "… (80 more)"),
    ],
)
def test_an_unknown_name_comes_with_a_proposal(
    word: str, known: tuple[str, ...], cure: str
) -> None:
    text = str(UnknownWordError("protocol", word, known))
    assert text.startswith(f"unknown protocol {word!r}; ")
    assert cure in text
    assert len(text) < 200


def test_a_frame_that_is_too_large_names_both_sizes() -> None:
    error = FrameTooLargeError(2048, 1024)
    assert (error.size, error.limit) == (2048, 1024)
    assert "2,048" in str(error)


def test_a_stream_error_carries_the_error_of_the_outcome() -> None:
    info = ErrorInfo(kind="overloaded", message="try later")
    assert ProtocolError(info).info is info
    assert str(StreamError(info)) == "overloaded: try later"


def test_the_tree_is_as_documented() -> None:
    assert UnknownWordError.__mro__[1:3] == (InputError, HarnessError)
    assert FrameTooLargeError.__mro__[1:3] == (WireError, HarnessError)
    assert ProtocolError.__mro__[1:3] == (StreamError, HarnessError)
    assert TargetError.__base__ is HarnessError
