"""Work units are done by any worker, and done again when a worker is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.engine import workers as pool
from harness.errors import HarnessError, InputError
from tests.engine.worker_functions import dies, dies_once, double

if TYPE_CHECKING:
    from pathlib import Path


def test_alone_every_unit_is_done_in_order() -> None:
    assert list(pool.alone(double, [1, 2])) == [(0, 2), (1, 4)]


def test_processes_do_every_unit_once() -> None:
    assert sorted(pool.processes(double, range(5), 2)) == [(n, 2 * n) for n in range(5)]


def test_the_unit_of_a_lost_process_is_done_again(tmp_path: Path) -> None:
    units = [(number, str(tmp_path)) for number in range(2)]
    assert sorted(pool.processes(dies_once, units, 1)) == [(0, 0), (1, 2)]


def test_a_unit_that_kills_every_worker_is_a_harness_error() -> None:
    with pytest.raises(HarnessError, match="its worker died"):
        list(pool.processes(dies, [1], 1))


def test_a_cluster_that_does_not_answer_is_bad_input() -> None:
    with pytest.raises(InputError, match="no dask scheduler answers"):
        list(pool.cluster(double, [1], "tcp://127.0.0.1:1", patience=0.2))
