"""The commands that others share the work of: whoever does it, the findings are the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import PATIENCE, Cluster, cluster

WIRES = ("openai_responses", "gemini_generate")
ROOT = Path(__file__).parent.parent.parent
FUZZ = (
    "fuzz",
    *WIRES,
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
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "harness", *words], stdout=subprocess.PIPE, text=True
    )


def files(folder: str = "found") -> dict[str, bytes]:
    """Everything a campaign wrote; the folder is empty afterwards."""
    root = Path(folder)
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.*")}
    root.rename(f"{folder}.{len(list(Path().glob(f'{folder}.*')))}")
    return found


def fuzzed(*words: str) -> dict[str, bytes]:
    said = command(*FUZZ, "--database", f"db{len(words)}", *words)
    said.communicate(timeout=PATIENCE)
    assert said.returncode == 1
    return files()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What this machine finds with one process."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = fuzzed()
    assert len([name for name in found if name.endswith(".yaml")]) >= 3
    return found


def told(*words: str) -> list[object]:
    """What a run says, its time left aside."""
    run = ("run", "openai_chat/parallel", "--scenarios", str(ROOT / "scenarios"), "--json")
    said, _ = command(*run, "--target", "builtin", "--target", "sdk-helper", *words).communicate(
        timeout=PATIENCE
    )
    *lines, last = map(json.loads, said.splitlines())
    return [*lines, {**last["summary"], "seconds": 0}]


@pytest.fixture
def two_workers(tmp_path: Path) -> object:
    with cluster(tmp_path) as made:
        yield made


def test_two_processes_write_the_files_of_one(alone: dict[str, bytes]) -> None:
    assert fuzzed("--workers", "2") == alone


def test_a_cluster_whose_worker_is_killed_writes_the_files_of_one_machine(
    alone: dict[str, bytes], two_workers: Cluster
) -> None:
    said = command(*FUZZ, "--database", "db", "--json", "--cluster", two_workers.address)
    assert said.stdout is not None
    first = said.stdout.readline()
    two_workers.kill_one_at_work()
    rest, _ = said.communicate(timeout=PATIENCE)
    assert '"scenario"' in first
    assert '"summary"' in rest
    assert said.returncode == 1
    assert files() == alone


def test_a_run_over_many_targets_says_on_a_cluster_what_one_process_says(
    two_workers: Cluster,
) -> None:
    alone = told()
    assert len(alone) > 100
    assert told("--cluster", two_workers.address) == alone


def test_nobody_at_the_address_of_a_cluster_is_bad_usage(harness: Any) -> None:
    said = harness("run", "--cluster", "tcp://127.0.0.1:1", "--target", "builtin")
    assert said.code == 2
    assert "no dask scheduler answers at 'tcp://127.0.0.1:1'" in said.err
    assert said.err.count("\n") == 1
