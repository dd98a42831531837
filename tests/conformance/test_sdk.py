"""Snapshots of what each SDK delivers through its own typed iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin import Conformance


@pytest.mark.scenarios(target="sdk")
def test_photograph(conformance: Conformance, outcome_snapshot: Any) -> None:
    if conformance.scenario.consumer.ways:
        return  # a swept stream is judged by the laws of leaving; its reading is no news
    assert conformance.snapshot_text() == outcome_snapshot(name=conformance.scenario.id)
