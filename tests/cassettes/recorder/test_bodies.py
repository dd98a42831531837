"""Compressed and binary bodies are recorded decoded, without their secrets."""

from __future__ import annotations

import gzip
import json
import sys
import time
import tracemalloc
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from harness.cassettes import recording
from harness.cassettes.recorder import exchange_recorder
from harness.cassettes.recorder.session import JOURNAL
from harness.cli import main
from harness.engine.replayer import Replayer
from harness.playback.recordings import Recording, recordings
from harness.protocols import protocol
from harness.protocols.events import events_of
from harness.targets.base import Call
from harness.wire import event_stream
from harness.wire.script import Script
from tests.cassettes.recorder.conftest import BODY, Provider, only
from tests.cassettes.test_coding import CODED
from tests.scenario_files import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Server = Callable[..., str]

KEY = "sk-ant-api03-" + "a1B2" * 8


def answer(body: bytes, *headers: str) -> bytes:
    """Return an HTTP response with a body and a content length."""
    lines = ["HTTP/1.1 200 OK", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def record(path: Path, url: str) -> Any:
    """Record one request; return what the client read, and the summary."""
    recorder = recording(path, upstream=[f"a={url}"], secrets=())
    with (
        recorder,
        httpx2.stream("GET", recorder.base_url("a"), trust_env=False, timeout=60) as response,
    ):
        read = b"".join(response.iter_raw())
    return read, recorder.summary


@pytest.mark.parametrize("name", CODED)
def test_an_unrequested_content_coding_is_decoded(
    name: str, tmp_path: Path, plain_server: Server
) -> None:
    word, coded = CODED[name]
    body = BODY + b'data: {"delta":"see %b"}\n\n' % KEY.encode()
    sent = coded(body)
    url = plain_server(answer(sent, f"content-encoding: {word.upper()}"))
    read, summary = record(tmp_path / "a.yaml", url)
    assert (read, summary.missed) == (sent, ())
    kept = only(tmp_path / "a.yaml").response
    assert kept.body == body.replace(KEY[13:].encode(), b"X" * len(KEY[13:]))
    assert (kept.headers, kept.stream.end) == ((), "clean")
    with recording(tmp_path / "a.yaml", "none", upstream=[f"a={url}"]) as recorder:
        assert httpx2.get(recorder.base_url("a"), trust_env=False, timeout=60).content == kept.body


def test_two_codings_are_decoded(tmp_path: Path, plain_server: Server) -> None:
    sent = gzip.compress(zlib.compress(BODY))
    url = plain_server(answer(sent, "content-encoding: deflate", "content-encoding: gzip"))
    record(tmp_path / "a.yaml", url)
    assert only(tmp_path / "a.yaml").response.body == BODY


@pytest.mark.parametrize("word", ["br", "zstd"])
def test_a_coding_whose_library_is_missing_is_not_recorded(
    word: str, tmp_path: Path, plain_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("brotli", "brotlicffi", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    sent = CODED[word][1](BODY)
    read, summary = record(
        tmp_path / "a.yaml", plain_server(answer(sent, f"content-encoding: {word}"))
    )
    assert read == sent
    [missed] = summary.missed
    assert f"compressed with {word}; pip install 'llm-stream-harness[codings]'" in missed
    assert not (tmp_path / "a.yaml").exists()


def test_a_body_with_a_wrong_coding_is_recorded_as_far_as_it_can_be_decoded(
    tmp_path: Path, plain_server: Server
) -> None:
    url = plain_server(answer(BODY, "content-encoding: gzip"))
    read, summary = record(tmp_path / "a.yaml", url)
    assert read == BODY
    assert "the body is not a complete gzip stream" in summary.missed[0]
    kept = only(tmp_path / "a.yaml").response
    assert (kept.body, kept.stream.end) == (b"", "reset")


def test_a_body_with_a_corrupt_end_is_recorded_up_to_it(
    tmp_path: Path, plain_server: Server
) -> None:
    body = b"".join(b"data: %d\n\n" % (number**5) for number in range(9999))
    sent = gzip.compress(body)
    corrupt = sent[:-8] + b"corrupt!"  # in place of its checksum and length
    assert len(sent) > 4 * 4096  # several portions of one read
    read, summary = record(
        tmp_path / "a.yaml", plain_server(answer(corrupt, "content-encoding: gzip"))
    )
    assert read == corrupt
    assert "the body is not a complete gzip stream" in summary.missed[0]
    kept = only(tmp_path / "a.yaml").response
    assert kept.stream.end == "reset"
    assert len(body) * 0.5 < len(kept.body)
    assert body.startswith(kept.body)


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_a_decompression_bomb_is_recorded_in_bounded_memory(
    name: str, tmp_path: Path, plain_server: Server
) -> None:
    event = b'data: {"delta":"' + b" " * 4000 + b'"}\n\n'
    body = event * 1500  # 6 MB of a few kB
    word, coded = CODED[name]
    sent = coded(body)
    assert len(sent) < 20_000
    url = plain_server(answer(sent, f"content-encoding: {word}"))
    with recording(tmp_path / "a.yaml", upstream=[f"a={url}"], secrets=()) as recorder:
        tracemalloc.start()
        with httpx2.stream("GET", recorder.base_url("a"), trust_env=False, timeout=60) as response:
            assert b"".join(response.iter_raw()) == sent
        until(lambda: last(tmp_path / f"a.yaml{JOURNAL}").endswith(b'"end": "clean"}\n'))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024, peak
    assert only(tmp_path / "a.yaml").response.body == body


def test_a_decoded_body_is_recorded_up_to_a_limit(
    tmp_path: Path, plain_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_recorder, "LIMIT", len(BODY) * 5)
    sent = gzip.compress(BODY * 99)
    url = plain_server(answer(sent, "content-encoding: gzip"))
    read, summary = record(tmp_path / "a.yaml", url)
    assert read == sent
    assert "the decompressed body is larger than 1,350 bytes" in summary.missed[0]
    assert len(only(tmp_path / "a.yaml").response.body) <= len(BODY) * 5


# Bedrock's binary events.
AT = "model/anthropic.claude-x/invoke-with-response-stream"
BINARY = (("content-type", event_stream.CONTENT_TYPE),)


def chunk(data: object) -> bytes:
    payload = {"bytes": b64encode(json.dumps(data).encode()).decode(), "p": "abcdefg"}
    headers = {":event-type": "chunk", ":content-type": "application/json"}
    return event_stream.write({**headers, ":message-type": "event"}, json.dumps(payload).encode())


def record_script(provider: Provider, path: Path, script: Script) -> Any:
    """Record a script; return the recording's summary."""
    recorder = recording(path, upstream=[provider.register(script)], secrets=())
    size = len(script.body)
    with (
        recorder,
        httpx2.stream(
            "POST", f"{recorder.base_url('a')}/{AT}", content=b"{}", trust_env=False, timeout=60
        ) as recorded,
    ):
        reads = recorded.iter_raw()
        while size > 0:  # then disconnect
            size -= len(next(reads))
    return recorder.summary


def one(path: Path) -> Recording:
    [found] = recordings([path])
    assert isinstance(found, Recording), found
    return found


@pytest.fixture
def messages(tmp_path: Path) -> tuple[bytes, ...]:
    """A stream of Anthropic events in the framing of Bedrock."""
    events = events_of([written(tmp_path / "scenario").script().body])
    return tuple(chunk(event.data) for event in events)


def test_a_stream_of_bedrock_is_recorded_and_replayed_under_every_cut(
    messages: tuple[bytes, ...], provider: Provider, tmp_path: Path
) -> None:
    script = Script(messages, headers=BINARY, cut="random:3", pace=0.001)
    assert record_script(provider, tmp_path / "a.yaml", script).missed == ()
    kept = only(tmp_path / "a.yaml").response
    assert (kept.body, kept.headers, kept.stream.end) == (script.body, BINARY, "clean")
    found = one(tmp_path / "a.yaml")
    request = protocol("anthropic_messages").request
    with Replayer(20, in_memory=True) as player:
        direct, *others = (
            player.replay("builtin", Call("anthropic_messages", request=request), recorded)
            for recorded in (
                written(tmp_path / "scenario").script(),
                *map(found.script, ("event", "whole", "awkward", "edges", "byte", "recorded")),
                found.script("recorded", "recorded"),
            )
        )
    assert direct.outcome.ending == "complete"
    assert others == [direct] * 7


def test_reads_end_at_the_same_fraction_of_an_event(
    messages: tuple[bytes, ...], provider: Provider, tmp_path: Path
) -> None:
    script = Script(messages, headers=BINARY, cut="whole")
    record_script(provider, tmp_path / "a.yaml", script)
    path = tmp_path / "a.yaml"
    sizes = [len(message) for message in messages]
    half = sizes[2] // 2
    lengths = [1, sizes[0] - 1, sizes[1] + half, sizes[2] - half, sum(sizes[3:])]
    text = path.read_text("utf-8")
    start, end = text.index("reads: >-"), text.index("      provenance")
    reads = " ".join(f"{length}@{at}.000000" for at, length in enumerate(lengths))
    path.write_text(f"{text[:start]}reads: {reads}\n{text[end:]}", "utf-8")
    replayed = one(path).script("recorded", "recorded")
    frames = [len(frame) for frame in replayed.frames]
    into = half * frames[2] // sizes[2]
    # The frame is shorter: one byte of a message is none of it, so its time goes to the next read.
    assert replayed.recorded == (
        (frames[0], 1.0),
        (frames[1] + into, 1.0),
        (frames[2] - into, 1.0),
        (sum(frames[3:]), 1.0),
    )


def test_check_and_audit_accept_a_bedrock_recording(
    messages: tuple[bytes, ...], provider: Provider, tmp_path: Path, capsys: Any
) -> None:
    record_script(provider, tmp_path / "a.yaml", Script(messages, headers=BINARY))
    for command in ("check", "audit"):
        assert main([command, str(tmp_path / "a.yaml")]) == 0, capsys.readouterr()


def test_a_fragmented_secret_in_binary_events_is_masked(provider: Provider, tmp_path: Path) -> None:
    pieces = ["The key is ", *(KEY[at : at + 5] for at in range(0, len(KEY), 5)), " indeed"]
    recorded = tuple(
        chunk({"type": "content_block_delta", "index": 0, "delta": {"text": piece}})
        for piece in pieces
    )
    summary = record_script(
        provider, tmp_path / "a.yaml", Script(recorded, headers=BINARY, cut="random:1")
    )
    kept = only(tmp_path / "a.yaml").response.body
    events: list[Any] = [event.data for event in events_of([kept])]
    texts = [event["delta"]["text"] for event in events]
    assert "".join(texts) == f"The key is sk-ant-api03-{'X' * 32} indeed"
    assert len(kept) == len(b"".join(recorded))
    assert summary.masked.total() == 1
    assert main(["audit", str(tmp_path / "a.yaml")]) == 0


def test_an_incomplete_message_is_not_recorded(
    messages: tuple[bytes, ...], provider: Provider, tmp_path: Path
) -> None:
    """Its base64 is cut, so it cannot be scrubbed."""
    torn = messages[3][:-9]
    ends: Any = (("stall", "client_closed", 0), ("reset", "reset", 0), ("clean", "reset", 1))
    for end, kept_as, misses in ends:
        path = tmp_path / f"{end}.yaml"
        script = Script((*messages[:3], torn), headers=BINARY, end=end)
        summary = record_script(provider, path, script)
        kept = only(path).response
        assert (kept.body, kept.stream.end) == (b"".join(messages[:3]), kept_as), end
        assert len(summary.missed) == misses
        assert all("ended after" in message for message in summary.missed)


def test_nothing_after_a_wrong_checksum_is_recorded(
    messages: tuple[bytes, ...], provider: Provider, tmp_path: Path
) -> None:
    wrong = messages[2][:-1] + bytes([messages[2][-1] ^ 1])
    script = Script((*messages[:2], wrong, *messages[3:]), headers=BINARY)
    summary = record_script(provider, tmp_path / "a.yaml", script)
    assert "the checksum of a message is wrong" in summary.missed[0]
    kept = only(tmp_path / "a.yaml").response
    assert (kept.body, kept.stream.end) == (b"".join(messages[:2]), "reset")


def last(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 99))
        return file.read()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
