"""Every scenario, conformance to our own interfaces: law holds, and the photograph is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin import Conformance


@pytest.mark.scenarios(target="builtin")
def test_law_and_photograph(conformance: Conformance, outcome_snapshot: Any) -> None:
    conformance.assert_passes()
    if conformance.scenario.consumer.ways:
        return  # a swept stream is judged by the laws of leaving; its reading is no news
    assert conformance.snapshot_text() == outcome_snapshot(name=conformance.scenario.id)
