"""A range of versions: each change has its first version, and few versions are tried.

The versions are programs in another process that know no SDK, so that a dozen cost a second.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from harness.comparing.events import UnusableInput
from harness.comparing.streams import select_streams
from harness.comparing.version_bisect import VersionMatrix, bisect_versions
from harness.errors import InputError
from tests.scenario_files import write

if TYPE_CHECKING:
    from pathlib import Path

VERSIONED = """
import json, sys
version = int(sys.argv[1])
for line in sys.stdin:
    counting = json.loads(line)["request"].get("model") == "counting"
    text = "Hello there" if version < 5 or counting else "Hello you"
    usage = {"input": 2 if version >= 9 and counting else 1}
    outcome = {
        "chunks": [{"kind": "text", "text": text}],
        "content": [{"kind": "text", "text": text}],
        "usage": usage,
        "ending": "complete",
    }
    print(json.dumps({"id": json.loads(line)["id"], "outcome": outcome}), flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "versioned.py").write_text(VERSIONED)
    write(tmp_path / "scenarios")
    request = {"model": "counting", "max_tokens": 9, "messages": []}
    write(tmp_path / "scenarios", "anthropic_messages/usage/counted", request=request)
    return tmp_path / "scenarios"


def address(root: Path, version: int) -> str:
    return f"command:{sys.executable} {root.parent / 'versioned.py'} {version}"


def searched(root: Path, versions: dict[str, str]) -> tuple[VersionMatrix, list[object]]:
    streams, _ = select_streams(root, (), ())
    events: list[object] = list(bisect_versions(streams, "mine", list(versions.items()), 20.0))
    assert isinstance(events[-1], VersionMatrix)
    return events[-1], events


def test_each_change_has_the_first_version_that_shows_it(root: Path) -> None:
    end, _ = searched(root, {f"1.{n}": address(root, n) for n in range(16)})
    since = {one.group.example.shape: (one.before, one.first) for one in end.findings}
    assert since["text: pass -> fail"] == ("1.4", "1.5")
    assert since["usage.input a number -> a number"] == ("1.8", "1.9")
    assert end.streams == 2
    assert len(end.replayed) < 10, "halving tries few versions"
    key = next(iter(end.seen["1.15"] - end.seen["1.0"]))
    assert key not in end.seen["1.0"]


def test_only_the_ends_of_a_range_without_differences_are_tried(root: Path) -> None:
    end, _ = searched(root, {f"1.{n}": address(root, n) for n in range(5)})
    assert (end.findings, end.replayed) == ((), ("1.0", "1.4"))


def test_a_version_that_cannot_be_used_is_skipped(root: Path) -> None:
    versions = {f"1.{n}": address(root, n) for n in range(10)}
    versions["1.4"] = "command:no-such-program"
    end, events = searched(root, versions)
    [unusable] = [one for one in events if isinstance(one, UnusableInput)]
    assert "no-such-program" in str(unusable.error)
    assert end.unusable == 1
    since = {one.group.example.shape: (one.before, one.first) for one in end.findings}
    assert since["text: pass -> fail"] == ("1.3", "1.5")


def test_without_its_reference_a_range_cannot_be_searched(root: Path) -> None:
    streams, _ = select_streams(root, (), ())
    versions = [("1.0", "command:no-such-program"), ("1.1", address(root, 1))]
    with pytest.raises(InputError, match=r"1\.0, the reference, cannot be used"):
        list(bisect_versions(streams, "mine", versions, 20.0))
