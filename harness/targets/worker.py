"""A target in a process of its own: requests on standard input, replies on standard output.

``python -m harness.targets.worker TARGET`` serves a target of this environment. Run as a file by
the Python of any other environment, it makes the harness importable there and nothing else of its
own, so the SDKs are those of that environment. Besides outcomes (see stdio.py) it answers
``"ask": "hello"``, ``"events"`` and ``"vocabulary"``; see worker_service.py.

Until the harness is importable, only the standard library is imported. Standard output carries
replies and nothing else, whatever the target prints. Every request gets a reply, with
``harness_error`` if it cannot be answered. The worker ends with its standard input.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Reply = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def main(address: str) -> None:
    """Answer requests until standard input ends.

    Args:
        address: the target's; it is resolved in this environment.
    """
    replies = _private_output()
    # As in a run: the warnings of SDKs that read unusual streams are not findings.
    warnings.simplefilter("ignore")
    with asyncio.Runner() as runner:
        reply = _service(address)
        for line in sys.stdin:
            if line.strip():
                answer = json.dumps(runner.run(_answer(reply, line)))
                replies.write(f"{answer}\n")
                replies.flush()


def _private_output() -> TextIO:
    """Reserve standard output for the replies; what a target prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _service(address: str) -> Reply:
    """Return the function that replies: the target's, or one that gives the reason why not."""
    try:
        from harness.targets.worker_service import WorkerService

        return WorkerService(address).reply
    except Exception as error:  # noqa: BLE001 - every reply reports it
        message = _message(error)

        async def refuse(_request: dict[str, Any]) -> dict[str, Any]:
            return {"harness_error": message}

        return refuse


async def _answer(reply: Reply, line: str) -> dict[str, Any]:
    request = json.loads(line)
    try:
        answer = await reply(request)
    except Exception as error:  # noqa: BLE001 - reported, and the worker goes on
        answer = {"harness_error": _message(error)}
    return {"id": request.get("id"), **answer}


def _message(error: BaseException) -> str:
    is_ours = type(error).__module__.partition(".")[0] == "harness"
    return str(error) if is_ours else f"{type(error).__name__}: {error}"


def _add_harness() -> None:
    """Make the harness importable without the packages beside it, which are not for this Python."""
    folder = Path(__file__).resolve().parent.parent
    spec = importlib.util.spec_from_file_location(
        "harness", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None  # noqa: S101 - a path that ends in .py has a loader
    assert spec.loader is not None  # noqa: S101 - the same
    sys.modules["harness"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["harness"])


if __name__ == "__main__":
    if "harness" not in sys.modules:
        _add_harness()
    main(sys.argv[1])
