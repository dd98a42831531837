"""Runs of the demonstration as a client meets them: streamed, cancelled, left, refused."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import openai
import pytest

from harness.demo.answers import answered
from harness.demo.models import STORY
from harness.demo.page import LINES
from harness.protocols import NAMES
from tests.demo.reading import body, eventually, frames_of, labels, new_id, words

if TYPE_CHECKING:
    import httpx2

    from benchmarks.load import Demo

SILENT = "anthropic_messages/cancellation/silent_provider"
SLOW = "demo/anthropic_messages"
WHOLE = ["message", "stop_reason", "usage", "done"]


def told(client: httpx2.Client, target: str) -> list[Any]:
    with client.stream("POST", target) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(frames_of(response))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_streamed_kept_and_traced(client: httpx2.Client, name: str) -> None:
    run_id = new_id()
    frames = told(client, f"/v1/runs?model=demo/{name}&run_id={run_id}")
    assert labels(frames) == WHOLE
    assert words(frames) == STORY
    run = client.get(f"/v1/runs/{run_id}").json()
    assert (run["status"], run["stop_reason"]) == ("completed", "end_turn")

    def trace() -> Any:
        return client.get(f"/v1/runs/{run_id}/trace").json()

    eventually(lambda: "outcome" in trace())
    assert trace()["protocol"] == name
    assert trace()["outcome"]["ending"] == "complete"


def test_a_step_whose_calls_are_done_is_followed_by_the_next_model(client: httpx2.Client) -> None:
    frames = told(client, "/v1/runs?model=openai_chat/baseline/tools&model=demo/gemini_generate")
    assert body(frames, "usage")["step_count"] == 2
    assert body(frames, "stop_reason")["stop_reason"] == "end_turn"
    assert words(frames) == STORY


def test_a_run_that_is_cancelled_ends_once_and_says_what_it_used(client: httpx2.Client) -> None:
    run_id, frames = new_id(), []
    with client.stream("POST", f"/v1/runs?model={SILENT}&run_id={run_id}") as response:
        assert response.headers["x-run-id"] == run_id
        for frame in frames_of(response):
            frames.append(frame)
            if len(frames) == 1:
                assert client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
    assert labels(frames) == WHOLE
    assert body(frames, "stop_reason")["stop_reason"] == "cancelled"
    usage = body(frames, "usage")
    assert usage["partial"]
    assert usage["prompt_tokens"]
    again = client.post(f"/v1/runs/{run_id}/cancel")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")


@pytest.mark.parametrize("model", [SILENT, SLOW])
def test_a_client_that_leaves_ends_its_run(client: httpx2.Client, demo: Demo, model: str) -> None:
    run_id = new_id()
    with socket.create_connection(("127.0.0.1", demo.port), timeout=20) as leaving:
        target = f"/v1/runs?model={model}&run_id={run_id}&pace=2"
        leaving.sendall(f"POST {target} HTTP/1.1\r\nhost: here\r\n\r\n".encode())
        assert b"200 OK" in leaving.recv(100)
    eventually(lambda: bool(client.get(f"/v1/runs/{run_id}").json()["finished_at"]))
    run = client.get(f"/v1/runs/{run_id}").json()
    assert run["status"] == "cancelled"
    assert run["finished_at"] - run["created_at"] < 2  # long before the provider's next word


# Refused


def test_a_conversation_has_one_run_at_a_time(client: httpx2.Client) -> None:
    target, run_id = f"/v1/runs?conversation={new_id()}&model={SILENT}", new_id()
    with client.stream("POST", f"{target}&run_id={run_id}") as response:
        refused = client.post(target)
        client.post(f"/v1/runs/{run_id}/cancel")
        response.read()
    assert refused.status_code == 409
    assert refused.json()["error"]["type"] == "conversation_busy"
    assert labels(told(client, target.replace(SILENT, "demo/openai_chat"))) == WHOLE


def test_a_conversation_whose_calls_wait_is_refused_until_they_are_answered(
    client: httpx2.Client,
) -> None:
    conversation = new_id()
    target = f"/v1/runs?conversation={conversation}&model=openai_chat/baseline/tools"
    frames = told(client, f"{target}&approve=get_weather")
    types = {frame.body["message_type"] for frame in frames if isinstance(frame.body, dict)}
    assert "approval_request_message" in types
    assert body(frames, "stop_reason")["stop_reason"] == "requires_approval"
    refused = client.post(target)
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "pending_approval")
    assert client.post(f"/v1/conversations/{conversation}/approval").json()["waited"]
    assert labels(told(client, target)) == WHOLE


@pytest.mark.parametrize(
    ("method", "target", "status", "words"),
    [
        ("POST", "/v1/runs?pace=fast", 400, "pace=fast is no number from 0 to 10"),
        ("POST", "/v1/runs?run_id=a%0d%0ab", 400, "an id is 1 to 64 of letters"),
        ("POST", "/v1/runs?pace=nan", 400, "pace=nan is no number"),
        ("POST", "/v1/runs?model=demo/opnai_chat", 404, "did you mean 'demo/openai_chat'?"),
        ("POST", "/v1/runs/none/cancel", 404, "there is no run 'none'"),
        ("GET", "/v1/runs/none", 404, "there is no run 'none'"),
        ("GET", "/v1/runs/none/trace", 404, "no trace of step 1 of run 'none'"),
        ("POST", "/v1/chat/completions", 400, "the body is no JSON"),
    ],
)
def test_what_is_wrong_is_said_with_a_status_of_its_own(
    client: httpx2.Client, method: str, target: str, status: int, words: str
) -> None:
    answer = client.request(method, target)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_an_id_is_given_once(client: httpx2.Client) -> None:
    run_id = new_id()
    told(client, f"/v1/runs?run_id={run_id}")
    again = client.post(f"/v1/runs?run_id={run_id}")
    assert again.status_code == 409
    assert "already" in again.json()["error"]["message"]


def test_half_a_character_can_be_answered() -> None:
    """A trace of a delta that was cut in a surrogate pair has no bytes in UTF-8."""
    assert json.loads(bytes(answered({"text": "\ud83d"}).body)) == {"text": "\ud83d"}


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
        assert "".join(delta.content or "" for delta in deltas) == STORY
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == len(STORY.split())
        tools = sdk.chat.completions.create(
            model="anthropic_messages/baseline/tools", messages=[], stream=True
        )
        finishes = [choice.finish_reason for chunk in tools for choice in chunk.choices]
        assert finishes[-1] == "tool_calls"
        with pytest.raises(openai.NotFoundError, match="did you mean"):
            sdk.chat.completions.create(model="demo/opnai_chat", messages=[], stream=True)
        with pytest.raises(openai.BadRequestError, match="only streams are spoken here"):
            sdk.chat.completions.create(model=SLOW, messages=[])
        assert {SLOW, SILENT} <= {model.id for model in sdk.models.list()}


# What a person pastes


def test_every_line_of_the_page_can_be_pasted(demo: Demo, kept: httpx2.Client) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    assert LINES.format(url=demo.url) in kept.get("/").text
    lines = LINES.format(url=demo.url).replace("pace=0.5", "pace=0.01").replace("=0.1", "=0")
    pasted = lines.replace("curl ", "curl -sS ") + "\nwait\n"
    shell = subprocess.run(  # noqa: S603 - our own lines
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


def test_every_scenario_can_be_asked_for(client: httpx2.Client) -> None:
    known = {entry["id"] for entry in client.get("/v1/models").json()["data"]}
    stories = [f"demo/{name}" for name in NAMES]
    assert known.issuperset(itertools.chain(stories, [SILENT, "openai_chat/baseline/tools"]))
