"""Every recorded Responses stream: legal where the provider spoke, and nothing lost in ours."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.checks.invariants import evaluate_invariants
from harness.playback.recordings import Recording, recordings
from harness.protocols.openai_responses.vocabulary import CLIENT_CALLS
from tests.corpus.reading_openai_responses import ENDS, Reading, read
from tests.streaming.interfaces.driving_openai_responses import (
    PROTOCOL,
    drive_async,
    drive_script,
    script,
)

if TYPE_CHECKING:
    from harness.model import Outcome
    from harness.protocols.grammar import Violation

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
PROVIDERS = {"openai", "azure"}

# Moves on which the documents are silent, each seen in one recording.
OPEN = {
    "resp.openai.openai-dotnet.responsestests-canstreambackgroundresponses.2.b272b39d":
        "resumed with starting_after",
    "resp.openai.prism.openai-stream-unknown-error-responses-1.0.cef48b62":
        "response.failed follows an error event",
}  # fmt: skip
# What the SDK itself refuses (the corpus' README, "SDK replay").
SDK_REFUSES = {
    "resp.openai.ai.parallel-tool-call-wrapper-1.0.79ee1bbf": "protocol",  # no JSON
    "resp.openai.prism.openai-stream-unknown-error-responses-1.0.cef48b62": "unknown",  # an error
}
# Fixtures whose deltas were thinned out by hand, so that they no longer add up to their items.
THINNED = {"resp.openai.ai.openai-shell-container-1.0.e8295026"}
TYPED = {name for name, _ in CLIENT_CALLS.values()}  # calls that are items of their own types
KIND_OF = {400: {"bad_request", "context_overflow", "not_found"}, 401: {"authentication"}}


@cache
def _all() -> dict[str, Recording]:
    if not CORPUS.is_dir():
        return {}
    found = recordings(sorted(CORPUS.glob("resp.*.sse")))
    return {one.name: one for one in found if isinstance(one, Recording)}


def _meta(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_all()[name].path.with_suffix(".json").read_text())
    return found


STREAMS = [name for name, one in _all().items() if one.status == 200]
REFUSED = [name for name, one in _all().items() if one.status != 200]
CORE = [name for name in STREAMS if _meta(name)["core"]]
OURS = [
    name
    for name in STREAMS
    if _all()[name].provider in PROVIDERS and _all()[name].fidelity == "exact"
]

needs_corpus = pytest.mark.skipif(not STREAMS, reason=f"the recordings are not at {CORPUS}")


@needs_corpus
@pytest.mark.parametrize("name", OURS)
def test_what_the_provider_sent_is_legal(name: str) -> None:
    found: list[Violation] = PROTOCOL.violations(_all()[name].events())
    assert [one.sentence for one in found if one.severity == "violation"] == []
    assert bool(found) == (name in OPEN), found


@needs_corpus
@pytest.mark.parametrize("name", STREAMS)
async def test_nothing_is_lost(name: str) -> None:
    body = _all()[name].path.read_bytes()
    got = await drive_async(script([body], "whole"))
    assert_lawful(got.outcome)
    if name in SDK_REFUSES:
        assert got.outcome.error is not None
        assert got.outcome.error.kind == SDK_REFUSES[name]
        return
    reading = read(body)
    assert got.raised is None
    assert got.interface.diagnostics.received == body.count(b"\ndata:") + body.startswith(
        b"data:"
    ) - body.count(b"data: [DONE]")
    assert_complete(got.outcome, reading, thinned=name in THINNED)
    assert got.outcome.ending in {"complete", "incomplete"}
    assert reading.last in ENDS


@needs_corpus
@pytest.mark.parametrize("name", CORE)
async def test_cuts_change_nothing(name: str) -> None:
    body = _all()[name].path.read_bytes()
    whole = await drive_async(script([body], "whole"))
    awkward = await drive_async(script([body], "awkward"))
    assert awkward.outcome == whole.outcome


@needs_corpus
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_an_error_of_its_kind(name: str) -> None:
    recording = _all()[name]
    spoken = script([recording.path.read_bytes()])._replace(
        status=recording.status, headers=(("content-type", "application/json"),)
    )
    outcome = drive_script(spoken).outcome
    assert outcome.error is not None
    assert outcome.error.kind in KIND_OF[recording.status]
    assert (outcome.ending, outcome.finish) == ("failed", "error")


def assert_complete(outcome: Outcome, reading: Reading, *, thinned: bool) -> None:
    """Hold an outcome against the reading: no text, argument or count is lost."""
    if not thinned:
        assert outcome.text == reading.text
    assert outcome.refusal == reading.refusal
    assert all(words in outcome.reasoning for words in reading.reasoning)
    assert len(outcome.reasoning) - sum(map(len, reading.reasoning)) <= 2 * len(reading.reasoning)
    signatures = [getattr(part, "signature", None) for part in outcome.content]
    assert [signature for signature in signatures if signature] == reading.encrypted
    calls = [call for call in outcome.tool_calls if call.name not in TYPED and not call.approval]
    assert [(call.name, call.arguments_raw) for call in calls] == [c[:2] for c in reading.calls]
    for call, (_, _, status) in zip(calls, reading.calls, strict=True):
        assert not (call.complete and status == "incomplete")
    wordless = [part for part in outcome.content if part.kind in {"server_tool", "media"}]
    assert len(wordless) + len(outcome.tool_calls) - len(calls) == len(reading.others)
    usage = outcome.usage.model_dump() if outcome.usage else {}
    assert {key: usage.get(key) for key in reading.usage} == reading.usage


def assert_lawful(outcome: Outcome) -> None:
    assert [words for _, words in evaluate_invariants(outcome, PROTOCOL.finish) if words] == []
