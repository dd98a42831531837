"""What each SDK's own typed iteration delivers: photographs only, for it is not ours to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin import Told


@pytest.mark.scenarios(target="sdk")
def test_photograph(told: Told, photographs: Any) -> None:
    if told.scenario.consumer.ways:
        return  # a swept stream is judged by the laws of leaving; its reading is no news
    assert told.photograph() == photographs(name=told.scenario.id)
