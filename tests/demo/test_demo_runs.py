"""Runs of the demonstration: streamed, cancelled, aborted and refused."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import openai
import pytest

from harness.demo.models import DEMO_TEXT
from harness.demo.page import COMMANDS
from harness.demo.responses import json_response
from harness.protocols import NAMES
from tests.demo.response_events import body, events_of, eventually, labels, new_id, text_of

if TYPE_CHECKING:
    import httpx2

    from benchmarks.load import Demo

SILENT = "anthropic_messages/cancellation/silent_provider"
SLOW = "demo/anthropic_messages"
COMPLETE = ["message", "stop_reason", "usage", "done"]


def run_events(client: httpx2.Client, target: str) -> list[Any]:
    with client.stream("POST", target) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events_of(response))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_streamed_stored_and_traced(client: httpx2.Client, name: str) -> None:
    run_id = new_id()
    events = run_events(client, f"/v1/runs?model=demo/{name}&run_id={run_id}")
    assert labels(events) == COMPLETE
    assert text_of(events) == DEMO_TEXT
    run = client.get(f"/v1/runs/{run_id}").json()
    assert (run["status"], run["stop_reason"]) == ("completed", "end_turn")

    def trace() -> Any:
        return client.get(f"/v1/runs/{run_id}/trace").json()

    eventually(lambda: "outcome" in trace())
    assert trace()["protocol"] == name
    assert trace()["outcome"]["ending"] == "complete"


def test_the_next_model_is_called_after_a_tool_call(client: httpx2.Client) -> None:
    events = run_events(
        client, "/v1/runs?model=openai_chat/baseline/tools&model=demo/gemini_generate"
    )
    assert body(events, "usage")["step_count"] == 2
    assert body(events, "stop_reason")["stop_reason"] == "end_turn"
    assert text_of(events) == DEMO_TEXT


def test_a_cancelled_run_ends_once_and_reports_its_usage(client: httpx2.Client) -> None:
    run_id, events = new_id(), []
    with client.stream("POST", f"/v1/runs?model={SILENT}&run_id={run_id}") as response:
        assert response.headers["x-run-id"] == run_id
        for event in events_of(response):
            events.append(event)
            if len(events) == 1:
                assert client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
    assert labels(events) == COMPLETE
    assert body(events, "stop_reason")["stop_reason"] == "cancelled"
    usage = body(events, "usage")
    assert usage["partial"]
    assert usage["prompt_tokens"]
    second = client.post(f"/v1/runs/{run_id}/cancel")
    assert (second.status_code, second.json()["status"]) == (200, "cancelled")


@pytest.mark.parametrize("model", [SILENT, SLOW])
def test_a_client_that_disconnects_ends_its_run(
    client: httpx2.Client, demo: Demo, model: str
) -> None:
    run_id = new_id()
    with socket.create_connection(("127.0.0.1", demo.port), timeout=20) as connection:
        target = f"/v1/runs?model={model}&run_id={run_id}&pace=2"
        connection.sendall(f"POST {target} HTTP/1.1\r\nhost: here\r\n\r\n".encode())
        assert b"200 OK" in connection.recv(100)
    eventually(lambda: bool(client.get(f"/v1/runs/{run_id}").json()["finished_at"]))
    run = client.get(f"/v1/runs/{run_id}").json()
    assert run["status"] == "cancelled"
    assert run["finished_at"] - run["created_at"] < 2  # long before the provider's next event


# Refused


def test_a_conversation_has_one_run_at_a_time(client: httpx2.Client) -> None:
    target, run_id = f"/v1/runs?conversation={new_id()}&model={SILENT}", new_id()
    with client.stream("POST", f"{target}&run_id={run_id}") as response:
        refused = client.post(target)
        client.post(f"/v1/runs/{run_id}/cancel")
        response.read()
    assert refused.status_code == 409
    assert refused.json()["error"]["type"] == "conversation_busy"
    assert labels(run_events(client, target.replace(SILENT, "demo/openai_chat"))) == COMPLETE


def test_a_conversation_that_waits_for_approval_is_refused(
    client: httpx2.Client,
) -> None:
    conversation = new_id()
    target = f"/v1/runs?conversation={conversation}&model=openai_chat/baseline/tools"
    events = run_events(client, f"{target}&approve=get_weather")
    types = {event.body["message_type"] for event in events if isinstance(event.body, dict)}
    assert "approval_request_message" in types
    assert body(events, "stop_reason")["stop_reason"] == "requires_approval"
    refused = client.post(target)
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "pending_approval")
    assert client.post(f"/v1/conversations/{conversation}/approval").json()["waited"]
    assert labels(run_events(client, target)) == COMPLETE


@pytest.mark.parametrize(
    ("method", "target", "status", "message"),
    [
        ("POST", "/v1/runs?pace=fast", 400, "pace=fast must be a number from 0 to 10"),
        ("POST", "/v1/runs?run_id=a%0d%0ab", 400, "must be 1 to 64 letters"),
        ("POST", "/v1/runs?pace=nan", 400, "pace=nan must be a number"),
        ("POST", "/v1/runs?model=demo/opnai_chat", 404, "did you mean 'demo/openai_chat'?"),
        ("POST", "/v1/runs/none/cancel", 404, "there is no run 'none'"),
        ("GET", "/v1/runs/none", 404, "there is no run 'none'"),
        ("GET", "/v1/runs/none/trace", 404, "no trace of step 1 of run 'none'"),
        ("POST", "/v1/chat/completions", 400, "the body is not valid JSON"),
    ],
)
def test_an_invalid_request_gets_its_status_and_message(
    client: httpx2.Client, method: str, target: str, status: int, message: str
) -> None:
    response = client.request(method, target)
    assert response.status_code == status
    assert message in response.json()["error"]["message"]


def test_an_id_can_be_used_once(client: httpx2.Client) -> None:
    run_id = new_id()
    run_events(client, f"/v1/runs?run_id={run_id}")
    second = client.post(f"/v1/runs?run_id={run_id}")
    assert second.status_code == 409
    assert "already" in second.json()["error"]["message"]


def test_half_a_surrogate_pair_can_be_returned() -> None:
    """A trace of a delta that was cut within a surrogate pair cannot be encoded in UTF-8."""
    assert json.loads(bytes(json_response({"text": "\ud83d"}).body)) == {"text": "\ud83d"}


# OpenAI's own SDK


def test_openais_sdk_reads_it(client: httpx2.Client, demo: Demo) -> None:
    assert client
    with openai.OpenAI(base_url=f"{demo.url}/v1", api_key="k", max_retries=0) as sdk:
        chunks = list(
            sdk.chat.completions.create(
                model=SLOW, messages=[], stream=True, stream_options={"include_usage": True}
            )
        )
        deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
        assert "".join(delta.content or "" for delta in deltas) == DEMO_TEXT
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == len(DEMO_TEXT.split())
        tools = sdk.chat.completions.create(
            model="anthropic_messages/baseline/tools", messages=[], stream=True
        )
        finishes = [choice.finish_reason for chunk in tools for choice in chunk.choices]
        assert finishes[-1] == "tool_calls"
        with pytest.raises(openai.NotFoundError, match="did you mean"):
            sdk.chat.completions.create(model="demo/opnai_chat", messages=[], stream=True)
        with pytest.raises(openai.BadRequestError, match="only streaming is supported"):
            sdk.chat.completions.create(model=SLOW, messages=[])
        assert {SLOW, SILENT} <= {model.id for model in sdk.models.list()}


# The front page


def test_every_command_of_the_page_works(demo: Demo, redis_client: httpx2.Client) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    assert COMMANDS.format(url=demo.url) in redis_client.get("/").text
    lines = COMMANDS.format(url=demo.url).replace("pace=0.5", "pace=0.01").replace("=0.1", "=0")
    pasted = lines.replace("curl ", "curl -sS ") + "\nwait\n"
    shell = subprocess.run(  # noqa: S603 - our own commands
        [str(shutil.which("sh")), "-e", "-c", pasted],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert shell.stderr == ""
    for wrong in ("Not Found", "Method Not Allowed", "bad_request", "internal_error"):
        assert wrong not in shell.stdout
    assert shell.stdout.count("data: [DONE]") == 7


def test_every_scenario_is_a_model(client: httpx2.Client) -> None:
    known = {entry["id"] for entry in client.get("/v1/models").json()["data"]}
    demo_names = [f"demo/{name}" for name in NAMES]
    assert known.issuperset(itertools.chain(demo_names, [SILENT, "openai_chat/baseline/tools"]))
