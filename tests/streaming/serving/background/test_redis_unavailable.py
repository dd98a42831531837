"""Without Redis, or with wrong settings, the error says what to do."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

from harness.errors import InputError
from harness.streaming.serving.background import EventStore, Settings
from tests.streaming.serving.background.stored_runs import PrivateRedis, collect, opened


async def test_the_error_says_how_to_start_a_redis() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with opened(url=f"redis://me:secret@127.0.0.1:{port}/0") as event_store:
        for attempt in (
            event_store.ensure_reachable(),
            event_store.writer("r"),
            collect(event_store.frames("r")),
        ):
            with pytest.raises(InputError) as raised:
                await attempt
            assert f"no Redis at 127.0.0.1:{port} (" in str(raised.value)
            assert f"`redis-server --port {port}`" in str(raised.value)
            assert "Settings(url=" in str(raised.value)
            assert "secret" not in str(raised.value)


async def test_a_wrong_password_is_an_error_that_does_not_contain_it(
    private_redis: PrivateRedis,
) -> None:
    url = private_redis.url.replace("secret", "guess")
    async with opened(url=url) as event_store:
        with pytest.raises(InputError, match=r"(?i)password") as raised:
            await event_store.ensure_reachable()
    assert "guess" not in str(raised.value)


async def test_the_error_names_the_path_of_a_socket(tmp_path: Any) -> None:
    async with opened(url=f"unix://{tmp_path}/no.sock") as event_store:
        with pytest.raises(InputError, match=f"no Redis at {tmp_path}/no.sock"):
            await event_store.ensure_reachable()


def test_without_the_redis_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(InputError, match=r"pip install 'llm-stream-harness\[service\]'"):
        EventStore()


def test_an_invalid_url_is_refused_without_repeating_it() -> None:
    with pytest.raises(InputError, match="write it as redis://") as raised:
        EventStore(Settings(url="http://me:secret@host"))
    assert "secret" not in str(raised.value)


def test_a_negative_event_number_is_refused() -> None:
    with pytest.raises(InputError, match="`after` must be 0 or greater"):
        EventStore().frames("r", -1)


@pytest.mark.parametrize(
    "changes",
    [{"ttl": 0}, {"batch_size": -1}, {"block": float("nan")}, {"timeout": 1.0}, {"ttl": 9.0}],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(changes))):
        Settings(**changes)
