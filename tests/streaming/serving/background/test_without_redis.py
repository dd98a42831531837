"""Without Redis, or with a wrong word for it, an error says what to do."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

from harness.errors import InputError
from harness.streaming.serving.background import Background, Settings
from tests.streaming.serving.background.runs import PrivateRedis, drained, tuned


async def test_without_redis_the_error_says_what_to_do() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with tuned(url=f"redis://me:secret@127.0.0.1:{port}/0") as background:
        for ask in (
            background.check(),
            background.writer("r"),
            drained(background.read_events("r")),
        ):
            with pytest.raises(InputError) as raised:
                await ask
            assert f"no Redis at 127.0.0.1:{port} (" in str(raised.value)
            assert f"`redis-server --port {port}`" in str(raised.value)
            assert "Settings(url=" in str(raised.value)
            assert "secret" not in str(raised.value)


async def test_a_wrong_password_is_named_but_not_told(private: PrivateRedis) -> None:
    url = private.url.replace("secret", "guess")
    async with tuned(url=url) as background:
        with pytest.raises(InputError, match=r"(?i)password") as raised:
            await background.check()
    assert "guess" not in str(raised.value)


async def test_a_socket_is_named_by_its_path(tmp_path: Any) -> None:
    async with tuned(url=f"unix://{tmp_path}/no.sock") as background:
        with pytest.raises(InputError, match=f"no Redis at {tmp_path}/no.sock"):
            await background.check()


def test_without_the_client_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(InputError, match=r"pip install 'llm-stream-harness\[service\]'"):
        Background()


def test_a_url_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(InputError, match="write it as redis://") as raised:
        Background(Settings(url="http://me:secret@host"))
    assert "secret" not in str(raised.value)


def test_nobody_has_seen_a_negative_number() -> None:
    with pytest.raises(InputError, match="numbered from 1"):
        Background().read_events("r", -1)


@pytest.mark.parametrize(
    "tuning",
    [{"ttl": 0}, {"batch_size": -1}, {"block": float("nan")}, {"patience": 1.0}, {"ttl": 9.0}],
)
def test_settings_make_sense(tuning: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(tuning))):
        Settings(**tuning)
