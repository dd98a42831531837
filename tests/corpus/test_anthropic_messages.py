"""Every recorded Messages stream: legal where Anthropic spoke, and nothing lost in ours."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.checks.invariants import evaluate_invariants
from harness.playback.recordings import Recording, recordings
from harness.protocols.anthropic_messages.vocabulary import FINISH, SERVER_TOOLS
from tests.corpus.reading_anthropic_messages import Reading, read
from tests.streaming.interfaces.driving_anthropic_messages import (
    PROTOCOL,
    drive_async,
    drive_script,
)

if TYPE_CHECKING:
    from harness.model import Outcome

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
SPOKEN_BY_ANTHROPIC = {"anthropic", "vertex"}

# Not what the provider sends, although the recorder says so.
ILLEGAL = {
    "anth.anthropic.anthropic-sdk.incomplete-partial-json-response.0.b03cab33":
        "a fixture of the SDK's own tests, its block never stopped; in every recorded answer that "
        "met its limit the block is stopped",
    "anth.anthropic.ai.spliced-message-start.0.2ac79bd2":
        "made by hand: a second message begins inside the first",
    "anth.anthropic.rig.streaming-gateway-message-delta-metadata.0.f95fa102":
        "a gateway's stream, with OpenAI's sentinel at its end",
}  # fmt: skip
# What the SDK itself refuses or loses (the corpus' README, "SDK replay").
SDK_REFUSES = {
    "anth.anthropic.rig.streaming-gateway-message-delta-metadata.0.f95fa102":
        "the sentinel under an event name is no JSON",
}  # fmt: skip
KIND_OF = {400: {"bad_request", "context_overflow"}, 404: {"not_found"}}
OF_THEIR_OWN = {"text", "thinking", "redacted_thinking", "tool_use"}


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

needs_corpus = pytest.mark.skipif(not STREAMS, reason=f"the recordings are not at {CORPUS}")


@needs_corpus
@pytest.mark.parametrize("name", LEGAL)
def test_what_anthropic_sent_is_legal(name: str) -> None:
    """Of any fidelity: what recorders rewrote are ids and keys, never the order."""
    found = PROTOCOL.violations(_all()[name].events())
    assert [one.sentence for one in found if one.severity == "violation"] == []
    first = _all()[name].events()[0].data
    assert isinstance(first, dict)
    assert bool(found) == bool(first["message"]["stop_reason"]), "open, but for the known reason"


@needs_corpus
@pytest.mark.parametrize("name", sorted(ILLEGAL.keys() & set(STREAMS)))
def test_an_exemption_is_earned(name: str) -> None:
    severities = {one.severity for one in PROTOCOL.violations(_all()[name].events())}
    assert severities == {"violation"}
    assert _all()[name].fidelity != "exact" or _meta(name)["origin"] == "fixture"


@needs_corpus
def test_the_only_other_provider_passes_anthropics_stream_on() -> None:
    others = {one.provider for one in _all().values()} - SPOKEN_BY_ANTHROPIC
    assert others <= {"mirascope-router"}


def assert_complete(outcome: Outcome, said: Reading) -> None:
    """Hold an outcome against the reading: no word, argument, signature or count is lost."""
    assert outcome.text == said.joined("text", "text")
    assert outcome.reasoning == said.joined("thinking", "thinking")
    signatures = [getattr(part, "signature", None) for part in outcome.content]
    assert "".join(filter(None, signatures)) == said.joined("thinking", "signature")
    blobs = [part.data for part in outcome.content if part.kind == "redacted_reasoning"]
    assert blobs == [block["data"] for block in said.of("redacted_thinking")]
    cited = [c for part in outcome.content for c in getattr(part, "citations", None) or ()]
    assert len(cited) == len(said.citations)
    assert_calls(outcome, said)
    usage = outcome.usage.model_dump(exclude_none=True) if outcome.usage else {}
    counts = said.counts
    cache = [counts.get(f"cache_{way}_input_tokens") for way in ("read", "creation")]
    assert [usage.get("cached"), usage.get("cache_write")] == cache
    assert usage.get("input") == counts["input_tokens"] + sum(filter(None, cache))
    assert usage.get("output") == counts["output_tokens"]
    assert usage.get("reasoning") == counts.get("thinking_tokens")


def assert_calls(outcome: Outcome, said: Reading) -> None:
    calls, sent = outcome.tool_calls, said.of("tool_use")
    assert [(c.id, c.name) for c in calls] == [(b["id"], b["name"]) for b in sent]
    for call, block in zip(calls, sent, strict=True):
        raw = block.get("raw") or (json.dumps(block["input"]) if block["input"] else "")
        assert call.arguments_raw.replace(" ", "") == raw.replace(" ", "")
        if call.complete:
            assert call.arguments == json.loads(raw or "{}")
    served = [part for part in outcome.content if part.kind == "server_tool"]
    others = [block for block in said.blocks if block["type"] not in OF_THEIR_OWN]
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
    got = await drive_async(_all()[name].script("whole"))
    outcome, said = got.outcome, read(_all()[name].body)
    assert [law.name for law, wrong in evaluate_invariants(outcome, FINISH) if wrong] == []
    assert_complete(outcome, said)
    if name in SDK_REFUSES:
        assert outcome.error is not None
        assert outcome.error.kind == "protocol"
        return
    assert got.raised is None
    dropped = _all()[name].body.endswith((b"}", b"}\n"))  # by the SDK: no blank line closes it
    assert got.interface.diagnostics.received == said.events - dropped
    assert outcome.finish_raw == said.stop_reason
    assert outcome.ending in {"complete", "incomplete"}
    assert outcome.finish == FINISH[str(said.stop_reason)]


@needs_corpus
@pytest.mark.parametrize("name", CORE)
async def test_cuts_change_nothing(name: str) -> None:
    whole = await drive_async(_all()[name].script("whole"))
    awkward = await drive_async(_all()[name].script("awkward"))
    assert awkward.outcome == whole.outcome


@needs_corpus
@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_is_named(name: str) -> None:
    recording = _all()[name]
    outcome = drive_script(recording.script()).outcome
    assert (outcome.ending, outcome.finish) == ("failed", "error")
    assert outcome.error is not None
    assert outcome.error.kind in KIND_OF[recording.status]
