"""Every recorded Responses stream: legal if the provider sent it, and nothing lost by ours."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from harness.checks.invariants import evaluate_invariants
from harness.playback.recordings import Recording, recordings
from harness.protocols.openai_responses.vocabulary import CLIENT_CALLS
from tests.corpus.location import CORPUS, needs_corpus
from tests.corpus.reference_openai_responses import ENDS, Reference, read
from tests.streaming.interfaces.driving_openai_responses import (
    PROTOCOL,
    drive_async,
    drive_script,
    script,
)

if TYPE_CHECKING:
    from harness.model import Outcome
    from harness.protocols.grammar import Violation

PROVIDERS = {"openai", "azure"}

# Transitions that the documentation does not specify, each seen in one recording.
OPEN = {
    "resp.openai.openai-dotnet.responsestests-canstreambackgroundresponses.2.b272b39d":
        "resumed with starting_after",
    "resp.openai.prism.openai-stream-unknown-error-responses-1.0.cef48b62":
        "response.failed follows an error event",
}  # fmt: skip
# Streams that the SDK itself refuses (README of the corpus, "SDK replay").
SDK_REFUSES = {
    "resp.openai.ai.parallel-tool-call-wrapper-1.0.79ee1bbf": "protocol",  # not JSON
    "resp.openai.prism.openai-stream-unknown-error-responses-1.0.cef48b62": "unknown",  # an error
}
# Fixtures from which deltas were removed by hand, so that they do not add up to their items.
THINNED = {"resp.openai.ai.openai-shell-container-1.0.e8295026"}
TYPED_CALLS = {name for name, _ in CLIENT_CALLS.values()}  # calls that have item types of their own
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
EXACT = [
    name
    for name in STREAMS
    if _all()[name].provider in PROVIDERS and _all()[name].fidelity == "exact"
]


@needs_corpus
@pytest.mark.parametrize("name", EXACT)
def test_streams_of_the_provider_are_legal(name: str) -> None:
    found: list[Violation] = PROTOCOL.violations(_all()[name].events())
    assert [one.sentence for one in found if one.severity == "violation"] == []
    assert bool(found) == (name in OPEN), found


@needs_corpus
@pytest.mark.parametrize("name", STREAMS)
async def test_nothing_is_lost(name: str) -> None:
    body = _all()[name].path.read_bytes()
    run = await drive_async(script([body], "whole"))
    assert_invariants_hold(run.outcome)
    if name in SDK_REFUSES:
        assert run.outcome.error is not None
        assert run.outcome.error.kind == SDK_REFUSES[name]
        return
    expected = read(body)
    assert run.raised is None
    assert run.interface.diagnostics.received == body.count(b"\ndata:") + body.startswith(
        b"data:"
    ) - body.count(b"data: [DONE]")
    assert_complete(run.outcome, expected, thinned=name in THINNED)
    assert run.outcome.ending in {"complete", "incomplete"}
    assert expected.last in ENDS


@needs_corpus
@pytest.mark.parametrize("name", CORE)
async def test_cuts_do_not_change_the_outcome(name: str) -> None:
    body = _all()[name].path.read_bytes()
    whole = await drive_async(script([body], "whole"))
    awkward = await drive_async(script([body], "awkward"))
    assert awkward.outcome == whole.outcome


@needs_corpus
@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_has_an_error_of_its_kind(name: str) -> None:
    recording = _all()[name]
    refusal = script([recording.path.read_bytes()])._replace(
        status=recording.status, headers=(("content-type", "application/json"),)
    )
    outcome = drive_script(refusal).outcome
    assert outcome.error is not None
    assert outcome.error.kind in KIND_OF[recording.status]
    assert (outcome.ending, outcome.finish) == ("failed", "error")


def assert_complete(outcome: Outcome, expected: Reference, *, thinned: bool) -> None:
    """Compare an outcome with the reference: no text, argument or count is lost."""
    if not thinned:
        assert outcome.text == expected.text
    assert outcome.refusal == expected.refusal
    assert all(text in outcome.reasoning for text in expected.reasoning)
    assert len(outcome.reasoning) - sum(map(len, expected.reasoning)) <= 2 * len(expected.reasoning)
    signatures = [getattr(part, "signature", None) for part in outcome.content]
    assert [signature for signature in signatures if signature] == expected.encrypted
    calls = [
        call for call in outcome.tool_calls if call.name not in TYPED_CALLS and not call.approval
    ]
    assert [(call.name, call.arguments_raw) for call in calls] == [c[:2] for c in expected.calls]
    for call, (_, _, status) in zip(calls, expected.calls, strict=True):
        assert not (call.complete and status == "incomplete")
    without_text = [part for part in outcome.content if part.kind in {"server_tool", "media"}]
    assert len(without_text) + len(outcome.tool_calls) - len(calls) == len(expected.others)
    usage = outcome.usage.model_dump() if outcome.usage else {}
    assert {key: usage.get(key) for key in expected.usage} == expected.usage


def assert_invariants_hold(outcome: Outcome) -> None:
    assert [text for _, text in evaluate_invariants(outcome, PROTOCOL.finish) if text] == []
