"""Background runs of the demonstration, followed from any event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.demo.api import application
from harness.demo.models import DEMO_TEXT
from harness.demo.stack import Settings, opened
from harness.scenarios import scenario_root
from harness.streaming.serving.client_events import ClientEvent
from tests.demo.response_events import body, events_of, eventually, labels, new_id, text_of

if TYPE_CHECKING:
    from tests.streaming.databases.servers import Postgres

SILENT = "openai_responses/cancellation/silent_provider"


def start(client: httpx2.Client, query: str = "") -> str:
    run_id = new_id()
    response = client.post(f"/v1/runs?background=true&run_id={run_id}{query}")
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/runs/{run_id}/stream"
    return run_id


def follow(client: httpx2.Client, run_id: str, after: int = 0) -> list[ClientEvent]:
    with client.stream("GET", f"/v1/runs/{run_id}/stream?after={after}") as response:
        assert response.status_code == 200
        return list(events_of(response))


def test_a_run_is_followed_at_once_and_later_from_any_event(redis_client: httpx2.Client) -> None:
    run_id = start(redis_client, "&pace=0.005")
    all_events = follow(redis_client, run_id)
    assert labels(all_events) == ["message", "stop_reason", "usage", "done"]
    assert text_of(all_events) == DEMO_TEXT
    for after in (0, 1, 17, len(all_events) - 1, len(all_events)):
        assert follow(redis_client, run_id, after) == all_events[after:]


def test_a_reader_that_resumes_misses_nothing(redis_client: httpx2.Client) -> None:
    run_id, received = start(redis_client, "&pace=0.005"), list[ClientEvent]()
    for _ in range(3):
        with redis_client.stream(
            "GET", f"/v1/runs/{run_id}/stream?after={len(received)}"
        ) as response:
            events = events_of(response)
            received += [next(events) for _ in range(5)]
    received += follow(redis_client, run_id, len(received))
    assert text_of(received) == DEMO_TEXT
    assert [event.seq_id for event in received[:-1]] == list(range(1, len(received)))


def test_a_run_outlives_its_followers_and_ends_when_it_is_cancelled(
    redis_client: httpx2.Client,
) -> None:
    run_id = start(redis_client, f"&model={SILENT}")
    with redis_client.stream("GET", f"/v1/runs/{run_id}/stream") as response:
        next(events_of(response))
    assert redis_client.get(f"/v1/runs/{run_id}").json()["status"] == "running"
    assert redis_client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
    events = follow(redis_client, run_id)
    assert labels(events)[:2] == ["message", "stop_reason"]
    assert body(events, "stop_reason")["stop_reason"] == "cancelled"
    eventually(lambda: redis_client.get(f"/v1/runs/{run_id}").json()["status"] == "cancelled")


def test_a_run_with_a_client_can_be_followed(redis_client: httpx2.Client) -> None:
    run_id = new_id()
    with redis_client.stream("POST", f"/v1/runs?run_id={run_id}") as response:
        own = list(events_of(response))
    assert follow(redis_client, run_id, 20) == own[20:]


@pytest.mark.parametrize(
    ("target", "status", "kind"),
    [
        ("/v1/runs/none/stream", 404, "run_unknown"),
        ("/v1/runs/r/stream?after=-1", 400, "bad_request"),
    ],
)
def test_an_invalid_follow_request_is_refused(
    redis_client: httpx2.Client, target: str, status: int, kind: str
) -> None:
    response = redis_client.get(target)
    assert (response.status_code, response.json()["error"]["type"]) == (status, kind)


@pytest.mark.parametrize("redis", [None, "redis://127.0.0.1:1/0"], ids=["none", "unavailable"])
async def test_without_redis_runs_with_a_client_still_work(redis: str | None) -> None:
    memory = "sqlite:///:memory:"
    settings = Settings(scenario_root(), memory, memory, memory, redis, keepalive_s=10.0)
    async with opened(settings) as stack:
        transport = httpx2.ASGITransport(application(stack))
        async with httpx2.AsyncClient(transport=transport, base_url="http://demo") as client:
            for attempt in (
                client.post("/v1/runs?background=true"),
                client.get("/v1/runs/r/stream"),
            ):
                response = await attempt
                assert response.status_code == 503
                error = response.json()["error"]
                assert error["type"] == "redis_away"
                assert "`redis-server --port " in error["message"]
            response = await client.post("/v1/runs")
            assert response.status_code == 200
            assert response.text.endswith("data: [DONE]\n\n")


async def test_runs_locks_and_traces_can_be_stored_in_postgresql(postgres: Postgres) -> None:
    dsn = postgres.dsn()
    async with opened(Settings(scenario_root(), dsn, dsn, dsn, None, keepalive_s=10.0)) as stack:
        transport = httpx2.ASGITransport(application(stack))
        async with httpx2.AsyncClient(transport=transport, base_url="http://demo") as client:
            await client.post("/v1/runs?run_id=r&conversation=c")
            assert (await client.get("/v1/runs/r")).json()["stop_reason"] == "end_turn"
            await stack.agent.aclose()  # waits for the traces
            assert (await client.get("/v1/runs/r/trace")).json()["run_id"] == "r"
