"""How a wrapper leaves what it wraps: the source closed, its own task done, on every path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def close_source(source: AsyncIterator[object]) -> None:
    """Close a source of frames that can be closed; one that is at its end costs nothing.

    Raises:
        Exception: whatever its clean-up raised: frames are ours, and so is the mistake.
    """
    aclose = getattr(source, "aclose", None)
    if aclose is not None:
        await aclose()


async def joined(task: asyncio.Task[Any]) -> None:
    """Wait until a task is done, and say nothing of how it ended.

    A cancellation that comes meanwhile is handed on to the task, as if the caller had done its work
    himself, and raised when it is done; so no task is ever left behind.

    Raises:
        CancelledError: the caller was cancelled.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
            task.cancel()
    if cancelled is not None:
        raise cancelled
