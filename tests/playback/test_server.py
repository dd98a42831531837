"""What only a socket shows: exact chunks, reused and lost connections, malformed requests."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.playback.response_registry import MAX_BODY, ResponseRegistry
from harness.playback.server import LoopbackServer, serving
from harness.wire.script import Script

if TYPE_CHECKING:
    from tests.playback.conftest import Endpoint

FRAMES = (b"data: 1\n\n", b"data: 22\n\n")
ASK = b"POST /%b/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
CLEAN_BODY = b"9\r\ndata: 1\n\n\r\na\r\ndata: 22\n\n\r\n0\r\n\r\n"


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5)


def talk(url: str, sent: bytes, until: bytes = CLEAN_BODY) -> bytes:
    """Send bytes and return what is received up to ``until``, or until the server closes."""
    got = b""
    with connect(url) as peer:
        peer.sendall(sent)
        while not got.endswith(until) and (piece := peer.recv(65536)):
            got += piece
    return got


@pytest.mark.parametrize(
    ("cut", "body"),
    [
        ("event", CLEAN_BODY),
        ("whole", b"13\r\ndata: 1\n\ndata: 22\n\n\r\n0\r\n\r\n"),
        ("offset:1", b"1\r\nd\r\n12\r\nata: 1\n\ndata: 22\n\n\r\n0\r\n\r\n"),
    ],
)
def test_each_read_is_one_chunk(registry: ResponseRegistry, cut: str, body: bytes) -> None:
    with serving(registry) as url:
        got = talk(url, ASK % registry.register(Script(FRAMES, cut=cut)).encode(), until=body)
    assert got == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + body
    )


def test_each_paced_read_is_one_segment(registry: ResponseRegistry) -> None:
    key = registry.register(Script(FRAMES, cut="awkward", pace=0.05, end="reset"))
    segments: list[bytes] = []
    with serving(registry) as url, connect(url) as peer:
        peer.sendall(ASK % key.encode())
        with pytest.raises(ConnectionResetError):
            segments.extend(iter(lambda: peer.recv(65536), b""))
    # The head comes first, by itself or with the first read, which is not paced.
    assert segments[-3:] == [b"5\r\nata: \r\n", b"2\r\n1\n\r\n", b"b\r\n\ndata: 22\n\n\r\n"]


def test_a_connection_serves_pipelined_requests(registry: ResponseRegistry) -> None:
    asks = b"".join(ASK % registry.register(Script(FRAMES), str(n)).encode() for n in (1, 2, 3))
    with serving(registry) as url, connect(url) as peer:
        peer.sendall(asks)
        got = b""
        while got.count(b"HTTP/1.1 200") < 3 or not got.endswith(CLEAN_BODY):
            got += peer.recv(65536)
    assert got.count(CLEAN_BODY) == 3
    assert [len(registry.exchanges(key)) for key in "123"] == [1, 1, 1]


def test_the_connection_of_a_clean_stream_is_reused(socket_endpoint: Endpoint) -> None:
    key = socket_endpoint.registry.register(Script(FRAMES))
    ports = set()
    with socket_endpoint.client() as client:
        for _ in range(3):
            with client.stream("POST", f"{socket_endpoint.url}/{key}") as response:
                response.read()
                network = response.extensions["network_stream"]
                ports.add(network.get_extra_info("client_addr")[1])
    assert len(ports) == 1


def test_an_http_1_0_client_receives_an_unchunked_body_and_the_close(
    registry: ResponseRegistry,
) -> None:
    key = registry.register(Script(FRAMES, cut="byte"))
    with serving(registry) as url:
        got = talk(url, b"GET /%b HTTP/1.0\r\n\r\n" % key.encode())
    assert got.endswith(b"\r\n\r\n" + b"".join(FRAMES))
    assert b"chunked" not in got
    assert registry.exchanges(key)[0].closed_by is None


def test_connection_close_is_honoured(registry: ResponseRegistry) -> None:
    key = registry.register(Script(FRAMES)).encode()
    with serving(registry) as url:
        got = talk(url, b"GET /%b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % key, b"never")
    assert got.endswith(CLEAN_BODY)


def test_expect_100_continue_is_answered(
    registry: ResponseRegistry,
) -> None:
    key = registry.register(Script(FRAMES))
    with serving(registry) as url, connect(url) as peer:
        head, _, body = (ASK % key.encode()).partition(b"\r\n\r\n")
        peer.sendall(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert peer.recv(65536).startswith(b"HTTP/1.1 100 ")
        peer.sendall(body)
        assert peer.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert registry.exchanges(key)[0].body == b"{}"


def test_the_log_holds_the_beginning_of_a_large_request(socket_endpoint: Endpoint) -> None:
    key = socket_endpoint.registry.register(Script(FRAMES))
    with socket_endpoint.client() as client:
        answer = client.post(f"{socket_endpoint.url}/{key}", content=b"x" * 3_000_000)
    assert answer.content == b"".join(FRAMES)
    assert socket_endpoint.registry.exchanges(key)[0].body == b"x" * MAX_BODY


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01 hello\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 30_000, b"431"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n" * 2, b"400"),
    ],
)
def test_malformed_requests_are_refused_and_the_server_goes_on(
    registry: ResponseRegistry, sent: bytes, status: bytes
) -> None:
    with serving(registry) as url:
        got = talk(url, sent, until=b"0\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 " + status)
        assert b"not an HTTP/1.1 request" in got
        assert talk(url, ASK % registry.register(Script(FRAMES)).encode()).endswith(CLEAN_BODY)


async def test_a_malformed_request_is_refused_once(registry: ResponseRegistry) -> None:
    async with LoopbackServer(registry) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server._port)
        async with asyncio.timeout(2):
            while not server._connections:  # noqa: ASYNC110 - accepting has no event to wait for
                await asyncio.sleep(0)
        (peer,) = server._connections
        for _ in range(3):  # all before the loop runs again, as a burst would arrive
            peer.data_received(b"no request\r\n\r\n")
        got = await reader.read()
        writer.close()
    assert got.count(b"HTTP/1.1 400") == 1


def test_a_reset_loses_no_byte_of_a_large_body_with_a_slow_reader(
    socket_endpoint: Endpoint,
) -> None:
    """A reset discards what the kernel has not delivered, so the server must wait first."""
    key = socket_endpoint.registry.register(Script((b"x" * 1_000_000,) * 16, end="reset"))
    got: list[int] = []
    with (
        socket_endpoint.client() as client,
        client.stream("GET", f"{socket_endpoint.url}/{key}") as answer,
    ):
        reads = answer.iter_raw()
        got.append(len(next(reads)))
        time.sleep(0.05)
        with pytest.raises(httpx2.ReadError, match="reset by peer"):
            got.extend(len(read) for read in reads)
    assert sum(got) == 16_000_000


def test_a_reader_that_pauses_slows_the_server(socket_endpoint: Endpoint) -> None:
    frames = (b"x" * 100_000,) * 640
    key = socket_endpoint.registry.register(Script(frames))
    with (
        socket_endpoint.client() as client,
        client.stream("GET", f"{socket_endpoint.url}/{key}") as answer,
    ):
        reads = answer.iter_raw()  # held: a dropped generator closes the connection
        next(reads)
        time.sleep(0.3)
        sent = socket_endpoint.registry.exchanges(key)[0].bytes_sent
    assert 0 < sent < 20_000_000  # what two kernel buffers hold, of 64 MB


def test_it_listens_on_loopback_only(registry: ResponseRegistry) -> None:
    server = LoopbackServer(registry)
    assert server.start() == server.base_url
    try:
        assert server.base_url.startswith("http://127.0.0.1:")
        assert server._listener is not None
        (listening,) = server._listener.sockets
        assert listening.getsockname()[0] == "127.0.0.1"
    finally:
        server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        connect(server.base_url)


def test_a_port_in_use_is_an_error_and_a_freed_port_is_not(
    registry: ResponseRegistry,
) -> None:
    with serving(registry) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            LoopbackServer(registry, port).start()
    with serving(registry, port) as again:
        assert again == url


def test_stopping_ends_streams_and_logs_the_server_as_the_closing_side(
    registry: ResponseRegistry,
) -> None:
    key = registry.register(Script(FRAMES, end="stall"))
    with serving(registry) as url:
        peer = connect(url)
        peer.sendall(ASK % key.encode())
        while not registry.exchanges(key) or registry.exchanges(key)[0].bytes_sent < 19:
            time.sleep(0.001)
    with peer:
        while peer.recv(65536):
            pass
    assert registry.exchanges(key)[0].closed_by == "server"


async def test_it_runs_in_the_callers_loop_as_well(registry: ResponseRegistry) -> None:
    key = registry.register(Script(FRAMES, pace=0.001))
    before = asyncio.all_tasks()
    async with LoopbackServer(registry) as server, httpx2.AsyncClient() as client:
        answer = await client.post(f"{server.base_url}/{key}")
        assert answer.content == b"".join(FRAMES)
        stalling = registry.register(Script(FRAMES, end="stall"))
        async with client.stream("POST", f"{server.base_url}/{stalling}") as response:
            reads = response.aiter_raw()
            assert await anext(reads) == FRAMES[0]
    assert asyncio.all_tasks() == before


async def test_an_internal_error_does_not_look_like_a_stalled_provider(
    registry: ResponseRegistry,
) -> None:
    key = registry.register(Script(FRAMES))
    registry._scripts[key] = Script(FRAMES, status=42)  # `register` would have refused it
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(str(context["exception"]))
    )
    async with LoopbackServer(registry) as server, httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
            await client.get(f"{server.base_url}/{key}")
    assert complaints == ["Response status_code should be in range [200, 1000), not 42"]


async def test_one_client_does_not_block_another(registry: ResponseRegistry) -> None:
    endless = registry.register(Script((b"x",) * 1_000_000))
    quick = registry.register(Script(FRAMES))
    async with LoopbackServer(registry) as server, httpx2.AsyncClient() as client:
        async with client.stream("GET", f"{server.base_url}/{endless}") as response:
            reads = response.aiter_raw()
            await anext(reads)
            async with asyncio.timeout(2):
                answer = await client.get(f"{server.base_url}/{quick}")
            assert registry.exchanges(endless)[0].bytes_sent < 10_000  # it yields after each read
        assert answer.content == b"".join(FRAMES)
