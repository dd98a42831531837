"""Keys are found by path segments, and the log of exchanges is bounded."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError
from harness.playback.response_registry import (
    MAX_BODY,
    MAX_EXCHANGES,
    MAX_LOGGED_KEYS,
    Request,
    ResponseRegistry,
)
from harness.wire.script import Script

if TYPE_CHECKING:
    from harness.wire.script import ResponseEnd

SCRIPT = Script((b"data: 1\n\n",))


def asked(path: str, body: bytes = b"") -> Request:
    return Request("POST", path, (("host", "x"),), body)


def test_keys_are_numbers_unless_given_and_no_number_is_used_twice(
    registry: ResponseRegistry,
) -> None:
    assert registry.register(SCRIPT, "2") == "2"
    assert [registry.register(SCRIPT), registry.register(SCRIPT)] == ["1", "3"]
    registry.unregister("3")
    assert registry.register(SCRIPT) == "4"
    assert registry.register(SCRIPT, "/openai_chat/text/baseline/") == "openai_chat/text/baseline"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/1/v1/chat/completions", "1"),
        ("/1/v1/models/X:streamGenerateContent?alt=sse", "1"),
        ("/1//v1/responses", "1"),
        ("/1", "1"),
        ("/1/", "1"),
        ("/1?alt=sse", "1"),
        ("/a/b/v1/messages", "a/b"),
        ("/a/b/c/v1/messages", "a/b/c"),
        ("/a/b%20b/v1", "a/b b"),
        ("/a%2Fb/v1", "a/b"),
    ],
)
def test_the_longest_key_a_path_begins_with_wins(
    registry: ResponseRegistry, path: str, key: str
) -> None:
    for number, known in enumerate(("1", "a/b", "a/b/c", "a/b b")):
        registry.register(SCRIPT._replace(pace=number), known)
    found = registry.script_for(path)
    assert found is not None
    assert found[0] == key
    assert registry.respond(asked(path)).script == found[1]


@pytest.mark.parametrize("path", ["", "/", "/?x=/1", "/2/v1", "/11/v1", "/v1/1", "/a/v1", "*"])
def test_a_path_that_begins_with_no_key_has_no_script(
    registry: ResponseRegistry, path: str
) -> None:
    registry.register(SCRIPT, "1")
    registry.register(SCRIPT, "a/b")
    assert registry.script_for(path) is None


def test_finding_a_key_takes_one_lookup_per_segment(
    registry: ResponseRegistry,
) -> None:
    class Counting(dict[str, Script]):
        lookups = 0

        def get(self, *arguments: Any) -> Any:
            self.lookups += 1
            return super().get(*arguments)

    for _ in range(1000):
        registry.register(SCRIPT)
    counting = registry._scripts = Counting(registry._scripts)
    assert registry.script_for("/777/v1/models/m")
    assert counting.lookups == 4


def test_registering_a_key_again_replaces_its_script_and_its_log(
    registry: ResponseRegistry,
) -> None:
    registry.register(SCRIPT, "1")
    registry.respond(asked("/1"))
    registry.register(SCRIPT._replace(status=429), "1")
    assert registry.respond(asked("/1")).script.status == 429
    assert len(registry.exchanges("1")) == 1


def test_unregistering_a_key_removes_its_script_and_its_log(registry: ResponseRegistry) -> None:
    registry.register(SCRIPT, "1")
    registry.respond(asked("/1"))
    registry.unregister("1")
    registry.unregister("never there")
    assert registry.script_for("/1") is None
    assert registry.exchanges("1") == ()


@pytest.mark.parametrize(
    ("key", "path", "own"),
    [
        ("1", "/1/v1/models/X%3Ay?alt=sse", "/v1/models/X%3Ay?alt=sse"),
        ("a/b", "/a/b/v1", "/v1"),
        ("1", "/1", "/"),
        ("1", "/1/?q=/1", "/?q=/1"),
    ],
)
def test_the_log_has_the_providers_own_path(
    registry: ResponseRegistry, key: str, path: str, own: str
) -> None:
    registry.register(SCRIPT, key)
    registry.respond(asked(path, b"{}"))
    (logged,) = registry.exchanges(key)
    assert logged[:5] == (key, "POST", own, (("host", "x"),), b"{}")


def test_the_log_is_current_and_each_entry_is_frozen(registry: ResponseRegistry) -> None:
    key = registry.register(SCRIPT)
    exchange = registry.respond(asked(f"/{key}"))
    before = registry.exchanges(key)
    exchange.sent += 3
    exchange.record_close("client")
    exchange.record_close("server")
    (after,) = registry.exchanges(key)
    assert [(e.bytes_sent, e.closed_by) for e in (*before, after)] == [(0, None), (3, "client")]
    assert before[0].started == after.started


@pytest.mark.parametrize(
    ("end", "side"), [("clean", None), ("reset", "client"), ("stall", "client")]
)
def test_closing_after_a_clean_end_is_not_logged(
    registry: ResponseRegistry, end: ResponseEnd, side: str | None
) -> None:
    key = registry.register(SCRIPT._replace(end=end))
    exchange = registry.respond(asked(f"/{key}"))
    exchange.sent = len(SCRIPT.body)
    exchange.record_close("client")
    assert registry.exchanges(key)[0].closed_by == side


def test_the_log_is_bounded(registry: ResponseRegistry) -> None:
    for number in range(MAX_LOGGED_KEYS + 1):
        registry.register(SCRIPT, str(number))
    for _ in range(MAX_EXCHANGES + 1):
        registry.respond(asked("/0", b"x" * (MAX_BODY + 1)))
    kept = registry.exchanges("0")
    assert len(kept) == MAX_EXCHANGES
    assert {len(logged.body) for logged in kept} == {MAX_BODY}
    for number in range(1, MAX_LOGGED_KEYS + 1):
        registry.respond(asked(f"/{number}"))
    assert registry.exchanges("0") == ()
    assert len(registry.exchanges("1")) == 1


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (SCRIPT._replace(cut="events"), "did you mean 'event'"),
        (SCRIPT._replace(status=204), "status 204"),
        (SCRIPT._replace(status=100), "status 100"),
        (SCRIPT._replace(headers=(("x y", "1"),)), "header 'x y'"),
        (SCRIPT._replace(headers=(("x", "1\r\ny: 2"),)), "header 'x'"),
        (SCRIPT._replace(headers=(("x", "\u20ac"),)), "header 'x'"),
    ],
)
def test_a_script_that_http_cannot_carry_is_refused(
    registry: ResponseRegistry, script: Script, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        registry.register(script)


@pytest.mark.parametrize("key", ["", "/", "//"])
def test_an_empty_key_is_refused(registry: ResponseRegistry, key: str) -> None:
    with pytest.raises(InputError, match="path segment"):
        registry.register(SCRIPT, key)


def test_connection_and_framing_headers_are_removed(registry: ResponseRegistry) -> None:
    headers = (("Content-Length", "9"), ("X-A", "1"), ("transfer-encoding", "chunked"))
    registry.register(SCRIPT._replace(headers=headers), "1")
    assert registry.respond(asked("/1")).script.headers == (("X-A", "1"),)


def test_threads_never_share_a_number(registry: ResponseRegistry) -> None:
    keys: list[str] = []

    def work() -> None:
        for _ in range(200):
            key = registry.register(SCRIPT)
            keys.append(key)
            registry.respond(asked(f"/{key}"))
            registry.exchanges(key)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keys, key=int) == [str(number) for number in range(1, 801)]
