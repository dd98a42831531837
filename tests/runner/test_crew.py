"""Shares are done by whoever is there, and done again when a worker is lost."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, InputError
from harness.runner import crew
from harness.runner.fuzzing.campaign import Settings
from harness.runner.fuzzing.laws import chosen
from harness.runner.fuzzing.shares import Whole
from tests.runner.crew_work import dies, dies_once, double

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SETTINGS = Settings(
    target="sdk-helper",
    protocols=("openai_chat",),
    laws=chosen(["prefix", "words_held", "history"]),
    examples=60,
)


def test_alone_every_share_is_done_in_order() -> None:
    assert list(crew.alone(double, [1, 2])) == [(0, 2), (1, 4)]


def test_processes_do_every_share_once() -> None:
    assert sorted(crew.processes(double, range(5), 2)) == [(n, 2 * n) for n in range(5)]


def test_the_share_of_a_lost_process_is_done_again(tmp_path: Path) -> None:
    shares = [(number, str(tmp_path)) for number in range(2)]
    assert sorted(crew.processes(dies_once, shares, 1)) == [(0, 0), (1, 2)]


def test_a_share_that_kills_every_worker_is_an_error_of_the_harness() -> None:
    with pytest.raises(HarnessError, match="its worker died"):
        list(crew.processes(dies, [1], 1))


def test_nobody_at_the_address_of_a_cluster_is_bad_input() -> None:
    with pytest.raises(InputError, match="no dask scheduler answers"):
        list(crew.cluster(double, [1], "tcp://127.0.0.1:1", patience=0.2))


@pytest.fixture
def local_cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.mark.filterwarnings("ignore")  # distributed leaves sockets and tasks of the dead
def test_a_cluster_that_loses_a_worker_finds_what_one_machine_finds(local_cluster: Any) -> None:
    def losing(work: Callable[[Any], Any], shares: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        results = crew.cluster(work, shares, local_cluster.scheduler_address)
        yield next(results)
        os.kill(next(iter(local_cluster.workers.values())).process.pid, signal.SIGKILL)
        yield from results

    assert found(losing) == found(partial(crew.processes, count=1))


def found(hands: Any) -> set[tuple[object, ...]]:
    whole = Whole(SETTINGS)
    shapes = {failure.shape for failure in whole.run(hands) if failure is not None}
    assert shapes
    assert whole.tally.examples >= 60
    return shapes
