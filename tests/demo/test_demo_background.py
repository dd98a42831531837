"""Runs of the demonstration that go on without a client, followed from any frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from harness.demo.api import application
from harness.demo.models import STORY
from harness.demo.stack import Settings, opened
from harness.scenarios import scenario_root
from harness.streaming.serving.client_events import ClientEvent
from tests.demo.reading import body, eventually, frames_of, labels, new_id, words

if TYPE_CHECKING:
    from tests.streaming.databases.servers import Postgres

SILENT = "openai_responses/cancellation/silent_provider"


def started(client: httpx2.Client, query: str = "") -> str:
    run_id = new_id()
    answer = client.post(f"/v1/runs?background=true&run_id={run_id}{query}")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/runs/{run_id}/stream"
    return run_id


def followed(client: httpx2.Client, run_id: str, after: int = 0) -> list[ClientEvent]:
    with client.stream("GET", f"/v1/runs/{run_id}/stream?after={after}") as response:
        assert response.status_code == 200
        return list(frames_of(response))


def test_it_is_followed_now_and_later_and_from_any_frame(kept: httpx2.Client) -> None:
    run_id = started(kept, "&pace=0.005")
    whole = followed(kept, run_id)
    assert labels(whole) == ["message", "stop_reason", "usage", "done"]
    assert words(whole) == STORY
    for after in (0, 1, 17, len(whole) - 1, len(whole)):
        assert followed(kept, run_id, after) == whole[after:]


def test_a_reader_that_comes_back_misses_nothing(kept: httpx2.Client) -> None:
    run_id, seen = started(kept, "&pace=0.005"), list[ClientEvent]()
    for _ in range(3):
        with kept.stream("GET", f"/v1/runs/{run_id}/stream?after={len(seen)}") as response:
            frames = frames_of(response)
            seen += [next(frames) for _ in range(5)]
    seen += followed(kept, run_id, len(seen))
    assert words(seen) == STORY
    assert [frame.seq_id for frame in seen[:-1]] == list(range(1, len(seen)))


def test_it_outlives_those_who_follow_it_and_ends_when_it_is_cancelled(
    kept: httpx2.Client,
) -> None:
    run_id = started(kept, f"&model={SILENT}")
    with kept.stream("GET", f"/v1/runs/{run_id}/stream") as response:
        next(frames_of(response))
    assert kept.get(f"/v1/runs/{run_id}").json()["status"] == "running"
    assert kept.post(f"/v1/runs/{run_id}/cancel").status_code == 202
    frames = followed(kept, run_id)
    assert labels(frames)[:2] == ["message", "stop_reason"]
    assert body(frames, "stop_reason")["stop_reason"] == "cancelled"
    eventually(lambda: kept.get(f"/v1/runs/{run_id}").json()["status"] == "cancelled")


def test_a_run_with_a_client_of_its_own_can_be_followed_too(kept: httpx2.Client) -> None:
    run_id = new_id()
    with kept.stream("POST", f"/v1/runs?run_id={run_id}") as response:
        own = list(frames_of(response))
    assert followed(kept, run_id, 20) == own[20:]


@pytest.mark.parametrize(
    ("target", "status", "kind"),
    [
        ("/v1/runs/none/stream", 404, "run_unknown"),
        ("/v1/runs/r/stream?after=-1", 400, "bad_request"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    kept: httpx2.Client, target: str, status: int, kind: str
) -> None:
    answer = kept.get(target)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)


@pytest.mark.parametrize("redis", [None, "redis://127.0.0.1:1/0"], ids=["unnamed", "away"])
async def test_without_redis_only_what_needs_it_is_refused(redis: str | None) -> None:
    memory = "sqlite:///:memory:"
    settings = Settings(scenario_root(), memory, memory, memory, redis, keepalive_s=10.0)
    async with opened(settings) as stack:
        transport = httpx2.ASGITransport(application(stack))
        async with httpx2.AsyncClient(transport=transport, base_url="http://demo") as client:
            for asked in (
                client.post("/v1/runs?background=true"),
                client.get("/v1/runs/r/stream"),
            ):
                answer = await asked
                assert answer.status_code == 503
                error = answer.json()["error"]
                assert error["type"] == "redis_away"
                assert "`redis-server --port " in error["message"]
            answer = await client.post("/v1/runs")
            assert answer.status_code == 200
            assert answer.text.endswith("data: [DONE]\n\n")


async def test_runs_locks_and_traces_may_stand_in_postgresql(postgres: Postgres) -> None:
    dsn = postgres.dsn()
    async with opened(Settings(scenario_root(), dsn, dsn, dsn, None, keepalive_s=10.0)) as stack:
        transport = httpx2.ASGITransport(application(stack))
        async with httpx2.AsyncClient(transport=transport, base_url="http://demo") as client:
            await client.post("/v1/runs?run_id=r&conversation=c")
            assert (await client.get("/v1/runs/r")).json()["stop_reason"] == "end_turn"
            await stack.agent.aclose()  # waits for the traces, for whom no run does
            assert (await client.get("/v1/runs/r/trace")).json()["run_id"] == "r"
