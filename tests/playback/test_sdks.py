"""The SDKs of today through both speakers: same events, same errors, same evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest
from google.genai import errors as genai_errors

from harness.wire.script import Script
from tests.playback.sdks import ROWS, WORDS, Row

if TYPE_CHECKING:
    from harness.wire.script import ResponseEnd
    from tests.playback.conftest import Road

PLANS = ("whole", "event", "byte", "awkward", "offset:9", "random:1", "random:2")
JSON = (("content-type", "application/json"),)

each_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
one_a_protocol = pytest.mark.parametrize("row", ROWS[:4], ids=[row.name for row in ROWS[:4]])


def handle(row: Row, road: Road, key: str, events: list[Any]) -> None:
    with road.client() as client:
        for event in row.listen(f"{road.url}/{key}", client):
            events.append(event)  # noqa: PERF402 - what came before an error must be kept


async def ahear(row: Row, road: Road, key: str, events: list[Any]) -> None:
    async with road.aclient() as client:
        async for event in row.alisten(f"{road.url}/{key}", client):
            events.append(event)  # noqa: PERF401 - as above


async def hear_all_ways(row: Row, roads: tuple[Road, ...], script: Script) -> list[list[Any]]:
    heard: list[list[Any]] = []
    for road in roads:
        key = road.stage.put(script)
        heard += [[], []]
        handle(row, road, key, heard[-2])
        await ahear(row, road, key, heard[-1])
    return heard


@each_row
async def test_both_speakers_deliver_the_same_events_for_every_cut(
    row: Row, socket_road: Road, memory_road: Road
) -> None:
    roads = (socket_road, memory_road)
    heard: list[list[Any]] = []
    for plan in PLANS:
        heard += await hear_all_ways(row, roads, Script(row.frames, cut=plan))
    first = heard[0]
    assert len(first) == row.events
    assert all(json.dumps(word) in json.dumps(first) for word in WORDS)
    assert all(events == first for events in heard)


@each_row
def test_evidence_tells_what_the_sdk_asked(row: Row, road: Road) -> None:
    key = road.stage.put(Script(row.frames), f"scenario/{row.name}")
    handle(row, road, key, [])
    (evidence,) = road.stage.evidence(key)
    assert (evidence.method, evidence.path) == ("POST", row.path)
    assert '"hi"' in evidence.body.decode()
    assert "user-agent" in dict(evidence.headers)
    assert evidence.bytes_sent == sum(map(len, row.frames))
    assert evidence.closed_by is None


# The classes each SDK documents for a status; google-genai has one for 4xx and one for 5xx.
STATUSES = [
    (ROWS[0], 401, openai.AuthenticationError),
    (ROWS[0], 429, openai.RateLimitError),
    (ROWS[0], 500, openai.InternalServerError),
    (ROWS[1], 503, openai.InternalServerError),
    (ROWS[2], 401, anthropic.AuthenticationError),
    (ROWS[2], 429, anthropic.RateLimitError),
    (ROWS[2], 500, anthropic.InternalServerError),
    (ROWS[2], 529, anthropic.InternalServerError),
    (ROWS[3], 401, genai_errors.ClientError),
    (ROWS[3], 429, genai_errors.ClientError),
    (ROWS[3], 503, genai_errors.ServerError),
]


@pytest.mark.parametrize(
    ("row", "status", "kind"), STATUSES, ids=[f"{row.name}-{status}" for row, status, _ in STATUSES]
)
async def test_an_error_status_raises_the_class_of_the_sdk(
    row: Row, status: int, kind: type[Exception], road: Road
) -> None:
    body = {"error": {"code": status, "type": "t", "status": "S", "message": "scripted words"}}
    script = Script((json.dumps(body).encode(),), status=status, headers=JSON)
    key = road.stage.put(script)
    with pytest.raises(kind, match="scripted words"):
        handle(row, road, key, [])
    with pytest.raises(kind, match="scripted words"):
        await ahear(row, road, key, [])


# What an SDK makes of a lost connection (FACTS, "ReadError / timeout mid-stream").
LOST = {
    "openai_chat": (openai.APIConnectionError, openai.APITimeoutError),
    "openai_responses": (openai.APIConnectionError, openai.APITimeoutError),
    "anthropic_messages": (httpx2.ReadError, httpx2.ReadTimeout),
    "gemini_v1": (httpx2.ReadError, httpx2.ReadTimeout),
}


@one_a_protocol
@pytest.mark.parametrize("cut", ["event", "awkward"])
async def test_a_reset_raises_the_same_class_after_the_same_events(
    row: Row, cut: str, road: Road
) -> None:
    key = road.stage.put(Script(row.frames[:-1], cut=cut, end="reset"))
    heard: list[Any] = []
    aheard: list[Any] = []
    with pytest.raises(LOST[row.name][0]) as raised:
        handle(row, road, key, heard)
    with pytest.raises(LOST[row.name][0]) as araised:
        await ahear(row, road, key, aheard)
    # All but the last event came; the chat's last frame, [DONE], is none.
    assert heard == aheard
    assert len(heard) == row.events - (row.name != "openai_chat")
    assert {type(raised.value), type(araised.value)} == {LOST[row.name][0]}
    assert {evidence.closed_by for evidence in road.stage.evidence(key)} == {"server"}


@pytest.mark.parametrize("end", ["stall", "clean"])
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_silence_beyond_the_read_timeout_is_a_timeout(
    kind: str, end: ResponseEnd, road: Road
) -> None:
    """The pace of a script that ends cleanly is as long a silence as the stall of the other."""
    row = {"openai": ROWS[0], "anthropic": ROWS[2]}[kind]
    frames = row.frames[:1] if end == "stall" else row.frames
    key = road.stage.put(Script(frames, end=end, pace=9.0))
    patience = httpx2.Timeout(5.0, read=0.05)
    sdk: Any = {"openai": openai.OpenAI, "anthropic": anthropic.Anthropic}[kind]
    with road.client() as client:
        speaker = sdk(
            api_key="k",
            base_url=f"{road.url}/{key}",
            max_retries=0,
            timeout=patience,
            http_client=client,
        )
        asked: dict[str, Any] = {"model": "m", "messages": [], "stream": True, "max_tokens": 9}
        ask = speaker.chat.completions if kind == "openai" else speaker.messages
        stream = ask.create(**asked)
        assert next(stream)
        with pytest.raises(LOST[row.name][1]):
            next(stream)


async def test_two_streams_of_an_sdk_share_one_connection(socket_road: Road) -> None:
    key = socket_road.stage.put(Script(ROWS[0].frames))
    async with socket_road.aclient() as client:
        for _ in range(2):
            events = [e async for e in ROWS[0].alisten(f"{socket_road.url}/{key}", client)]
            assert len(events) == ROWS[0].events
        transport: Any = client._transport
        (connection,) = transport._pool.connections
        assert "Request Count: 2" in connection.info()
