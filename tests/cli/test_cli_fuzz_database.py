"""Failures of a campaign are retried first by the next, also on machines that share a Redis."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.clusters import until
from tests.streaming.serving.background.stored_runs import URL, PrivateRedis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUCCEEDING = """
import os, pathlib, signal
from harness.model import Outcome

async def listen(call):
    return Outcome(ending="complete", finish="stop")

async def kills(call):
    if pathlib.Path("pid").exists():
        os.kill(int(pathlib.Path("pid").read_text()), signal.SIGKILL)
        pathlib.Path("pid").unlink()
    return await listen(call)
"""
DAYS = 24 * 3600


@pytest.fixture
def redis() -> Iterator[Any]:
    from redis import Redis
    from redis.exceptions import ConnectionError as NoConnectionError

    with Redis.from_url(URL, socket_connect_timeout=1) as client:
        try:
            client.ping()
        except NoConnectionError:
            pytest.skip(f"no Redis at {URL}")
        yield client


@pytest.fixture
def module(redis: Any, here: Path) -> Iterator[str]:
    """A module of targets with a unique name; its keys are removed from Redis afterwards."""
    name = f"succeeding_{uuid.uuid4().hex}"
    (here / f"{name}.py").write_text(SUCCEEDING, "utf-8")
    yield name
    for key in keys(redis, name):
        redis.delete(key)


def is_up(url: str) -> bool:
    from redis import Redis
    from redis.exceptions import RedisError

    with Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


def keys(redis: Any, name: str) -> list[bytes]:
    return [key for key in redis.scan_iter("*") if name.encode() in key]


def command(target: str, *words: str) -> tuple[str, ...]:
    properties = ("--property", "prefix", "--property", "no_silent_success")
    return ("fuzz", "openai_chat", "--target", f"python:{target}", *properties, *words, "--json")


def elsewhere(folder: Path, *words: str) -> list[Any]:
    """Run a command in a process and a folder of its own; return the failures it prints."""
    full = [sys.executable, "-m", "harness", *words]
    result = subprocess.run(full, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert result.returncode == 1, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()[:-1]]


def ids(failures: list[Any]) -> set[str]:
    return {failure["scenario"] for failure in failures}


def test_failures_of_one_process_are_retried_first_by_another(
    redis: Any, module: str, here: Path
) -> None:
    other = here / "other machine"
    other.mkdir()
    shutil.copy(here / f"{module}.py", other)
    shared = ("--database", URL, "--out", "found")
    first = elsewhere(here, *command(f"{module}:listen", "--examples", "40", *shared))
    assert {failure["check"] for failure in first} == {"prefix", "no_silent_success"}
    once = command(f"{module}:listen", "--examples", "1", "--seed", "99", *shared[2:])
    second = elsewhere(other, *once, *shared[:2])
    assert ids(second) == ids(first)
    assert all((other / "found" / f"{name}.yaml").exists() for name in ids(first))
    assert ids(elsewhere(other, *once, "--database", "empty")) < ids(first)
    stored = keys(redis, module)
    assert stored
    assert all(key.startswith(b"harness-fuzz:") for key in stored)
    assert all(0 < redis.ttl(key) <= 30 * DAYS for key in stored)


def test_the_connection_is_closed(redis: Any, module: str, harness: Any) -> None:
    harness(*command(f"{module}:listen", "--examples", "5", "--database", URL))
    assert [one for one in redis.client_list() if one["name"] == "harness-fuzz"] == []


def test_a_failure_that_is_fixed_is_removed(
    redis: Any, module: str, here: Path, harness: Any
) -> None:
    words = command(f"{module}:listen", "--examples", "20", "--database", URL)
    elsewhere(here, *words)
    before = len(keys(redis, module))
    text = SUCCEEDING.replace('"complete", finish="stop"', '"truncated", finish="unknown"')
    (here / f"{module}.py").write_text(text, "utf-8")
    assert harness(*words).code == 0
    assert len(keys(redis, module)) < before


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("redis://:secret@127.0.0.1:1/0", "no example database at redis://127.0.0.1:1/0"),
        ("redis://127.0.0.1:many/0", "no example database at redis://127.0.0.1:many/0"),
        ("mongodb://127.0.0.1", "the example database is a folder or redis://HOST"),
        ("cli_targets.py", "cli_targets.py: the example database is a folder; this is a file"),
    ],
)
def test_an_invalid_database_is_one_line_and_2(database: str, message: str, harness: Any) -> None:
    result = harness("fuzz", "--database", database)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert "secret" not in result.err


def test_a_redis_that_dies_during_a_campaign_is_one_line_after_the_failures(
    here: Path, harness: Any
) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server to kill")
    server = PrivateRedis(str(here))
    try:
        until(partial(is_up, server.url), "the Redis of this test")
        (here / "succeeding.py").write_text(SUCCEEDING, "utf-8")
        (here / "pid").write_text(str(server.process.pid), "utf-8")
        words = command("succeeding:kills", "--examples", "20")
        result = harness(*words, "--database", f"{server.url}?retry_on_timeout=false")
    finally:
        server.kill()
    assert result.code == 2
    assert '"check": "prefix"' in result.out
    assert result.err.count("\n") == 1
    assert "no example database at" in result.err
    assert "secret" not in result.err
