"""A reader at the far end of a pipe: reads everything, or leaves after a count of chunks.

Who interrupts a wait (``cancel``, ``timeout``) is at the near end and ends the process; here are
only the ways in which a reader leaves by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON
    from harness.targets.base import Listening


async def consume(listening: Listening, consumer: Mapping[str, JSON]) -> None:
    """Read a listening as a consumer does.

    Args:
        listening: what is read; entered and left here.
        consumer: ``{"do": "break" | "aclose", "at": chunks}``; any other reads to the end.

    Raises:
        BaseException: what comes out of the stream.
    """
    at = consumer.get("at") if consumer.get("do") in {"break", "aclose"} else None
    async with listening:
        chunks = aiter(listening)
        taken = 0
        while taken != at:
            try:
                await anext(chunks)
            except StopAsyncIteration:
                return
            taken += 1
        close = getattr(chunks, "aclose", None)
        if consumer["do"] == "aclose" and close is not None:
            await close()
