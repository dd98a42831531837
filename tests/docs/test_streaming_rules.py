"""The tables of docs/streaming-rules.md agree with the code."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from harness.streaming.serving.client_events.vocabulary import (
    FAILURES,
    INTERNAL,
    STREAM_INCOMPLETE,
)
from harness.streaming.serving.runs.statuses import STATUS_OF

PAGE = Path(__file__).parents[2] / "docs" / "streaming-rules.md"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|(?: ([^|]+) \|)?$", re.MULTILINE)


def rows(heading: str, page: str) -> list[tuple[str, ...]]:
    """The cells of the table below a heading, without its header and its rule."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [tuple(filter(None, row)) for row in ROW.findall(section)][1:]


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


@pytest.fixture
def page() -> str:
    return PAGE.read_text("utf-8")


def test_the_status_of_every_stop_reason_is_on_the_page(page: str) -> None:
    statuses: dict[str, set[str]] = defaultdict(set)
    for reason, status in STATUS_OF.items():
        statuses[status].add(reason)
    table = rows("Stop reasons and run status", page)
    assert {status: words(reasons) for status, reasons in table} == statuses


def test_every_error_type_and_its_stop_reason_is_on_the_page(page: str) -> None:
    failures = [*FAILURES.values(), INTERNAL, STREAM_INCOMPLETE]
    table = rows("Error events", page)
    written = {(*words(error_type), *words(reason)) for _, error_type, reason in table}
    assert written == {(failure.error_type, failure.stop_reason) for failure in failures}


def test_only_the_rows_below_the_heading_are_read() -> None:
    text = "\n## A\n\n| a | b |\n|---|---|\n| x | `y` |\n\n## B\n\n| c | d |\n"
    assert rows("A", text) == [("x", "`y`")]
