"""What passes through the recorder is what was sent, and what it takes down is what passed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest
from google import genai

from harness.cassettes import load, recording, save
from harness.cassettes.cassette import Cassette, Interaction
from harness.cassettes.recorder.session import Recording
from harness.cassettes.recorder.upstreams import upstreams
from harness.errors import HarnessError, InputError, UnknownWordError
from harness.wire.script import Script
from tests.cassettes.recorder.conftest import FRAMES, TOLD, Provider
from tests.stories import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = b"".join(FRAMES)


def only(path: Path) -> Interaction:
    [found] = load(path).interactions
    return found


def ask(url: str, body: bytes = b'{"a":1}', **headers: str) -> httpx2.Response:
    return httpx2.post(f"{url}/v1/x", content=body, headers=headers, trust_env=False)


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


def test_a_server_that_hung_up_in_between_is_asked_again(
    tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    url = plain_server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")  # and closes, unasked
    tape = recording(tmp_path / "a.yaml", "all", upstream=[f"a={url}"])
    with tape, httpx2.Client(trust_env=False) as client:
        for _ in range(3):
            assert client.get(tape.base_url("a")).text == "hi"
            time.sleep(0.05)
    assert len(load(tmp_path / "a.yaml").interactions) == 3


def test_a_body_that_ends_with_its_connection_is_whole(
    tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    url = plain_server(b"HTTP/1.1 200 OK\r\nx: 1\r\n\r\nall there is")
    with recording(tmp_path / "a.yaml", upstream=[f"a={url}"]) as tape:
        assert httpx2.get(tape.base_url("a"), trust_env=False).text == "all there is"
    told = only(tmp_path / "a.yaml").response
    assert (told.body, told.stream.end) == (b"all there is", "clean")


def test_a_length_that_is_not_kept_is_a_reset(
    tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    url = plain_server(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nnot all")
    tape = recording(tmp_path / "a.yaml", upstream=[f"a={url}"])
    with tape, pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(tape.base_url("a"), trust_env=False)
    told = only(tmp_path / "a.yaml").response
    assert (told.body, told.stream.end) == (b"not all", "reset")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\nnonsense\r\n", b"hi"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", None),
    ],
)
def test_what_is_no_http_passes_and_is_named(
    answer: bytes, kept: bytes | None, tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    tape = recording(tmp_path / "a.yaml", upstream=[f"a={plain_server(answer)}"])
    with tape, pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(tape.base_url("a"), trust_env=False)
    assert "what came is no HTTP/1.1" in tape.summary.missed[0]
    if kept is None:
        assert not (tmp_path / "a.yaml").exists()
    else:
        told = only(tmp_path / "a.yaml").response
        assert (told.body, told.stream.end) == (kept, "reset")


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_coding_nobody_asked_for(
    coding: str, tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    sent = gzip.compress(BODY)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {len(sent)}\r\n\r\n"
    tape = recording(tmp_path / "a.yaml", upstream=[f"a={plain_server(head.encode() + sent)}"])
    with tape, httpx2.stream("GET", tape.base_url("a"), trust_env=False) as response:
        assert b"".join(response.iter_raw()) == sent
    if coding == "gzip":
        assert only(tmp_path / "a.yaml").response.body == BODY
    else:
        assert "compressed with br" in tape.summary.missed[0]
        assert not (tmp_path / "a.yaml").exists()


# The record modes of vcrpy, and one more.
@pytest.fixture
def known(provider: Provider, tmp_path: Path) -> tuple[Path, str]:
    """A cassette that knows one request, and the server that now answers otherwise."""
    path = tmp_path / "a.yaml"
    with recording(path, upstream=[provider.tells(TOLD)]) as tape:
        ask(tape.base_url("a"), authorization="Bearer sk-ant-api03-abcdefghijklmnop")
    return path, provider.tells(Script((b"new",), headers=()))


@pytest.mark.parametrize(
    ("mode", "known_answer", "other_answer", "kept"),
    [
        ("none", BODY, None, [BODY]),
        ("once", BODY, None, [BODY]),
        ("new_episodes", BODY, b"new", [BODY, b"new"]),
        ("all", b"new", b"new", [BODY, b"new", b"new"]),
        ("rewrite", b"new", b"new", [b"new", b"new"]),
    ],
)
def test_record_modes(
    mode: Any, known_answer: bytes, other_answer: bytes | None, kept: Any, known: tuple[Path, str]
) -> None:
    path, upstream = known
    with recording(path, mode, upstream=[upstream]) as tape:
        # another key, but it looks the same when it is scrubbed; and the same JSON
        same = ask(tape.base_url("a"), b'{"a": 1}', authorization="Bearer x")
        other = ask(tape.base_url("a"), b'{"a":2}')
    assert same.content == known_answer
    if other_answer is None:
        assert other.status_code == 404
        assert "have other bodies; record it with --mode new_episodes" in other.text
        assert len(tape.summary.missed) == 1
    else:
        assert other.content == other_answer
    assert [told.response.body for told in load(path).interactions] == kept


def test_what_was_played_is_not_played_twice(known: tuple[Path, str]) -> None:
    path, upstream = known
    with recording(path, "none", upstream=[upstream]) as tape:
        assert ask(tape.base_url("a")).content == BODY
        assert "every recorded answer to it was played" in ask(tape.base_url("a")).text
        elsewhere = httpx2.get(tape.base_url("a"), trust_env=False)
        assert "no recorded request has this method and address" in elsewhere.text


def test_a_recording_is_played_in_its_very_reads(provider: Provider, tmp_path: Path) -> None:
    upstream = provider.tells(TOLD._replace(pace=0.01))
    for mode in ("rewrite", "none"):
        with recording(tmp_path / "a.yaml", mode, upstream=[upstream]) as tape:
            reply = ask(tape.base_url("a"))
            assert (reply.content, reply.headers["x-request-id"]) == (BODY, "req_1")


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


def test_a_body_is_asked_for_without_coding_and_with_its_own_host(
    provider: Provider, tmp_path: Path
) -> None:
    with recording(tmp_path / "a.yaml", upstream=[provider.tells(TOLD, "b")]) as tape:
        ask(tape.base_url("a"), b"{}", te="trailers", authorization="Bearer x")
    [seen] = provider.stage.evidence("b")
    headers = dict(seen.headers)
    assert headers["accept-encoding"] == "identity"
    assert headers["host"] == provider.url.removeprefix("http://")
    assert headers["authorization"] == "Bearer x"
    assert "te" not in headers
    assert (seen.path, seen.body) == ("/v1/x", b"{}")


# The SDKs find the recorder by themselves.
def _sdk_urls() -> dict[str, str]:
    options = genai.Client(api_key="k")._api_client._http_options  # where the SDK keeps it
    return {
        "openai": str(openai.OpenAI(api_key="k").base_url),
        "azure": str(openai.AzureOpenAI(api_key="k", api_version="1").base_url),
        "anthropic": str(anthropic.Anthropic(api_key="k").base_url),
        "gemini": str(options.base_url),
    }


def test_the_environment_is_what_the_installed_sdks_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.azure.example")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    tape = Recording(tmp_path / "a.yaml")
    assert upstreams((), os.environ)["openai"].uri("chat") == "https://gateway.example/v1/chat"
    monkeypatch.setenv("NO_PROXY", "a.example")
    assert tape.environment()["NO_PROXY"] == "a.example,127.0.0.1"
    for name, url in tape.environment().items():
        monkeypatch.setenv(name, url)
    for name, url in _sdk_urls().items():
        assert url.startswith(tape.base_url(name)), name


def test_the_sdk_reads_through_it_what_it_reads_directly(
    provider: Provider, tmp_path: Path
) -> None:
    script = written(tmp_path).script()
    upstream = provider.tells(script).replace("a=", "anthropic=")

    def events(url: str) -> list[Any]:
        with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
            ask: Any = {
                "model": "m",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": "Hi"}],
            }
            return [event.to_dict() for event in client.messages.create(stream=True, **ask)]

    direct = events(f"{provider.url}/a")
    for mode in ("once", "none"):
        with recording(tmp_path / "a.yaml", mode, upstream=[upstream]) as tape:
            assert events(tape.base_url("anthropic")) == direct


# A journal that survives, and a disk that does not.
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


def broken(**_: object) -> None:
    raise OSError(28, "No space left on device")


def test_nothing_recorded_leaves_nothing(tmp_path: Path) -> None:
    with recording(tmp_path / "deep/a.yaml"):
        pass
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_a_server_behind_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain_server: Callable[..., str]
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
    subprocess.run(make.split(), check=True, capture_output=True)  # noqa: S603 - our own words
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url = plain_server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", context)
    upstream = url.replace("http://127.0.0.1", "a=https://localhost")
    with recording(tmp_path / "a.yaml", upstream=[upstream]) as tape:
        assert httpx2.get(tape.base_url("a"), trust_env=False).text == "hi"
    assert only(tmp_path / "a.yaml").request.uri.startswith("https://localhost:")


@pytest.fixture
def plain_server() -> Iterator[Callable[..., str]]:
    """A server that says some bytes to whoever asks, and hangs up."""
    open_ones = []

    def start(answer: bytes, context: ssl.SSLContext | None = None) -> str:
        bound = socket.create_server(("127.0.0.1", 0))
        open_ones.append(bound)
        threading.Thread(target=_answer, args=(bound, answer, context), daemon=True).start()
        return f"http://127.0.0.1:{bound.getsockname()[1]}"

    yield start
    for bound in open_ones:
        bound.shutdown(socket.SHUT_RDWR)
        bound.close()


def _answer(bound: socket.socket, answer: bytes, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            peer, _ = bound.accept()
        except OSError:
            return
        with context.wrap_socket(peer, server_side=True) if context else peer as asked:
            asked.recv(65536)
            asked.sendall(answer)


def raw(url: str, *requests: bytes, patience: float = 0.0) -> bytes:
    """Say bytes to an address and return all that comes until it hangs up."""
    host, port = url.removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((host, int(port)), 10) as peer:
        for request in requests:
            peer.sendall(request)
            time.sleep(patience)
        pieces = []
        while piece := peer.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def test_what_is_no_request_is_told_so(tmp_path: Path) -> None:
    with recording(tmp_path / "a.yaml") as tape:
        said = raw(tape.base_url("openai"), b"hello\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"this is no HTTP/1.1 request" in said


def test_a_client_that_asks_before_it_sends(provider: Provider, tmp_path: Path) -> None:
    head = b"POST /a/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n"
    with recording(tmp_path / "a.yaml", upstream=[provider.tells(TOLD)]) as tape:
        said = raw(tape.base_url("a"), head + b"expect: 100-continue\r\n\r\n", b"{}", patience=0.05)
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert only(tmp_path / "a.yaml").request.body == b"{}"


def test_answers_without_a_body(tmp_path: Path, plain_server: Callable[..., str]) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nx-a: b\r\n\r\n"
    upstream = f"a={plain_server(answer)}"
    for mode in ("once", "none"):
        with recording(tmp_path / "a.yaml", mode, upstream=[upstream]) as tape:
            reply = httpx2.head(tape.base_url("a"), trust_env=False)
            assert (reply.headers["x-a"], reply.content) == ("b", b"")
    assert only(tmp_path / "a.yaml").response.stream.end == "clean"


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


def test_an_empty_cassette_counts_as_one(tmp_path: Path, provider: Provider) -> None:
    save(Cassette(), tmp_path / "a.yaml")
    with recording(tmp_path / "a.yaml", upstream=[provider.tells(TOLD)]) as tape:
        assert json.loads(ask(tape.base_url("a")).text)["error"]["type"] == "not_recorded"
