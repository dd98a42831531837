"""Who does the work: this process, several processes of this machine, or a dask cluster.

A job is a module-level function and a list of shares, each picklable; what comes back is each
share's number and result, in the order in which they are done. SDKs take seconds to import, so a
process lives as long as the job.

Rules of this file: a share whose worker was lost is done again, by another one, until it has cost
``ATTEMPTS`` workers; who interrupts the job gets what is done and leaves nothing running.
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

ATTEMPTS = 3  # workers one share may cost


def alone(work: Callable[[S], R], shares: Sequence[S]) -> Iterator[Done[R]]:
    """Do every share here, in order."""
    for number, share in enumerate(shares):
        yield number, work(share)


def processes(
    work: Callable[[S], R], shares: Sequence[S], count: int
) -> Generator[Done[R], None, None]:
    """Do the shares in processes of their own.

    Args:
        work: a function that can be imported.
        shares: what to do; results come as they are done.
        count: how many processes.

    Raises:
        HarnessError: a share was too much for ``ATTEMPTS`` workers.
    """
    attempts = dict.fromkeys(range(len(shares)), 0)
    while attempts:
        with _pool(count) as pool:
            running = {_submit(pool, work, shares, number): number for number in attempts}
            yield from _gathered(running, attempts)


def _submit(
    pool: ProcessPoolExecutor, work: Callable[[S], R], shares: Sequence[S], number: int
) -> Future[R]:
    try:
        return pool.submit(work, shares[number])
    except BrokenProcessPool as error:  # a worker died while shares were being handed out
        lost: Future[R] = Future()
        lost.set_exception(error)
        return lost


def _gathered(running: dict[Future[R], int], attempts: dict[int, int]) -> Iterator[Done[R]]:
    """Yield what is done; when a worker is lost, what was not done stays in ``attempts``."""
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
        raise HarnessError(f"share {number}: its worker died {attempts[number]} times")


@contextmanager
def _pool(count: int) -> Generator[ProcessPoolExecutor, None, None]:
    """Own a pool; who leaves in a hurry takes its processes along."""
    spawn = multiprocessing.get_context("spawn")  # SDK clients and threads do not survive a fork
    pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_deaf_to_interrupts)
    try:
        yield pool
    except BaseException:
        for process in tuple((pool._processes or {}).values()):  # noqa: SLF001 - there is no other way to end one
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _deaf_to_interrupts() -> None:
    """Leave Ctrl-C to the parent, which ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def cluster(
    work: Callable[[S], R], shares: Sequence[S], address: str, patience: float = 10.0
) -> Generator[Done[R], None, None]:
    """Do the shares on a dask cluster, whose scheduler hands on what a lost worker had.

    Args:
        work: a function that every worker can import.
        shares: what to do.
        address: the scheduler's, e.g. ``tcp://10.0.0.5:8786``.
        patience: seconds it may take to answer.

    Raises:
        InputError: nobody answers there, or distributed is not installed.
        HarnessError: a share was too much for its workers.
    """
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as error:
        words = "distributed is not installed; `pip install 'llm-stream-harness[cluster]'`"
        raise InputError(words) from error
    with _client(Client, address, patience) as client:
        futures = {
            client.submit(work, share, pure=False, retries=ATTEMPTS): number
            for number, share in enumerate(shares)
        }
        completed: Any = as_completed  # untyped in distributed
        for future in completed(list(futures), loop=client.loop):
            try:
                result = future.result()
            except Exception as error:
                number = futures[future]
                raise HarnessError(f"share {number} failed on the cluster: {error}") from error
            yield futures[future], result


def _client(make: Callable[..., Any], address: str, patience: float) -> Any:
    try:
        return make(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no dask scheduler answers at {address!r}: {error}") from error
