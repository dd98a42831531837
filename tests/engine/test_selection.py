"""Which scenarios are chosen, and that a bad file is named instead of hiding others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.engine.selection import matching_ids, select_scenarios
from harness.errors import InputError, UnknownWordError
from tests.scenario_files import scenario_data, write, write_text

if TYPE_CHECKING:
    from pathlib import Path

IDS = [
    "anthropic_messages/ending/cut",
    "anthropic_messages/text/hello",
    "openai_chat/text/hello",
    "openai_chat/text_parts/two",
]


@pytest.mark.parametrize(
    ("selectors", "chosen"),
    [
        ([], [0, 1, 2, 3]),
        (["openai_chat"], [2, 3]),
        (["text"], [1, 2]),
        (["hello"], [1, 2]),
        (["openai_chat/text"], [2]),
        (["openai_chat/text/"], [2]),
        (["openai_chat/text/hello"], [2]),
        (["scenarios/openai_chat/text/hello.yaml"], [2]),
        (["./scenarios/openai_chat/text/hello.yaml"], [2]),
        (["openai_chat/**"], [2, 3]),
        (["openai_chat/*/two"], [3]),
        (["*/text/*"], [1, 2]),
        (["**/two"], [3]),
        (["openai_chat/text/hell?"], [2]),
        (["cut", "two"], [0, 3]),
        (["two", "openai_chat"], [2, 3]),
    ],
)
def test_a_selector_is_a_glob_or_a_part_of_the_path(
    selectors: list[str], chosen: list[int]
) -> None:
    assert matching_ids(IDS, selectors) == [IDS[at] for at in chosen]


@pytest.mark.parametrize(
    ("selector", "cure"),
    [
        ("helo", "did you mean 'hello'?"),
        ("openai_caht", "did you mean 'openai_chat'?"),
        ("openai_chat/*", "did you mean 'openai_chat'?"),
        ("hell", "did you mean 'hello'?"),
        ("zzz", "known: "),
    ],
)
def test_a_selector_without_a_match_proposes_one(selector: str, cure: str) -> None:
    with pytest.raises(UnknownWordError, match=r"unknown scenario ") as caught:
        matching_ids(IDS, ["hello", selector])
    assert cure in str(caught.value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "anthropic_messages/text/good")
    write_text(tmp_path, "anthropic_messages/text/malformed", "title: [")
    write(tmp_path, "anthropic_messages/bad/check", must={"txt": ""})
    write(tmp_path, "anthropic_messages/bad/operator", must={"text": {"$one_off": []}})
    write(tmp_path, "anthropic_messages/bad/status", transport={"status": 204})
    write(tmp_path, "anthropic_messages/bad/header", transport={"headers": {"a b": "c"}})
    write(tmp_path, "anthropic_messages/bad/word", stream=["mesage_start"])
    return tmp_path


def test_every_invalid_file_is_named_once_and_the_others_run(root: Path) -> None:
    sound, errors = select_scenarios(root, ())
    assert [scenario.id for scenario in sound] == ["anthropic_messages/text/good"]
    messages = {str(error.path).rpartition("/")[2]: str(error) for error in errors}
    assert len(messages) == len(errors) == 6
    assert "unknown check 'txt'" in messages["check.yaml"]
    assert "did you mean '$one_of'?" in messages["operator.yaml"]
    assert "status 204" in messages["status.yaml"]
    assert "header 'a b'" in messages["header.yaml"]
    assert "did you mean 'message_start'?" in messages["word.yaml"]
    assert all(error.line for error in errors)


def test_an_error_has_its_line(root: Path) -> None:
    _, [error] = select_scenarios(root, ["bad/status"])
    assert error.line is not None
    line = scenario_data(transport={"status": 204})
    assert list(line)[-1] == "transport"
    path = root / "anthropic_messages/bad/status.yaml"
    assert '"transport"' in path.read_text("utf-8").splitlines()[error.line - 1]


def test_an_invalid_file_counts_only_if_selected(root: Path) -> None:
    sound, errors = select_scenarios(root, ["malformed"])
    assert (sound, len(errors)) == ([], 1)
    sound, errors = select_scenarios(root, ["good"])
    assert (len(sound), errors) == (1, [])


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no scenario"):
        select_scenarios(tmp_path, ())
