"""What passes through the recorder is what was sent, and what it takes down is what passed."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from harness.cassettes import load, recording
from harness.cassettes.recorder import write_queue as scribe
from harness.errors import HarnessError, InputError, UnknownWordError
from harness.wire.script import Script
from tests.cassettes.recorder.conftest import BODY, FRAMES, TOLD, Provider, ask, only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_stream_passes_read_by_read_and_is_kept_so(tmp_path: Path) -> None:
    seen = threading.Semaphore(0)
    with lockstep(seen) as url:
        tape = recording(tmp_path / "a.yaml", upstream=[f"a={url}/v1"])
        target = "x?alt=sse"
        with (
            tape,
            httpx2.stream(
                "POST", f"{tape.base_url('a')}/{target}", content=b"{}", trust_env=False
            ) as response,
        ):
            arrived = []
            for read in response.iter_raw():
                arrived.append(read)
                seen.release()  # only then is the next one sent
    assert arrived == list(FRAMES)
    told = only(tmp_path / "a.yaml")
    assert told.request.uri == f"{url}/v1/{target}"
    assert (told.request.body, told.response.body) == (b"{}", BODY)
    assert dict(told.response.headers) == {"x-request-id": "req_1"}
    reads = told.response.stream.reads or ()
    assert [read.length for read in reads] == [len(frame) for frame in FRAMES]
    assert [read.offset for read in reads] == sorted(read.offset for read in reads)
    assert told.response.stream.end == "clean"
    assert told.response.stream.provenance
    assert told.response.stream.provenance.what == url.removeprefix("http://")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml"]
    assert (tape.summary.recorded, tape.summary.played, tape.summary.missed) == (1, 0, ())


@contextmanager
def lockstep(seen: threading.Semaphore) -> Iterator[str]:
    """Serve one stream whose next frame is sent when the last one was seen."""

    def tell(bound: socket.socket) -> None:
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
        telling = threading.Thread(target=tell, args=(bound,), daemon=True)
        telling.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        telling.join(20)


def test_a_reader_that_leaves_is_kept_as_far_as_it_was(provider: Provider, tmp_path: Path) -> None:
    upstream = provider.tells(TOLD._replace(end="stall", frames=FRAMES[:3]))
    with recording(tmp_path / "a.yaml", upstream=[upstream]) as tape:
        url = tape.base_url("a")
        with httpx2.stream("POST", f"{url}/x", content=b"", trust_env=False) as response:
            reads = response.iter_raw()
            got = b""
            while len(got) < len(b"".join(FRAMES[:3])):
                got += next(reads)
    told = only(tmp_path / "a.yaml").response
    assert (told.body, told.stream.end) == (b"".join(FRAMES[:3]), "client_closed")


def test_a_reset_is_a_reset_on_both_sides(provider: Provider, tmp_path: Path) -> None:
    upstream = provider.tells(TOLD._replace(end="reset"))
    tape = recording(tmp_path / "a.yaml", upstream=[upstream])
    with tape, pytest.raises(httpx2.TransportError):
        ask(tape.base_url("a"))
    told = only(tmp_path / "a.yaml").response
    assert (told.body, told.stream.end) == (BODY, "reset")
    tape = recording(tmp_path / "a.yaml", "none", upstream=[upstream])
    with tape, pytest.raises(httpx2.TransportError):
        ask(tape.base_url("a"))


def test_errors_are_kept_with_their_status(provider: Provider, tmp_path: Path) -> None:
    error = Script((b'{"error":{"message":"slow down"}}',), 429, (("retry-after", "7"),))
    with recording(tmp_path / "a.yaml", upstream=[provider.tells(error)]) as tape:
        assert ask(tape.base_url("a")).status_code == 429
    told = only(tmp_path / "a.yaml").response
    assert (told.status, told.reason, told.headers) == (429, "Too Many Requests", error.headers)


def test_one_connection_serves_several_and_many_at_once(provider: Provider, tmp_path: Path) -> None:
    upstream = provider.tells(TOLD._replace(pace=0.005))
    with recording(tmp_path / "a.yaml", "all", upstream=[upstream]) as tape:
        url = f"{tape.base_url('a')}/x"
        with httpx2.Client(trust_env=False) as client:
            for _ in range(3):
                assert client.post(url, content=b"{}").content == BODY
        asking = [threading.Thread(target=lambda: ask(tape.base_url("a"))) for _ in range(10)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    found = load(tmp_path / "a.yaml").interactions
    assert [told.response.body for told in found] == [BODY] * 13


def test_a_slow_reader_slows_the_server_down(provider: Provider, tmp_path: Path) -> None:
    frame = b"data: " + b"x" * 65_000 + b"\n\n"
    told = Script((frame,) * 600, cut="event")
    with recording(tmp_path / "a.yaml", upstream=[provider.tells(told)]) as tape:
        url = f"{tape.base_url('a')}/x"
        with httpx2.stream("POST", url, content=b"{}", trust_env=False) as reply:
            reads = reply.iter_raw()
            size = len(next(reads))
            time.sleep(0.3)
            [seen] = provider.stage.evidence("a")
            # 39 MB: more than the kernel's buffers of two connections hold, and nobody else does.
            assert seen.bytes_sent < len(frame) * 600
            size += sum(map(len, reads))
    assert size == len(frame) * 600
    assert only(tmp_path / "a.yaml").response.body == told.body


def test_nobody_there_and_nobody_known(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with recording(tmp_path / "a.yaml", upstream=[f"a=http://127.0.0.1:{port}"]) as tape:
        away = ask(tape.base_url("a"))
        unknown = ask(tape.base_url("a").replace("/a", "/b"))
    assert (away.status_code, "a cannot be reached at 127.0.0.1" in away.text) == (502, True)
    assert (unknown.status_code, "no upstream 'b'; known: " in unknown.text) == (404, True)
    assert len(tape.summary.missed) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"mode": "onec"}, "unknown record mode 'onec'; did you mean 'once'?"),
        ({"upstream": ["a"]}, "write it as NAME=URL"),
        ({"upstream": ["a=ftp://x"]}, "is no http:// or https:// address"),
        ({"upstream": ["a=http://[x"]}, "is no http:// or https:// address"),
    ],
)
def test_what_cannot_be_recorded_is_named(arguments: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says.replace("?", r"\?")):
        recording(tmp_path / "a.yaml", **arguments)
    with recording(tmp_path / "a.yaml") as tape, pytest.raises(UnknownWordError):
        tape.base_url("nobody")


def test_nothing_recorded_leaves_nothing(tmp_path: Path) -> None:
    with recording(tmp_path / "deep/a.yaml"):
        pass
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_journal_that_lies_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.yaml.journal").write_text("x")
    with pytest.raises(InputError, match="`harness record --recover` makes a cassette"):
        recording(tmp_path / "a.yaml").__enter__()


def test_a_failure_keeps_the_journal(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = recording(tmp_path / "a.yaml", upstream=[provider.tells(TOLD)])
    tape.__enter__()
    tapes = tape._desk.tape

    def taped(*asked: Any) -> Any:
        found = tapes(*asked)
        monkeypatch.setattr(tape._journal, "note", broken)
        return found

    monkeypatch.setattr(tape._desk, "tape", taped)
    assert ask(tape.base_url("a")).content == BODY  # the stream goes on
    with pytest.raises(HarnessError, match=r"the recording broke off .*a\.yaml\.journal"):
        tape.__exit__()
    assert (tmp_path / "a.yaml.journal").exists()


def test_after_a_failure_nothing_of_the_exchange_is_written(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "QUIET", 0.0)
    script = Script((b"data: " + b"words " * 200 + b"\n\n",) * 10, pace=0.02)
    tape = recording(tmp_path / "a.yaml", upstream=[provider.tells(script)])
    tape.__enter__()
    note, told = tape._journal.note, []

    def full_once(**entry: object) -> None:
        if "reads" in entry:
            told.append(entry)
            if len(told) == 1:
                broken()
        note(**entry)

    monkeypatch.setattr(tape._journal, "note", full_once)
    assert ask(tape.base_url("a")).content == script.body
    with pytest.raises(HarnessError, match="the recording broke off"):
        tape.__exit__()
    assert len(told) == 1  # a hole in the middle would look like the whole


def broken(**_: object) -> None:
    raise OSError(28, "No space left on device")
