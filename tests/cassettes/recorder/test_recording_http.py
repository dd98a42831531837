"""HTTP as servers and clients really speak it, on both sides of the recorder."""

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
from tests.cassettes.recorder.conftest import TOLD, Provider, ask, only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


def test_answers_without_a_body(tmp_path: Path, plain_server: Callable[..., str]) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nx-a: b\r\n\r\n"
    upstream = f"a={plain_server(answer)}"
    for mode in ("once", "none"):
        with recording(tmp_path / "a.yaml", mode, upstream=[upstream]) as tape:
            reply = httpx2.head(tape.base_url("a"), trust_env=False)
            assert (reply.headers["x-a"], reply.content) == ("b", b"")
    assert only(tmp_path / "a.yaml").response.stream.end == "clean"


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
