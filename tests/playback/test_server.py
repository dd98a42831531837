"""What only a real socket shows: exact chunks, kept and lost connections, hostile bytes."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.playback.response_registry import BODY_KEPT, ResponseRegistry
from harness.playback.server import LoopbackServer, serving
from harness.wire.script import Script

if TYPE_CHECKING:
    from tests.playback.conftest import Road

FRAMES = (b"data: 1\n\n", b"data: 22\n\n")
ASK = b"POST /%b/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
CLEAN_BODY = b"9\r\ndata: 1\n\n\r\na\r\ndata: 22\n\n\r\n0\r\n\r\n"


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5)


def talk(url: str, sent: bytes, until: bytes = CLEAN_BODY) -> bytes:
    """Send bytes and return what comes until the given end of it, or until the server closes."""
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
def test_each_read_is_one_chunk(stage: ResponseRegistry, cut: str, body: bytes) -> None:
    with serving(stage) as url:
        got = talk(url, ASK % stage.put(Script(FRAMES, cut=cut)).encode(), until=body)
    assert got == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + body
    )


def test_each_paced_read_is_one_segment(stage: ResponseRegistry) -> None:
    key = stage.put(Script(FRAMES, cut="awkward", pace=0.05, end="reset"))
    segments: list[bytes] = []
    with serving(stage) as url, connect(url) as peer:
        peer.sendall(ASK % key.encode())
        with pytest.raises(ConnectionResetError):
            segments.extend(iter(lambda: peer.recv(65536), b""))
    # The head comes first, by itself or with the first read, which is not paced.
    assert segments[-3:] == [b"5\r\nata: \r\n", b"2\r\n1\n\r\n", b"b\r\n\ndata: 22\n\n\r\n"]


def test_a_connection_serves_many_requests_also_pipelined_ones(stage: ResponseRegistry) -> None:
    asks = b"".join(ASK % stage.put(Script(FRAMES), str(n)).encode() for n in (1, 2, 3))
    with serving(stage) as url, connect(url) as peer:
        peer.sendall(asks)
        got = b""
        while got.count(b"HTTP/1.1 200") < 3 or not got.endswith(CLEAN_BODY):
            got += peer.recv(65536)
    assert got.count(CLEAN_BODY) == 3
    assert [len(stage.evidence(key)) for key in "123"] == [1, 1, 1]


def test_the_connection_of_a_clean_stream_is_reused(socket_road: Road) -> None:
    key = socket_road.stage.put(Script(FRAMES))
    ports = set()
    with socket_road.client() as client:
        for _ in range(3):
            with client.stream("POST", f"{socket_road.url}/{key}") as response:
                response.read()
                network = response.extensions["network_stream"]
                ports.add(network.get_extra_info("client_addr")[1])
    assert len(ports) == 1


def test_a_client_of_http_1_0_gets_a_plain_body_and_the_end(stage: ResponseRegistry) -> None:
    key = stage.put(Script(FRAMES, cut="byte"))
    with serving(stage) as url:
        got = talk(url, b"GET /%b HTTP/1.0\r\n\r\n" % key.encode())
    assert got.endswith(b"\r\n\r\n" + b"".join(FRAMES))
    assert b"chunked" not in got
    assert stage.evidence(key)[0].closed_by is None


def test_a_client_that_wants_to_close_is_closed(stage: ResponseRegistry) -> None:
    key = stage.put(Script(FRAMES)).encode()
    with serving(stage) as url:
        got = talk(url, b"GET /%b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % key, b"never")
    assert got.endswith(CLEAN_BODY)


def test_a_client_that_asks_before_sending_its_body_is_told_to_go_on(
    stage: ResponseRegistry,
) -> None:
    key = stage.put(Script(FRAMES))
    with serving(stage) as url, connect(url) as peer:
        head, _, body = (ASK % key.encode()).partition(b"\r\n\r\n")
        peer.sendall(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert peer.recv(65536).startswith(b"HTTP/1.1 100 ")
        peer.sendall(body)
        assert peer.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert stage.evidence(key)[0].body == b"{}"


def test_of_a_large_request_the_beginning_is_kept(socket_road: Road) -> None:
    key = socket_road.stage.put(Script(FRAMES))
    with socket_road.client() as client:
        answer = client.post(f"{socket_road.url}/{key}", content=b"x" * 3_000_000)
    assert answer.content == b"".join(FRAMES)
    assert socket_road.stage.evidence(key)[0].body == b"x" * BODY_KEPT


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01 hello\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 30_000, b"431"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n" * 2, b"400"),
    ],
)
def test_bytes_that_are_no_request_are_refused_and_the_server_lives_on(
    stage: ResponseRegistry, sent: bytes, status: bytes
) -> None:
    with serving(stage) as url:
        got = talk(url, sent, until=b"0\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 " + status)
        assert b"this is no HTTP/1.1 request" in got
        assert talk(url, ASK % stage.put(Script(FRAMES)).encode()).endswith(CLEAN_BODY)


async def test_bytes_that_are_no_request_are_refused_once(stage: ResponseRegistry) -> None:
    async with LoopbackServer(stage) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server._port)
        async with asyncio.timeout(2):
            while not server._connections:  # noqa: ASYNC110 - the server accepts in its own time
                await asyncio.sleep(0)
        (peer,) = server._connections
        for _ in range(3):  # all of it before the loop turns, as the pieces of a flood come
            peer.data_received(b"no request\r\n\r\n")
        got = await reader.read()
        writer.close()
    assert got.count(b"HTTP/1.1 400") == 1


def test_a_reset_loses_no_byte_of_a_large_body_and_a_slow_reader(socket_road: Road) -> None:
    """A reset discards what the kernel has not delivered, so the server must wait for it."""
    key = socket_road.stage.put(Script((b"x" * 1_000_000,) * 16, end="reset"))
    got: list[int] = []
    with socket_road.client() as client, client.stream("GET", f"{socket_road.url}/{key}") as answer:
        reads = answer.iter_raw()
        got.append(len(next(reads)))
        time.sleep(0.05)
        with pytest.raises(httpx2.ReadError, match="reset by peer"):
            got.extend(len(read) for read in reads)
    assert sum(got) == 16_000_000


def test_a_reader_that_pauses_holds_the_server_back(socket_road: Road) -> None:
    frames = (b"x" * 100_000,) * 640
    key = socket_road.stage.put(Script(frames))
    with socket_road.client() as client, client.stream("GET", f"{socket_road.url}/{key}") as answer:
        reads = answer.iter_raw()  # held: a dropped generator closes the connection
        next(reads)
        time.sleep(0.3)
        sent = socket_road.stage.evidence(key)[0].bytes_sent
    assert 0 < sent < 20_000_000  # what two kernel buffers hold, of 64 MB


def test_it_listens_on_loopback_only(stage: ResponseRegistry) -> None:
    server = LoopbackServer(stage)
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


def test_a_taken_port_is_an_error_of_start_and_a_freed_one_is_not(stage: ResponseRegistry) -> None:
    with serving(stage) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            LoopbackServer(stage, port).start()
    with serving(stage, port) as again:
        assert again == url


def test_stopping_ends_streams_and_says_it_was_the_server(stage: ResponseRegistry) -> None:
    key = stage.put(Script(FRAMES, end="stall"))
    with serving(stage) as url:
        peer = connect(url)
        peer.sendall(ASK % key.encode())
        while not stage.evidence(key) or stage.evidence(key)[0].bytes_sent < 19:
            time.sleep(0.001)
    with peer:
        while peer.recv(65536):
            pass
    assert stage.evidence(key)[0].closed_by == "server"


async def test_it_lives_in_the_callers_loop_as_well(stage: ResponseRegistry) -> None:
    key = stage.put(Script(FRAMES, pace=0.001))
    before = asyncio.all_tasks()
    async with LoopbackServer(stage) as server, httpx2.AsyncClient() as client:
        answer = await client.post(f"{server.base_url}/{key}")
        assert answer.content == b"".join(FRAMES)
        stalling = stage.put(Script(FRAMES, end="stall"))
        async with client.stream("POST", f"{server.base_url}/{stalling}") as response:
            reads = response.aiter_raw()
            assert await anext(reads) == FRAMES[0]
    assert asyncio.all_tasks() == before


async def test_a_defect_of_ours_never_looks_like_a_provider_that_stalls(
    stage: ResponseRegistry,
) -> None:
    key = stage.put(Script(FRAMES))
    stage._scripts[key] = Script(FRAMES, status=42)  # what put would have refused
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(str(context["exception"]))
    )
    async with LoopbackServer(stage) as server, httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
            await client.get(f"{server.base_url}/{key}")
    assert complaints == ["Response status_code should be in range [200, 1000), not 42"]


async def test_one_client_never_holds_up_another(stage: ResponseRegistry) -> None:
    endless = stage.put(Script((b"x",) * 1_000_000))
    quick = stage.put(Script(FRAMES))
    async with LoopbackServer(stage) as server, httpx2.AsyncClient() as client:
        async with client.stream("GET", f"{server.base_url}/{endless}") as response:
            reads = response.aiter_raw()
            await anext(reads)
            async with asyncio.timeout(2):
                answer = await client.get(f"{server.base_url}/{quick}")
            assert stage.evidence(endless)[0].bytes_sent < 10_000  # it gave way after each read
        assert answer.content == b"".join(FRAMES)
