"""Every recorded Chat Completions stream: legal if OpenAI sent it, and nothing lost by ours."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import httpx2
import openai
import pytest

from harness.checks.invariants import evaluate_invariants
from harness.playback.recordings import Recording, recordings
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from harness.protocols import protocol
from harness.streaming.interfaces.openai_chat.interface import OpenAIChatInterface
from tests.corpus.location import CORPUS, needs_corpus
from tests.corpus.reference_openai_chat import read

PROTOCOL = protocol("openai_chat")
OPENAI_PROVIDERS = {"openai", "azure"}

# Labelled `openai` by their recorder, but each chunk names the provider that OpenRouter chose.
BY_OPENROUTER = {
    "chat.openai.llm.test-tools-streaming-test-tools-streaming-variant-a.0.2efb30c4",
    "chat.openai.llm.test-tools-streaming-test-tools-streaming-variant-a.1.b40e92dd",
    "chat.openai.llm.test-tools-streaming-test-tools-streaming-variant-d.0.3e16a7d9",
    "chat.openai.llm.test-tools-streaming-test-tools-streaming-variant-d.1.4bbf52c7",
}

KIND_OF = {
    400: {"bad_request", "context_overflow"},
    401: {"authentication"},
    404: {"not_found"},
    429: {"rate_limit"},
    500: {"server"},
}


@cache
def _all() -> dict[str, Recording]:
    if not CORPUS.is_dir():
        return {}
    found = recordings(sorted(CORPUS.glob("chat.*.sse")))
    return {one.name: one for one in found if isinstance(one, Recording)}


def _core() -> list[str]:
    metas = (json.loads(_all()[name].path.with_suffix(".json").read_text()) for name in _all())
    return [meta["name"] for meta in metas if meta["core"] and meta["status"] == 200]


STREAMS = [name for name, one in _all().items() if one.status == 200]
REFUSED = [name for name, one in _all().items() if one.status != 200]
LEGAL = [
    name
    for name in STREAMS
    if _all()[name].provider in OPENAI_PROVIDERS
    and _all()[name].fidelity == "exact"
    and name not in BY_OPENROUTER
]


async def _run(script: Any) -> OpenAIChatInterface:
    registry = ResponseRegistry()
    key = registry.register(script)
    interface = OpenAIChatInterface()
    async with httpx2.AsyncClient(transport=memory_transport(registry)) as http:
        client = openai.AsyncOpenAI(
            api_key="k", base_url=f"{MEMORY_URL}/{key}", max_retries=0, http_client=http
        )
        try:
            stream = await client.chat.completions.create(stream=True, **PROTOCOL.request)
        except openai.APIStatusError as error:
            interface.fail(error)
            return interface
        try:
            async for _ in interface.chunks(stream):
                pass
        except openai.APIError:
            assert interface.outcome().ending == "failed"
    return interface


@needs_corpus
@pytest.mark.parametrize("name", LEGAL, ids=str)
def test_streams_of_openai_and_azure_are_legal(name: str) -> None:
    violations = PROTOCOL.violations(_all()[name].events())
    assert [v.sentence for v in violations if v.severity == "violation"] == []


@needs_corpus
def test_the_exempted_recordings_are_of_openrouter() -> None:
    """Their chunks have a field of OpenRouter's own."""
    for name in BY_OPENROUTER & set(_all()):
        first = _all()[name].events()[0].data
        assert isinstance(first, dict)
        assert first["provider"] in {"Novita", "Moonshot AI", "Meta"}


def _check(name: str, interface: OpenAIChatInterface) -> None:
    expected, outcome = read(_all()[name].body), interface.outcome()
    assert outcome.text == expected.text
    assert outcome.reasoning == expected.reasoning
    assert outcome.refusal == expected.refusal
    calls = outcome.tool_calls
    assert [call.arguments_raw for call in calls] == [*expected.arguments.values()]
    assert [call.name for call in calls] == [*expected.names.values()]
    reported = outcome.usage.model_dump(exclude_none=True) if outcome.usage else {}
    assert {key: reported.get(key) for key in expected.usage} == expected.usage
    assert (outcome.ending == "failed") == expected.failed
    if not expected.failed:
        assert (outcome.ending == "truncated") == (not expected.finishes)
    assert [
        invariant.name
        for invariant, violation in evaluate_invariants(outcome, PROTOCOL.finish)
        if violation
    ] == []


@needs_corpus
@pytest.mark.parametrize("name", STREAMS, ids=str)
async def test_nothing_is_lost(name: str) -> None:
    _check(name, await _run(_all()[name].script("whole")))


@needs_corpus
@pytest.mark.parametrize("name", _core(), ids=str)
async def test_nothing_is_lost_under_other_cuts(name: str) -> None:
    _check(name, await _run(_all()[name].script("awkward")))


@needs_corpus
@pytest.mark.parametrize("name", REFUSED, ids=str)
async def test_a_refused_request_has_an_error_of_its_kind(name: str) -> None:
    recording = _all()[name]
    outcome = (await _run(recording.script())).outcome()
    assert outcome.ending == "failed"
    assert outcome.error is not None
    assert outcome.error.kind in KIND_OF[recording.status]
