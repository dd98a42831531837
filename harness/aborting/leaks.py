"""What an abort leads to: the exception that propagated, and the tasks and generators it leaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.targets.addresses import leak_exceptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def wrong_exception(task: asyncio.Task[None], wanted: type[BaseException] | None) -> str | None:
    """Return what a finished task raised in place of what it should raise, None where it did.

    Args:
        task: a task that is done.
        wanted: the exception that has to propagate, None for none.
    """
    if task.cancelled():
        return None if wanted is asyncio.CancelledError else "CancelledError was raised"
    error = task.exception()
    if error is None:
        return None if wanted is None else NOTHING_RAISED
    return None if wanted is not None and isinstance(error, wanted) else raised(error)


NOTHING_RAISED = "nothing was raised"


def raised(error: BaseException) -> str:
    """Return the sentence that names an exception a consumer got."""
    return f"{type(error).__name__} was raised: {error}"[:200]


def find_leaks(tasks: Iterable[asyncio.Task[Any]], generators: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of the tasks and generators that should no longer exist.

    Args:
        tasks: those that are not done.
        generators: those that were started; the ones that ended are ignored.
    """
    coroutines = [task.get_coro() for task in tasks]
    still_open = sorted(agen.__qualname__ for agen in generators if _is_leak(agen))
    return (
        *(f"task {getattr(found, '__qualname__', found)}" for found in coroutines),
        *(f"generator {name}" for name in still_open),
    )


def _is_leak(generator: Any) -> bool:
    """Return whether a generator is suspended that belongs neither to an SDK nor to the provider.

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
