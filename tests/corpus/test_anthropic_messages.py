"""Every recorded Messages stream: legal if Anthropic sent it, and nothing lost by our interface."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from harness.checks.invariants import evaluate_invariants
from harness.playback.recordings import Recording, recordings
from harness.protocols.anthropic_messages.vocabulary import FINISH, SERVER_TOOLS
from tests.corpus.location import CORPUS, needs_corpus
from tests.corpus.reference_anthropic_messages import Reference, read
from tests.streaming.interfaces.driving_anthropic_messages import (
    PROTOCOL,
    drive_async,
    drive_script,
)

if TYPE_CHECKING:
    from harness.model import Outcome

ANTHROPIC_PROVIDERS = {"anthropic", "vertex"}

# Streams that the provider did not send, although their metadata names it.
ILLEGAL = {
    "anth.anthropic.anthropic-sdk.incomplete-partial-json-response.0.b03cab33":
        "a fixture of the SDK's own tests whose block never stops; in every recorded response that "
        "reached its limit the block is stopped",
    "anth.anthropic.ai.spliced-message-start.0.2ac79bd2":
        "made by hand: a second message begins inside the first",
    "anth.anthropic.rig.streaming-gateway-message-delta-metadata.0.f95fa102":
        "a gateway's stream, with OpenAI's sentinel at its end",
}  # fmt: skip
# Streams that the SDK itself refuses (README of the corpus, "SDK replay").
SDK_REFUSES = {
    "anth.anthropic.rig.streaming-gateway-message-delta-metadata.0.f95fa102":
        "the sentinel under an event name is not JSON",
}  # fmt: skip
KIND_OF = {400: {"bad_request", "context_overflow"}, 404: {"not_found"}}
CONTENT_BLOCKS = {"text", "thinking", "redacted_thinking", "tool_use"}


@cache
def _all() -> dict[str, Recording]:
    if not CORPUS.is_dir():
        return {}
    found = recordings(sorted(CORPUS.glob("anth.*.sse")))
    return {one.name: one for one in found if isinstance(one, Recording)}


def _meta(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_all()[name].path.with_suffix(".json").read_text())
    return found


STREAMS = [name for name, one in _all().items() if one.status == 200]
REFUSED = [name for name, one in _all().items() if one.status != 200]
CORE = [name for name in STREAMS if _meta(name)["core"]]
LEGAL = [name for name in STREAMS if name not in ILLEGAL]


@needs_corpus
@pytest.mark.parametrize("name", LEGAL)
def test_streams_of_anthropic_are_legal(name: str) -> None:
    """Of any fidelity: recorders rewrote ids and keys, but never the order."""
    found = PROTOCOL.violations(_all()[name].events())
    assert [one.sentence for one in found if one.severity == "violation"] == []
    first = _all()[name].events()[0].data
    assert isinstance(first, dict)
    assert bool(found) == bool(first["message"]["stop_reason"]), "open, but for the known reason"


@needs_corpus
@pytest.mark.parametrize("name", sorted(ILLEGAL.keys() & set(STREAMS)))
def test_an_exempted_stream_violates_the_grammar(name: str) -> None:
    severities = {one.severity for one in PROTOCOL.violations(_all()[name].events())}
    assert severities == {"violation"}
    assert _all()[name].fidelity != "exact" or _meta(name)["origin"] == "fixture"


@needs_corpus
def test_the_only_other_provider_forwards_streams_of_anthropic() -> None:
    others = {one.provider for one in _all().values()} - ANTHROPIC_PROVIDERS
    assert others <= {"mirascope-router"}


def assert_complete(outcome: Outcome, expected: Reference) -> None:
    """Compare an outcome with the reference: no text, argument, signature or count is lost."""
    assert outcome.text == expected.joined("text", "text")
    assert outcome.reasoning == expected.joined("thinking", "thinking")
    signatures = [getattr(part, "signature", None) for part in outcome.content]
    assert "".join(filter(None, signatures)) == expected.joined("thinking", "signature")
    blobs = [part.data for part in outcome.content if part.kind == "redacted_reasoning"]
    assert blobs == [block["data"] for block in expected.of("redacted_thinking")]
    cited = [c for part in outcome.content for c in getattr(part, "citations", None) or ()]
    assert len(cited) == len(expected.citations)
    assert_calls(outcome, expected)
    usage = outcome.usage.model_dump(exclude_none=True) if outcome.usage else {}
    counts = expected.counts
    cache = [counts.get(f"cache_{way}_input_tokens") for way in ("read", "creation")]
    assert [usage.get("cached"), usage.get("cache_write")] == cache
    assert usage.get("input") == counts["input_tokens"] + sum(filter(None, cache))
    assert usage.get("output") == counts["output_tokens"]
    assert usage.get("reasoning") == counts.get("thinking_tokens")


def assert_calls(outcome: Outcome, expected: Reference) -> None:
    calls, sent = outcome.tool_calls, expected.of("tool_use")
    assert [(c.id, c.name) for c in calls] == [(b["id"], b["name"]) for b in sent]
    for call, block in zip(calls, sent, strict=True):
        raw = block.get("raw") or (json.dumps(block["input"]) if block["input"] else "")
        assert call.arguments_raw.replace(" ", "") == raw.replace(" ", "")
        if call.complete:
            assert call.arguments == json.loads(raw or "{}")
    served = [part for part in outcome.content if part.kind == "server_tool"]
    others = [block for block in expected.blocks if block["type"] not in CONTENT_BLOCKS]
    assert len(served) == len(others)
    for part, block in zip(served, others, strict=True):
        if block["type"] in SERVER_TOOLS:
            assert (part.name, part.id) == (block["name"], block["id"])
            assert part.data == (json.loads(block["raw"]) if block.get("raw") else block["input"])
        else:
            assert part.name == block["type"]
            assert isinstance(part.data, dict)
            assert part.data["type"] == block["type"]


@needs_corpus
@pytest.mark.parametrize("name", STREAMS)
async def test_nothing_is_lost(name: str) -> None:
    run = await drive_async(_all()[name].script("whole"))
    outcome, expected = run.outcome, read(_all()[name].body)
    assert [
        invariant.name for invariant, violation in evaluate_invariants(outcome, FINISH) if violation
    ] == []
    assert_complete(outcome, expected)
    if name in SDK_REFUSES:
        assert outcome.error is not None
        assert outcome.error.kind == "protocol"
        return
    assert run.raised is None
    # The SDK drops a last event that is not closed by a blank line.
    dropped = _all()[name].body.endswith((b"}", b"}\n"))
    assert run.interface.diagnostics.received == expected.events - dropped
    assert outcome.finish_raw == expected.stop_reason
    assert outcome.ending in {"complete", "incomplete"}
    assert outcome.finish == FINISH[str(expected.stop_reason)]


@needs_corpus
@pytest.mark.parametrize("name", CORE)
async def test_cuts_do_not_change_the_outcome(name: str) -> None:
    whole = await drive_async(_all()[name].script("whole"))
    awkward = await drive_async(_all()[name].script("awkward"))
    assert awkward.outcome == whole.outcome


@needs_corpus
@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_has_an_error_of_its_kind(name: str) -> None:
    recording = _all()[name]
    outcome = drive_script(recording.script()).outcome
    assert (outcome.ending, outcome.finish) == ("failed", "error")
    assert outcome.error is not None
    assert outcome.error.kind in KIND_OF[recording.status]
