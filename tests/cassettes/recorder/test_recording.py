"""The recorder forwards what was sent and records what it forwarded."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from harness.cassettes import load, recording
from harness.cassettes.recorder import write_queue
from harness.errors import HarnessError, InputError, UnknownWordError
from harness.wire.script import Script
from tests.cassettes.recorder.conftest import BODY, FRAMES, SCRIPT, Provider, ask, only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_stream_is_forwarded_and_recorded_read_by_read(tmp_path: Path) -> None:
    seen = threading.Semaphore(0)
    with lockstep(seen) as url:
        recorder = recording(tmp_path / "a.yaml", upstream=[f"a={url}/v1"])
        target = "x?alt=sse"
        with (
            recorder,
            httpx2.stream(
                "POST",
                f"{recorder.base_url('a')}/{target}",
                content=b"{}",
                trust_env=False,
                timeout=60,
            ) as response,
        ):
            arrived = []
            for read in response.iter_raw():
                arrived.append(read)
                seen.release()  # only then is the next one sent
    assert arrived == list(FRAMES)
    recorded = only(tmp_path / "a.yaml")
    assert recorded.request.uri == f"{url}/v1/{target}"
    assert (recorded.request.body, recorded.response.body) == (b"{}", BODY)
    assert dict(recorded.response.headers) == {"x-request-id": "req_1"}
    reads = recorded.response.stream.reads or ()
    assert [read.length for read in reads] == [len(frame) for frame in FRAMES]
    assert [read.offset for read in reads] == sorted(read.offset for read in reads)
    assert recorded.response.stream.end == "clean"
    assert recorded.response.stream.provenance
    assert recorded.response.stream.provenance.what == url.removeprefix("http://")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml"]
    summary = recorder.summary
    assert (summary.recorded, summary.played, summary.missed) == (1, 0, ())


@contextmanager
def lockstep(seen: threading.Semaphore) -> Iterator[str]:
    """Serve one stream whose next frame is sent when the last one was received."""

    def serve(bound: socket.socket) -> None:
        peer, _ = bound.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(
                b"HTTP/1.1 200 OK\r\nx-request-id: req_1\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            for frame in FRAMES:
                peer.sendall(b"%x\r\n%b\r\n" % (len(frame), frame))
                assert seen.acquire(timeout=20)
            peer.sendall(b"0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = threading.Thread(target=serve, args=(bound,), daemon=True)
        server.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.join(20)


def test_after_a_disconnect_what_was_sent_is_recorded(provider: Provider, tmp_path: Path) -> None:
    upstream = provider.register(SCRIPT._replace(end="stall", frames=FRAMES[:3]))
    with recording(tmp_path / "a.yaml", upstream=[upstream]) as recorder:
        url = recorder.base_url("a")
        with httpx2.stream(
            "POST", f"{url}/x", content=b"", trust_env=False, timeout=60
        ) as response:
            reads = response.iter_raw()
            got = b""
            while len(got) < len(b"".join(FRAMES[:3])):
                got += next(reads)
    recorded = only(tmp_path / "a.yaml").response
    assert (recorded.body, recorded.stream.end) == (b"".join(FRAMES[:3]), "client_closed")


def test_a_reset_is_forwarded_recorded_and_replayed(provider: Provider, tmp_path: Path) -> None:
    upstream = provider.register(SCRIPT._replace(end="reset"))
    recorder = recording(tmp_path / "a.yaml", upstream=[upstream])
    with recorder, pytest.raises(httpx2.TransportError):
        ask(recorder.base_url("a"))
    recorded = only(tmp_path / "a.yaml").response
    assert (recorded.body, recorded.stream.end) == (BODY, "reset")
    recorder = recording(tmp_path / "a.yaml", "none", upstream=[upstream])
    with recorder, pytest.raises(httpx2.TransportError):
        ask(recorder.base_url("a"))


def test_errors_are_recorded_with_their_status(provider: Provider, tmp_path: Path) -> None:
    error = Script((b'{"error":{"message":"slow down"}}',), 429, (("retry-after", "7"),))
    with recording(tmp_path / "a.yaml", upstream=[provider.register(error)]) as recorder:
        assert ask(recorder.base_url("a")).status_code == 429
    response = only(tmp_path / "a.yaml").response
    assert (response.status, response.reason) == (429, "Too Many Requests")
    assert response.headers == error.headers


def test_sequential_and_concurrent_requests_are_recorded(
    provider: Provider, tmp_path: Path
) -> None:
    upstream = provider.register(SCRIPT._replace(pace=0.005))
    with recording(tmp_path / "a.yaml", "all", upstream=[upstream]) as recorder:
        url = f"{recorder.base_url('a')}/x"
        with httpx2.Client(trust_env=False, timeout=60) as client:
            for _ in range(3):
                assert client.post(url, content=b"{}").content == BODY
        asking = [threading.Thread(target=lambda: ask(recorder.base_url("a"))) for _ in range(10)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    found = load(tmp_path / "a.yaml").interactions
    assert [recorded.response.body for recorded in found] == [BODY] * 13


def test_a_slow_reader_slows_the_server(provider: Provider, tmp_path: Path) -> None:
    frame = b"data: " + b"x" * 65_000 + b"\n\n"
    script = Script((frame,) * 600, cut="event")
    with recording(tmp_path / "a.yaml", upstream=[provider.register(script)]) as recorder:
        url = f"{recorder.base_url('a')}/x"
        with httpx2.stream("POST", url, content=b"{}", trust_env=False, timeout=60) as reply:
            reads = reply.iter_raw()
            size = len(next(reads))
            time.sleep(0.3)
            [seen] = provider.registry.exchanges("a")
            # 39 MB: more than the kernel's buffers of two connections hold; nothing else buffers.
            assert seen.bytes_sent < len(frame) * 600
            size += sum(map(len, reads))
    assert size == len(frame) * 600
    assert only(tmp_path / "a.yaml").response.body == script.body


def test_unreachable_and_unknown_upstreams_are_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with recording(tmp_path / "a.yaml", upstream=[f"a=http://127.0.0.1:{port}"]) as recorder:
        away = ask(recorder.base_url("a"))
        unknown = ask(recorder.base_url("a").replace("/a", "/b"))
    assert (away.status_code, "a cannot be reached at 127.0.0.1" in away.text) == (502, True)
    assert (unknown.status_code, "no upstream 'b'; known: " in unknown.text) == (404, True)
    assert len(recorder.summary.missed) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"mode": "onec"}, "unknown record mode 'onec'; did you mean 'once'?"),
        ({"upstream": ["a"]}, "write it as NAME=URL"),
        ({"upstream": ["a=ftp://x"]}, "is not an http:// or https:// URL"),
        ({"upstream": ["a=http://[x"]}, "is not an http:// or https:// URL"),
    ],
)
def test_invalid_arguments_are_input_errors(arguments: Any, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=expected.replace("?", r"\?")):
        recording(tmp_path / "a.yaml", **arguments)
    with recording(tmp_path / "a.yaml") as recorder, pytest.raises(UnknownWordError):
        recorder.base_url("unknown")


def test_a_recording_without_exchanges_writes_no_file(tmp_path: Path) -> None:
    with recording(tmp_path / "deep/a.yaml"):
        pass
    assert list((tmp_path / "deep").iterdir()) == []


def test_an_existing_journal_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.yaml.journal").write_text("x")
    with pytest.raises(InputError, match="make a cassette of it with `harness record --recover`"):
        recording(tmp_path / "a.yaml").__enter__()


def test_a_failure_keeps_the_journal(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recording(tmp_path / "a.yaml", upstream=[provider.register(SCRIPT)])
    recorder.__enter__()
    new_recorder = recorder._state.new_recorder

    def with_full_disk(*arguments: Any) -> Any:
        monkeypatch.setattr(recorder._journal, "append", disk_full)
        return new_recorder(*arguments)

    monkeypatch.setattr(recorder._state, "new_recorder", with_full_disk)
    assert ask(recorder.base_url("a")).content == BODY  # the stream goes on
    with pytest.raises(HarnessError, match=r"recording failed \(OSError: .*a\.yaml\.journal"):
        recorder.__exit__()
    assert (tmp_path / "a.yaml.journal").exists()


def test_after_a_failure_nothing_of_the_exchange_is_written(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "QUIET_S", 0.0)
    script = Script((b"data: " + b"words " * 200 + b"\n\n",) * 10, pace=0.02)
    recorder = recording(tmp_path / "a.yaml", upstream=[provider.register(script)])
    recorder.__enter__()
    assert recorder._journal is not None
    append, recorded = recorder._journal.append, []

    def disk_full_once(**entry: object) -> None:
        if "reads" in entry:
            recorded.append(entry)
            if len(recorded) == 1:
                disk_full()
        append(**entry)

    monkeypatch.setattr(recorder._journal, "append", disk_full_once)
    assert ask(recorder.base_url("a")).content == script.body
    with pytest.raises(HarnessError, match="recording failed"):
        recorder.__exit__()
    assert len(recorded) == 1  # a body with a gap would look complete


def disk_full(**_: object) -> None:
    raise OSError(28, "No space left on device")
