"""A target in a process of its own: requests on standard input, replies on standard output.

``python -m harness.targets.worker TARGET`` serves a target of this environment. Run as a file, by
the Python of any other environment, it brings the harness along and nothing else of its own, so the
SDKs are that environment's. Besides the outcome (DESIGN section 5) it answers ``"ask": "hello"``,
``"events"`` and ``"vocabulary"``, each with the protocol's words in answering.py.

Rules of this file: until the harness is there, only the standard library is imported; standard
output carries replies and nothing else, whatever the target prints; every request is replied to,
by ``harness_error`` where it cannot be answered; the end of standard input is the end.
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

    Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def main(address: str) -> None:
    """Answer requests until standard input ends.

    Args:
        address: the target's; it is resolved in this environment.
    """
    replies = _private_output()
    # Like the lane of a run: what SDKs warn of while they read odd streams is no finding.
    warnings.simplefilter("ignore")
    with asyncio.Runner() as runner:
        answer = _answer(address)
        for line in sys.stdin:
            if line.strip():
                reply = json.dumps(runner.run(_reply(answer, line)))
                replies.write(f"{reply}\n")
                replies.flush()


def _private_output() -> TextIO:
    """Take standard output for the replies; what a target prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _answer(address: str) -> Answer:
    """Return what answers: the target, or why there is none."""
    try:
        from harness.targets.worker_service import Answering

        return Answering(address).answer
    except Exception as error:  # noqa: BLE001 - whatever it is, every reply will say it
        words = _words(error)

        async def refuse(_request: dict[str, Any]) -> dict[str, Any]:
            return {"harness_error": words}

        return refuse


async def _reply(answer: Answer, line: str) -> dict[str, Any]:
    request = json.loads(line)
    try:
        said = await answer(request)
    except Exception as error:  # noqa: BLE001 - the harness says what failed, and goes on
        said = {"harness_error": _words(error)}
    return {"id": request.get("id"), **said}


def _words(error: BaseException) -> str:
    from_us = type(error).__module__.partition(".")[0] == "harness"
    return str(error) if from_us else f"{type(error).__name__}: {error}"


def _bring_harness() -> None:
    """Make the harness importable without its neighbours: they are another environment's."""
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
        _bring_harness()
    main(sys.argv[1])
