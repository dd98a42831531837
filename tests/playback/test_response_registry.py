"""Keys are found by their segments, and what is kept of exchanges is bounded."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError
from harness.playback.response_registry import (
    BODY_KEPT,
    EXCHANGES_KEPT,
    KEYS_KEPT,
    Request,
    ResponseRegistry,
)
from harness.wire.script import Script

if TYPE_CHECKING:
    from harness.wire.script import ResponseEnd

SCRIPT = Script((b"data: 1\n\n",))


def asked(path: str, body: bytes = b"") -> Request:
    return Request("POST", path, (("host", "x"),), body)


def test_keys_are_numbers_unless_given_and_no_number_is_given_twice(
    stage: ResponseRegistry,
) -> None:
    assert stage.put(SCRIPT, "2") == "2"
    assert [stage.put(SCRIPT), stage.put(SCRIPT)] == ["1", "3"]
    stage.forget("3")
    assert stage.put(SCRIPT) == "4"
    assert stage.put(SCRIPT, "/openai_chat/text/baseline/") == "openai_chat/text/baseline"


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
    stage: ResponseRegistry, path: str, key: str
) -> None:
    for number, known in enumerate(("1", "a/b", "a/b/c", "a/b b")):
        stage.put(SCRIPT._replace(pace=number), known)
    found = stage.script_for(path)
    assert found is not None
    assert found[0] == key
    assert stage.answer(asked(path)).script == found[1]


@pytest.mark.parametrize("path", ["", "/", "/?x=/1", "/2/v1", "/11/v1", "/v1/1", "/a/v1", "*"])
def test_a_path_that_begins_with_no_key_finds_nothing(stage: ResponseRegistry, path: str) -> None:
    stage.put(SCRIPT, "1")
    stage.put(SCRIPT, "a/b")
    assert stage.script_for(path) is None


def test_finding_a_key_looks_once_a_segment_however_many_keys_there_are(
    stage: ResponseRegistry,
) -> None:
    class Counting(dict[str, Script]):
        looks = 0

        def get(self, *arguments: Any) -> Any:
            self.looks += 1
            return super().get(*arguments)

    for _ in range(1000):
        stage.put(SCRIPT)
    counting = stage._scripts = Counting(stage._scripts)
    assert stage.script_for("/777/v1/models/m")
    assert counting.looks == 4


def test_a_key_put_again_says_the_new_script_and_has_no_past(stage: ResponseRegistry) -> None:
    stage.put(SCRIPT, "1")
    stage.answer(asked("/1"))
    stage.put(SCRIPT._replace(status=429), "1")
    assert stage.answer(asked("/1")).script.status == 429
    assert len(stage.evidence("1")) == 1


def test_a_forgotten_key_is_gone_with_its_evidence(stage: ResponseRegistry) -> None:
    stage.put(SCRIPT, "1")
    stage.answer(asked("/1"))
    stage.forget("1")
    stage.forget("never there")
    assert stage.script_for("/1") is None
    assert stage.evidence("1") == ()


@pytest.mark.parametrize(
    ("key", "path", "own"),
    [
        ("1", "/1/v1/models/X%3Ay?alt=sse", "/v1/models/X%3Ay?alt=sse"),
        ("a/b", "/a/b/v1", "/v1"),
        ("1", "/1", "/"),
        ("1", "/1/?q=/1", "/?q=/1"),
    ],
)
def test_evidence_tells_the_providers_own_path(
    stage: ResponseRegistry, key: str, path: str, own: str
) -> None:
    stage.put(SCRIPT, key)
    stage.answer(asked(path, b"{}"))
    (evidence,) = stage.evidence(key)
    assert evidence[:5] == (key, "POST", own, (("host", "x"),), b"{}")


def test_evidence_is_right_at_every_moment_and_each_is_frozen(stage: ResponseRegistry) -> None:
    key = stage.put(SCRIPT)
    exchange = stage.answer(asked(f"/{key}"))
    before = stage.evidence(key)
    exchange.sent += 3
    exchange.left("client")
    exchange.left("server")
    (after,) = stage.evidence(key)
    assert [(e.bytes_sent, e.closed_by) for e in (*before, after)] == [(0, None), (3, "client")]
    assert before[0].started == after.started


@pytest.mark.parametrize(
    ("end", "side"), [("clean", None), ("reset", "client"), ("stall", "client")]
)
def test_who_leaves_after_a_clean_end_did_not_cut_it(
    stage: ResponseRegistry, end: ResponseEnd, side: str | None
) -> None:
    key = stage.put(SCRIPT._replace(end=end))
    exchange = stage.answer(asked(f"/{key}"))
    exchange.sent = len(SCRIPT.body)
    exchange.left("client")
    assert stage.evidence(key)[0].closed_by == side


def test_what_is_kept_is_bounded(stage: ResponseRegistry) -> None:
    for number in range(KEYS_KEPT + 1):
        stage.put(SCRIPT, str(number))
    for _ in range(EXCHANGES_KEPT + 1):
        stage.answer(asked("/0", b"x" * (BODY_KEPT + 1)))
    kept = stage.evidence("0")
    assert len(kept) == EXCHANGES_KEPT
    assert {len(evidence.body) for evidence in kept} == {BODY_KEPT}
    for number in range(1, KEYS_KEPT + 1):
        stage.answer(asked(f"/{number}"))
    assert stage.evidence("0") == ()
    assert len(stage.evidence("1")) == 1


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
    stage: ResponseRegistry, script: Script, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        stage.put(script)


@pytest.mark.parametrize("key", ["", "/", "//"])
def test_an_empty_key_is_refused(stage: ResponseRegistry, key: str) -> None:
    with pytest.raises(InputError, match="path segment"):
        stage.put(SCRIPT, key)


def test_headers_of_the_transfer_are_left_to_the_speaker(stage: ResponseRegistry) -> None:
    headers = (("Content-Length", "9"), ("X-A", "1"), ("transfer-encoding", "chunked"))
    stage.put(SCRIPT._replace(headers=headers), "1")
    assert stage.answer(asked("/1")).script.headers == (("X-A", "1"),)


def test_threads_never_share_a_number(stage: ResponseRegistry) -> None:
    keys: list[str] = []

    def work() -> None:
        for _ in range(200):
            key = stage.put(SCRIPT)
            keys.append(key)
            stage.answer(asked(f"/{key}"))
            stage.evidence(key)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keys, key=int) == [str(number) for number in range(1, 801)]
