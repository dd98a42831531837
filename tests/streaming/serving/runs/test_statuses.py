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

COMPLETED = {"end_turn", "max_steps", "tool_rule", "requires_approval"}
CANCELLED = {"cancelled"}


@pytest.mark.parametrize("reason", get_args(StopReason))
def test_every_stop_reason_has_its_status(reason: StopReason) -> None:
    wanted = (
        "completed" if reason in COMPLETED else "cancelled" if reason in CANCELLED else "failed"
    )
    assert status_of(reason) == wanted


def test_the_table_holds_exactly_the_stop_reasons() -> None:
    assert set(STATUS_OF) == set(get_args(StopReason))
    assert len(STATUS_OF) == 13


def test_all_statuses_but_created_and_running_are_terminal() -> None:
    assert set(get_args(RunStatus)) - TERMINAL == {"created", "running"}


def test_an_unknown_stop_reason_is_refused() -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'max_tokens_exceeded'"):
        status_of(cast("StopReason", "max_token_exceeded"))
