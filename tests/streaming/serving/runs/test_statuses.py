from __future__ import annotations

from typing import cast, get_args

import pytest

from harness.errors import UnknownWordError
from harness.streaming.serving.runs.statuses import (
    STATUS_OF,
    TERMINAL,
    RunStatus,
    StopReason,
    status_of,
)

# STREAMING.md 1e, last lines.
COMPLETED = {"end_turn", "max_steps", "tool_rule", "requires_approval"}
CANCELLED = {"cancelled"}


@pytest.mark.parametrize("reason", get_args(StopReason))
def test_every_stop_reason_has_the_status_of_the_page(reason: StopReason) -> None:
    wanted = (
        "completed" if reason in COMPLETED else "cancelled" if reason in CANCELLED else "failed"
    )
    assert status_of(reason) == wanted


def test_the_table_holds_exactly_the_stop_reasons() -> None:
    assert set(STATUS_OF) == set(get_args(StopReason))
    assert len(STATUS_OF) == 13


def test_terminal_are_all_statuses_but_the_first_two() -> None:
    assert set(get_args(RunStatus)) - TERMINAL == {"created", "running"}


def test_an_unknown_reason_is_neither_success_nor_failure() -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'max_tokens_exceeded'"):
        status_of(cast("StopReason", "max_token_exceeded"))
