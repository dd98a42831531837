"""The streams of a comparison: scenarios, recordings and drawn streams, by one selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.comparing.streams import Sample, select_streams
from harness.errors import InputError
from tests.scenario_files import ID, write

if TYPE_CHECKING:
    from pathlib import Path

BODY = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "hi.sse").write_bytes(BODY)
    (tmp_path / "corpus" / "empty.sse").write_bytes(b"")
    write(tmp_path / "scenarios")
    return tmp_path / "scenarios"


def test_scenarios_and_recordings_are_selected_and_a_bad_file_hides_none(root: Path) -> None:
    streams, errors = select_streams(root, [root.parent / "corpus"], ())
    assert [(stream.name, stream.kind) for stream in streams] == [
        (ID, "scenario"),
        ("hi", "recording"),
    ]
    assert streams[1].script.body == BODY
    assert streams[0].scenario is not None
    assert streams[1].scenario is None
    [error] = errors
    assert "empty.sse" in str(error)


@pytest.mark.parametrize(("selector", "name"), [("hello", ID), ("hi", "hi")])
def test_one_selection_chooses_among_all(root: Path, selector: str, name: str) -> None:
    streams, _ = select_streams(root, [root.parent / "corpus" / "hi.sse"], [selector])
    assert [stream.name for stream in streams] == [name]


def test_a_selector_that_names_nothing_is_an_error(root: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'hello'"):
        select_streams(root, (), ["hallo"])


def test_a_seed_draws_the_same_streams_again(root: Path) -> None:
    first, _ = select_streams(root, (), ["fuzz"], Sample(3, seed=7))
    again, _ = select_streams(root, (), ["fuzz"], Sample(3, seed=7))
    other, _ = select_streams(root, (), ["fuzz"], Sample(3, seed=8))
    assert [stream.name for stream in first][:3] == [
        f"fuzz/openai_responses/7.{n}" for n in range(3)
    ]
    assert len(first) == 12
    assert first == again
    assert [stream.script for stream in first] != [stream.script for stream in other]
