"""Every recorded Gemini stream: legal if Google sent it, and nothing lost by our interface."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from harness.errors import StreamError
from harness.protocols.events import events_of
from harness.streaming.decoding import wire_events
from harness.streaming.interfaces.gemini_generate.interface import GeminiGenerateInterface
from harness.wire.cut_plans import cut
from tests.corpus.location import CORPUS, needs_corpus
from tests.corpus.reference_gemini_generate import Reference, flat, read
from tests.streaming.interfaces.gemini_sdk import PROTOCOL, Body, Sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import Outcome

pytestmark = [
    needs_corpus,
    pytest.mark.filterwarnings("ignore:.* is not a valid:UserWarning"),  # fixtures with FAKE_ENUM
]

# Fixtures of Firebase's SDK tests that were truncated by hand; no server sends them.
CUT_BY_HAND = {
    "gem.vertex.vertexai-sdk-t.vertexai-streaming-failure-empty-content.0.a53aad85":
        "one response with an empty content",
    "gem.vertex.vertexai-sdk-t.vertexai-streaming-failure-invalid-json.0.cb2eeb49":
        "one object that is not a response",
    "gem.vertex.vertexai-sdk-t.vertexai-streaming-success-quotes-escaped.0.0700f3b0":
        "four texts without a finish reason",
}  # fmt: skip
# google-genai always asks for alt=sse and cannot read the JSON array sent to clients that do not.
SDK_REFUSES = "json-array"


class Recording(NamedTuple):
    """One recording of the corpus."""

    name: str
    metadata: dict[str, Any]

    @property
    def body(self) -> bytes:
        return (CORPUS / f"{self.name}.sse").read_bytes()

    @property
    def refused(self) -> bool:
        return bool(self.metadata["status"] >= 400)


def _recordings() -> Iterator[Recording]:
    for path in sorted(CORPUS.glob("gem.*.json")):
        metadata = json.loads(path.read_text())
        if metadata["protocol"] == "gemini-generate":
            yield Recording(path.stem, metadata)


ALL = list(_recordings())
STREAMS = [recording for recording in ALL if not recording.refused]
READABLE = [one for one in STREAMS if one.metadata["framing"] != SDK_REFUSES]


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk()


def test_the_corpus_is_complete() -> None:
    assert (len(ALL), len(STREAMS), len(READABLE)) == (241, 231, 224)


def test_recorded_streams_are_legal() -> None:
    found = {
        one.name: [v.sentence for v in violations]
        for one in ALL
        if one.metadata["provider"] in {"google", "vertex"}
        and (violations := [v for v in _violations(one) if v.severity == "violation"])
    }
    assert found.keys() == CUT_BY_HAND.keys(), found


def _violations(recording: Recording) -> Any:
    return PROTOCOL.violations(events_of([recording.body]))


async def test_nothing_is_lost_through_the_sdk(sdk: Sdk) -> None:
    for recording in READABLE:
        interface = GeminiGenerateInterface()
        raised = await sdk.read(Body([recording.body]), interface)
        assert raised is None, recording.name
        _assert_equal(recording, interface.outcome())


async def test_nothing_is_lost_under_other_cuts(sdk: Sdk) -> None:
    core = [recording for recording in READABLE if recording.metadata["core"]]
    assert core
    for recording in core:
        interface = GeminiGenerateInterface()
        await sdk.read(Body(cut([recording.body], "awkward")), interface)
        _assert_equal(recording, interface.outcome())


def test_nothing_is_lost_on_the_fast_path() -> None:
    for recording in STREAMS:
        interface = GeminiGenerateInterface()
        pieces = cut([recording.body], "random:3")
        list(interface.chunks_sync(wire_events(pieces, "gemini_generate")))
        _assert_equal(recording, interface.outcome())


async def test_the_fast_path_has_the_same_outcome_as_the_sdk(sdk: Sdk) -> None:
    for recording in READABLE:
        typed, light = GeminiGenerateInterface(), GeminiGenerateInterface()
        await sdk.read(Body([recording.body]), typed)
        list(light.chunks_sync(wire_events([recording.body], "gemini_generate")))
        assert _comparable(typed.outcome()) == _comparable(light.outcome()), recording.name


async def test_refused_requests_have_errors_of_their_kind(sdk: Sdk) -> None:
    kinds = {400: "bad_request", 403: "permission", 404: "not_found"}
    refused = [recording for recording in ALL if recording.refused]
    assert refused
    for recording in refused:
        status = recording.metadata["status"]
        sdk.transport.respond_with(Body([recording.body]), status, "application/json")
        raised = await sdk.finish(GeminiGenerateInterface())
        assert isinstance(raised, Exception), recording.name
        interface = GeminiGenerateInterface()
        interface.fail(raised)
        error = interface.outcome().error
        assert error is not None
        assert (error.kind, error.retryable) == (kinds[status], False), recording.name
        with pytest.raises(StreamError):
            list(interface.chunks_sync(wire_events([recording.body], "gemini_generate")))


def _comparable(outcome: Outcome) -> Outcome:
    """Remove what the SDK itself changes: the base64 alphabet, and Vertex's citations."""
    content = tuple(
        part.model_copy(update={"signature": _bytes(getattr(part, "signature", None))})
        if part.kind not in {"redacted_reasoning", "refusal"}
        else part
        for part in outcome.content
    )
    plain = tuple(
        part.model_copy(update={"citations": None}) if part.kind == "text" else part
        for part in content
    )
    return outcome.model_copy(update={"content": plain})


def _bytes(signature: str | None) -> bytes | None:
    return None if signature is None else b64decode(signature, altchars=b"-_")


def _assert_equal(recording: Recording, outcome: Outcome) -> None:
    """Compare an outcome with the reference of the same body."""
    expected = read(recording.body)
    assert outcome.text == expected.text, recording.name
    assert outcome.reasoning == expected.thoughts, recording.name
    _assert_calls(recording, expected, outcome)
    others = [part for part in outcome.content if part.kind in {"server_tool", "media"}]
    assert len(others) == len(expected.others), recording.name
    signed = [part for part in outcome.content if getattr(part, "signature", None)]
    assert len(signed) == len(expected.signatures), recording.name
    assert (outcome.ending != "truncated") == expected.finished, recording.name
    _assert_usage(recording, expected.counts, outcome)


def _assert_calls(recording: Recording, expected: Reference, outcome: Outcome) -> None:
    assert len(outcome.tool_calls) == len(expected.calls), recording.name
    for made, (name, arguments) in zip(outcome.tool_calls, expected.calls, strict=True):
        assert (made.name, made.complete) == (name, True), recording.name
        streamed = any(path.startswith("$") for path in arguments)
        assert (flat(made.arguments) if streamed else made.arguments) == arguments, recording.name
        assert made.id, recording.name


def _assert_usage(recording: Recording, counts: dict[str, int], outcome: Outcome) -> None:
    usage = outcome.usage
    if usage is None:
        assert "totalTokenCount" not in counts, recording.name
        return
    prompt, tools = counts["promptTokenCount"], counts.get("toolUsePromptTokenCount", 0)
    assert usage.input == prompt + tools, recording.name
    parts = [counts.get(name) for name in ("candidatesTokenCount", "thoughtsTokenCount")]
    reported = [count for count in parts if count is not None]
    assert usage.output == (sum(reported) if reported else None), recording.name
    assert usage.reasoning == counts.get("thoughtsTokenCount"), recording.name
    assert usage.cached == counts.get("cachedContentTokenCount"), recording.name
    assert usage.total == counts.get("totalTokenCount", usage.total), recording.name
