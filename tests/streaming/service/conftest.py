from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.streaming.service.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.aclose()
