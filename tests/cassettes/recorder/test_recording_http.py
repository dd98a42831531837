"""Unusual but real HTTP on both sides of the recorder."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.cassettes import load, recording
from tests.cassettes.recorder.conftest import SCRIPT, Provider, ask, only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_request_is_repeated_if_the_server_closed_the_idle_connection(
    tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    url = plain_server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")  # then it closes
    recorder = recording(tmp_path / "a.yaml", "all", upstream=[f"a={url}"])
    with recorder, httpx2.Client(trust_env=False, timeout=60) as client:
        for _ in range(3):
            assert client.get(recorder.base_url("a")).text == "hi"
            time.sleep(0.05)
    assert len(load(tmp_path / "a.yaml").interactions) == 3


def test_a_body_that_ends_with_its_connection_is_complete(
    tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    url = plain_server(b"HTTP/1.1 200 OK\r\nx: 1\r\n\r\nall there is")
    with recording(tmp_path / "a.yaml", upstream=[f"a={url}"]) as recorder:
        assert (
            httpx2.get(recorder.base_url("a"), trust_env=False, timeout=60).text == "all there is"
        )
    recorded = only(tmp_path / "a.yaml").response
    assert (recorded.body, recorded.stream.end) == (b"all there is", "clean")


def test_a_body_shorter_than_its_content_length_is_a_reset(
    tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    url = plain_server(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nnot all")
    recorder = recording(tmp_path / "a.yaml", upstream=[f"a={url}"])
    with recorder, pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(recorder.base_url("a"), trust_env=False, timeout=60)
    recorded = only(tmp_path / "a.yaml").response
    assert (recorded.body, recorded.stream.end) == (b"not all", "reset")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\nnonsense\r\n", b"hi"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", None),
    ],
)
def test_invalid_http_is_forwarded_and_reported(
    answer: bytes, kept: bytes | None, tmp_path: Path, plain_server: Callable[..., str]
) -> None:
    recorder = recording(tmp_path / "a.yaml", upstream=[f"a={plain_server(answer)}"])
    with recorder, pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(recorder.base_url("a"), trust_env=False, timeout=60)
    assert "the response is not valid HTTP/1.1" in recorder.summary.missed[0]
    if kept is None:
        assert not (tmp_path / "a.yaml").exists()
    else:
        recorded = only(tmp_path / "a.yaml").response
        assert (recorded.body, recorded.stream.end) == (kept, "reset")


def test_requests_are_forwarded_with_identity_coding_and_the_servers_host(
    provider: Provider, tmp_path: Path
) -> None:
    with recording(tmp_path / "a.yaml", upstream=[provider.register(SCRIPT, "b")]) as recorder:
        ask(recorder.base_url("a"), b"{}", te="trailers", authorization="Bearer x")
    [seen] = provider.registry.exchanges("b")
    headers = dict(seen.headers)
    assert headers["accept-encoding"] == "identity"
    assert headers["host"] == provider.url.removeprefix("http://")
    assert headers["authorization"] == "Bearer x"
    assert "te" not in headers
    assert (seen.path, seen.body) == ("/v1/x", b"{}")


def test_responses_without_a_body(tmp_path: Path, plain_server: Callable[..., str]) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nx-a: b\r\n\r\n"
    upstream = f"a={plain_server(answer)}"
    for mode in ("once", "none"):
        with recording(tmp_path / "a.yaml", mode, upstream=[upstream]) as recorder:
            reply = httpx2.head(recorder.base_url("a"), trust_env=False, timeout=60)
            assert (reply.headers["x-a"], reply.content) == ("b", b"")
    assert only(tmp_path / "a.yaml").response.stream.end == "clean"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_a_server_with_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain_server: Callable[..., str]
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
    subprocess.run(make.split(), check=True, capture_output=True)  # noqa: S603 - our own command
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url = plain_server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", context)
    upstream = url.replace("http://127.0.0.1", "a=https://localhost")
    with recording(tmp_path / "a.yaml", upstream=[upstream]) as recorder:
        assert httpx2.get(recorder.base_url("a"), trust_env=False, timeout=60).text == "hi"
    assert only(tmp_path / "a.yaml").request.uri.startswith("https://localhost:")


def raw(url: str, *requests: bytes, pause: float = 0.0) -> bytes:
    """Send bytes to an address and return all bytes until the connection closes."""
    host, port = url.removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((host, int(port)), 10) as peer:
        for request in requests:
            peer.sendall(request)
            time.sleep(pause)
        pieces = []
        while piece := peer.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def test_an_invalid_request_is_answered_with_400(tmp_path: Path) -> None:
    with recording(tmp_path / "a.yaml") as recorder:
        received = raw(recorder.base_url("openai"), b"hello\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"not an HTTP/1.1 request" in received


def test_expect_100_continue_is_answered(provider: Provider, tmp_path: Path) -> None:
    head = b"POST /a/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n"
    with recording(tmp_path / "a.yaml", upstream=[provider.register(SCRIPT)]) as recorder:
        received = raw(
            recorder.base_url("a"), head + b"expect: 100-continue\r\n\r\n", b"{}", pause=0.05
        )
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert only(tmp_path / "a.yaml").request.body == b"{}"
