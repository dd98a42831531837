"""What becomes of a stream that was left: what came out of it, and what is still there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.targets.addresses import leak_exceptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def came_out(reading: asyncio.Task[None], wanted: type[BaseException] | None) -> str | None:
    """Say what came out of a reading that is done in place of what is wanted, None where it did."""
    if reading.cancelled():
        return None if wanted is asyncio.CancelledError else "CancelledError came out"
    error = reading.exception()
    if error is None:
        return None if wanted is None else "nothing came out"
    found = wanted is not None and isinstance(error, wanted)
    return None if found else f"{type(error).__name__} came out: {error}"[:200]


def find_leaks(tasks: Iterable[asyncio.Task[Any]], generators: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of what should be gone.

    Args:
        tasks: those that are not done.
        generators: those that were started; the ones that ended are passed over.
    """
    running = [task.get_coro() for task in tasks]
    still = sorted(agen.__qualname__ for agen in generators if _open_and_its_own(agen))
    return (
        *(f"task {getattr(found, '__qualname__', found)}" for found in running),
        *(f"generator {name}" for name in still),
    )


def _open_and_its_own(generator: Any) -> bool:
    """Say whether a generator is suspended that is neither an SDK's nor ours as the provider.

    The SDKs leave theirs suspended inside a stream whose response is closed; measured with openai
    3.52, anthropic 2.11 and google-genai 3.4. They hold nothing but memory.
    """
    frame = generator.ag_frame
    if frame is None:
        return False
    module = frame.f_globals["__name__"]
    return module.partition(".")[0] not in leak_exceptions() and not module.startswith(
        "harness.playback."
    )
