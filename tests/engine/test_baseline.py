"""Accepted failures: known while they fail, stale and loud as soon as they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.engine.baseline import Baseline, read_baseline
from harness.errors import InputError
from harness.model import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import Verdict

LIST = """\
# accepted until the release

builtin a/b/c:text  # we know
python:my.app:listen a/b/c:holds_under:crlf
"""


def finding(check: str, verdict: Verdict, target: str = "builtin") -> Finding:
    return Finding(scenario="a/b/c", target=target, check=check, verdict=verdict)


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    path = tmp_path / "baseline"
    path.write_text(LIST, "utf-8")
    return read_baseline(path)


def test_a_listed_failure_is_known(baseline: Baseline) -> None:
    assert baseline.apply(finding("text", "fail")).verdict == "known"
    mine = finding("holds_under:crlf", "untestable", "python:my.app:listen")
    assert baseline.apply(mine).verdict == "known"
    assert baseline.stale() == ()


def test_what_is_not_listed_stays(baseline: Baseline) -> None:
    assert baseline.apply(finding("usage", "fail")).verdict == "fail"
    assert baseline.apply(finding("text", "warn")).verdict == "warn"
    assert baseline.apply(finding("text", "fail", "sdk")).verdict == "fail"


def test_an_entry_that_passes_now_is_stale(baseline: Baseline) -> None:
    assert baseline.apply(finding("text", "pass")).verdict == "pass"
    assert baseline.stale() == ("builtin a/b/c:text",)


def test_an_entry_whose_check_is_gone_is_stale(baseline: Baseline) -> None:
    baseline.apply(finding("usage", "pass"))
    assert baseline.stale() == ("builtin a/b/c:text",)


def test_an_entry_that_was_not_run_is_not_stale(baseline: Baseline) -> None:
    assert baseline.stale() == ()


@pytest.mark.parametrize(
    "line", ["builtin", "builtin a/b/c", "builtin a:", "builtin :text", "a b c:d", "a/b/c:text"]
)
def test_an_invalid_line_is_named_with_the_remedy(line: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline"
    path.write_text(f"# fine\n{line}  # why\n", "utf-8")
    with pytest.raises(InputError) as caught:
        read_baseline(path)
    assert str(caught.value) == f"{path}:2: write it as TARGET SCENARIO:CHECK  # reason"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, r"baseline: the baseline cannot be read \(No such"), (b"\xff", "is not UTF-8 text")],
)
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "baseline"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_baseline(path)
