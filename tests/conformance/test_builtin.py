"""Every scenario, told to our own interfaces: law holds, and the photograph is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin import Told


@pytest.mark.scenarios(target="builtin")
def test_law_and_photograph(told: Told, photographs: Any) -> None:
    told.must_hold()
    if told.scenario.consumer.ways:
        return  # a swept stream is judged by the laws of leaving; its reading is no news
    assert told.photograph() == photographs(name=told.scenario.id)
