"""From two addresses to two sides that are ready: environments made, processes started.

Rule of this file: a side that cannot be used is reported and skipped; the other one still runs.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from harness.comparing.events import Progress, UnusableInput
from harness.comparing.sides import Side
from harness.errors import InputError
from harness.targets.addresses import environment_of
from harness.targets.environments import is_made, python_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.sdks.binding import Vocabulary


class Sides:
    """The usable sides; a context manager that ends their processes.

    Args:
        runner: whose event loop their processes belong to.
    """

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.usable: list[Side] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for side in self.usable:
            self._runner.run(side.aclose())

    def ready(
        self, named: Sequence[tuple[str, str]], timeout: float
    ) -> Iterator[Progress | UnusableInput]:
        """Make the environments in parallel, then start a process in each.

        Args:
            named: label and address of each; one or two.
            timeout: seconds for one reply.
        """
        wanted = [environment_of(address).requirements for _, address in named]
        for each in dict.fromkeys(wanted):
            if not is_made(each):
                yield Progress(f"installing {each.label} …")
        with ThreadPoolExecutor() as pool:
            made = [pool.submit(python_of, each) for each in wanted]
        for letter, (label, address), future in zip("AB", named, made, strict=False):
            try:
                future.result()
                side = Side(label, address, letter, timeout)
                yield Progress(f"starting {label} …")
                self._start(side)
            except InputError as error:
                yield UnusableInput(error)

    def _start(self, side: Side) -> None:
        self.usable.append(side)
        try:
            self._runner.run(side.handshake())
        except InputError:
            self.usable.remove(side)
            self._runner.run(side.aclose())
            raise


def vocabularies(
    named: Sequence[tuple[str, str]], progress: Callable[[str], object]
) -> list[Mapping[str, Vocabulary]]:
    """Return the vocabulary of the SDKs of each side: protocol -> category -> words.

    Args:
        named: label and address of each.
        progress: called with the step that is being waited for.

    Raises:
        InputError: a side cannot be used.
    """
    with asyncio.Runner() as runner, Sides(runner) as sides:
        for event in sides.ready(named, timeout=60.0):
            if isinstance(event, UnusableInput):
                raise event.error
            progress(event.message)
        return [runner.run(side.vocabulary()) for side in sides.usable]
