"""Commands that run in workers: one process, several or a cluster give the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import PATIENCE, Cluster, cluster

PROTOCOLS = ("openai_responses", "gemini_generate")
ROOT = Path(__file__).parent.parent.parent
FUZZ = (
    "fuzz",
    *PROTOCOLS,
    "--target",
    "sdk-helper",
    "--examples",
    "300",
    "--seed",
    "7",
    "--out",
    "found",
)


def command(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "harness", *words], stdout=subprocess.PIPE, text=True
    )


def written_files(folder: str = "found") -> dict[str, bytes]:
    """Everything a campaign wrote; the folder is empty afterwards."""
    root = Path(folder)
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.*")}
    root.rename(f"{folder}.{len(list(Path().glob(f'{folder}.*')))}")
    return found


def fuzzed(*words: str) -> dict[str, bytes]:
    result = command(*FUZZ, "--database", f"db{len(words)}", *words)
    result.communicate(timeout=PATIENCE)
    assert result.returncode == 1
    return written_files()


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process finds."""
    folder = tmp_path_factory.mktemp("one_process")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = fuzzed()
    assert len([name for name in found if name.endswith(".yaml")]) >= 3
    return found


def findings(*words: str) -> list[object]:
    """Return what a run prints, without its time."""
    run = ("run", "openai_chat/parallel", "--scenarios", str(ROOT / "scenarios"), "--json")
    result, _ = command(*run, "--target", "builtin", "--target", "sdk-helper", *words).communicate(
        timeout=PATIENCE
    )
    *lines, last = map(json.loads, result.splitlines())
    return [*lines, {**last["summary"], "seconds": 0}]


@pytest.fixture
def two_workers(tmp_path: Path) -> object:
    with cluster(tmp_path) as made:
        yield made


def test_two_processes_write_the_files_of_one(one_process: dict[str, bytes]) -> None:
    assert fuzzed("--workers", "2") == one_process


def test_a_cluster_whose_worker_is_killed_writes_the_files_of_one_machine(
    one_process: dict[str, bytes], two_workers: Cluster
) -> None:
    result = command(*FUZZ, "--database", "db", "--json", "--cluster", two_workers.address)
    assert result.stdout is not None
    first = result.stdout.readline()
    two_workers.kill_one_at_work()
    rest, _ = result.communicate(timeout=PATIENCE)
    assert '"scenario"' in first
    assert '"summary"' in rest
    assert result.returncode == 1
    assert written_files() == one_process


def test_a_run_over_many_targets_on_a_cluster_prints_what_one_process_prints(
    two_workers: Cluster,
) -> None:
    here = findings()
    assert len(here) > 100
    assert findings("--cluster", two_workers.address) == here


def test_a_cluster_address_that_does_not_answer_is_bad_usage(harness: Any) -> None:
    result = harness("run", "--cluster", "tcp://127.0.0.1:1", "--target", "builtin")
    assert result.code == 2
    assert "no dask scheduler answers at 'tcp://127.0.0.1:1'" in result.err
    assert result.err.count("\n") == 1
