"""Work in this process, in several processes of this machine, or on a dask cluster.

A job is a module-level function and a list of work units, each picklable. The results come back
with the numbers of their units, in the order in which they are done. SDKs take seconds to import,
so a process lives as long as the job.

Rules of this file: a unit whose worker process died is done again by another one, until it has cost
``ATTEMPTS`` workers; an interrupted job returns what is done and leaves no process running.
"""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from harness.errors import HarnessError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

S = TypeVar("S")
R = TypeVar("R")
Done: TypeAlias = tuple[int, R]

ATTEMPTS = 3  # workers one unit may cost


def alone(work: Callable[[S], R], units: Sequence[S]) -> Iterator[Done[R]]:
    """Do every unit in this process, in order."""
    for number, unit in enumerate(units):
        yield number, work(unit)


def processes(
    work: Callable[[S], R], units: Sequence[S], count: int
) -> Generator[Done[R], None, None]:
    """Do the units in processes of this machine.

    Args:
        work: does one unit; a function that the processes can import.
        units: what to do.
        count: how many processes.

    Raises:
        HarnessError: a unit ended ``ATTEMPTS`` workers.
    """
    attempts = dict.fromkeys(range(len(units)), 0)
    while attempts:
        with _pool(count) as pool:
            running = {_submit(pool, work, units, number): number for number in attempts}
            yield from _gathered(running, attempts)


def _submit(
    pool: ProcessPoolExecutor, work: Callable[[S], R], units: Sequence[S], number: int
) -> Future[R]:
    try:
        return pool.submit(work, units[number])
    except BrokenProcessPool as error:  # a worker died while units were being submitted
        lost: Future[R] = Future()
        lost.set_exception(error)
        return lost


def _gathered(running: dict[Future[R], int], attempts: dict[int, int]) -> Iterator[Done[R]]:
    """Yield what is done; where a worker died, what was not done stays in ``attempts``."""
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            number = running.pop(future)
            try:
                result = future.result()
            except BrokenProcessPool:
                _count(attempts, number)
                continue
            del attempts[number]
            yield number, result


def _count(attempts: dict[int, int], number: int) -> None:
    attempts[number] += 1
    if attempts[number] > ATTEMPTS * len(attempts):
        raise HarnessError(f"work unit {number}: its worker died {attempts[number]} times")


@contextmanager
def _pool(count: int) -> Generator[ProcessPoolExecutor, None, None]:
    """Own a pool of processes; an exception terminates them."""
    spawn = multiprocessing.get_context("spawn")  # SDK clients and threads do not survive a fork
    pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_ignore_interrupts)
    try:
        yield pool
    except BaseException:
        for process in tuple((pool._processes or {}).values()):  # noqa: SLF001 - there is no other way to end one
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent process, which ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def cluster(
    work: Callable[[S], R], units: Sequence[S], address: str, patience: float = 10.0
) -> Generator[Done[R], None, None]:
    """Do the units on a dask cluster, whose scheduler repeats what a lost worker had.

    Args:
        work: does one unit; a function that every worker can import.
        units: what to do.
        address: the scheduler's, e.g. ``tcp://10.0.0.5:8786``.
        patience: seconds the scheduler may take to answer.

    Raises:
        InputError: no scheduler answers, or distributed is not installed.
        HarnessError: a unit failed.
    """
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as error:
        message = "distributed is not installed; `pip install 'llm-stream-harness[cluster]'`"
        raise InputError(message) from error
    with _client(Client, address, patience) as client:
        futures = {
            client.submit(work, unit, pure=False, retries=ATTEMPTS): number
            for number, unit in enumerate(units)
        }
        completed: Any = as_completed  # untyped in distributed
        for future in completed(list(futures), loop=client.loop):
            try:
                result = future.result()
            except Exception as error:
                number = futures[future]
                raise HarnessError(f"work unit {number} failed on the cluster: {error}") from error
            yield futures[future], result


def _client(make: Callable[..., Any], address: str, patience: float) -> Any:
    try:
        return make(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no dask scheduler answers at {address!r}: {error}") from error
