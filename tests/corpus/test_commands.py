"""The whole corpus through the commands: every recording has an outcome."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from harness.cli import main
from harness.playback.recordings import Recording, recordings
from harness.protocols import protocol
from tests.corpus.location import CORPUS, needs_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

pytestmark = needs_corpus

PROVIDERS = frozenset({"openai", "azure", "anthropic", "google", "vertex"})
RECORDINGS = 1620  # of the four protocols, 22 of them inside Bedrock's frames; 141 are of others

# Recordings labelled `exact` with a provider's name that were not sent by that provider.
MISLABELLED = {
    "anth.anthropic.anthropic-sdk.incomplete-partial-json-response.0.b03cab33": "an SDK's fixture",
    "chat.openai.llm.test-tools-streaming-test-tools-streaming-variant-a.0.2efb30c4": "OpenRouter",
    "chat.openai.llm.test-tools-streaming-test-tools-streaming-variant-a.1.b40e92dd": "OpenRouter",
    "chat.openai.llm.test-tools-streaming-test-tools-streaming-variant-d.1.4bbf52c7": "OpenRouter",
    "gem.vertex.vertexai-sdk-t.vertexai-streaming-failure-invalid-json.0.cb2eeb49": "cut by hand",
    "gem.vertex.vertexai-sdk-t.vertexai-streaming-failure-empty-content.0.a53aad85": "cut by hand",
    "gem.vertex.vertexai-sdk-t.vertexai-streaming-success-quotes-escaped.0.0700f3b0": "cut by hand",
}


def providers_own() -> Iterator[Recording]:
    for found in recordings([CORPUS]):
        if not isinstance(found, Recording) or found.status >= 300:
            continue
        if found.fidelity == "exact" and found.provider in PROVIDERS:
            yield found


def test_streams_sent_by_providers_are_legal() -> None:
    illegal = {}
    checked = 0
    for found in providers_own():
        checked += 1
        violations = protocol(found.protocol).violations(found.events())
        sentences = [v.sentence for v in violations if v.severity == "violation"]
        if sentences and found.name not in MISLABELLED:
            illegal[found.name] = sentences
    assert checked > 600
    assert illegal == {}


def test_the_exceptions_are_still_exceptions() -> None:
    legal = [
        found.name
        for found in providers_own()
        if found.name in MISLABELLED
        and not any(
            v.severity == "violation" for v in protocol(found.protocol).violations(found.events())
        )
    ]
    assert legal == []


def test_every_recording_has_an_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(CORPUS), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == RECORDINGS
    assert all(set(line) == {"name", "outcome"} for line in lines)
    endings = Counter(line["outcome"]["ending"] for line in lines)
    assert endings["complete"] > 1200
    assert all(line["outcome"]["error"] for line in lines if line["outcome"]["ending"] == "failed")
