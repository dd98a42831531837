"""Every scenario against our own interfaces: requirements hold, and the snapshot is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin.results import Conformance


@pytest.mark.scenarios(target="builtin")
def test_requirements_and_snapshot(conformance: Conformance, outcome_snapshot: Any) -> None:
    conformance.assert_passes()
    if conformance.scenario.consumer.ways:
        return  # the stream is that of another scenario; the invariants of aborted streams check it
    assert conformance.snapshot_text() == outcome_snapshot(name=conformance.scenario.id)
