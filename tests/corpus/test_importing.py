"""Every recording of the corpus becomes a cassette; what is spoken nowhere here is still kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.cassettes import load, save
from harness.cassettes.importing.walking import Imported, PassedOver, importing
from harness.recordings import Recording, exchanges

CORPUS = Path(__file__).parent.parent.parent.parent / "shared" / "corpus"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the corpus of recordings is not here ({CORPUS})"
)
RECORDINGS = 1761


def test_the_whole_corpus_is_imported_byte_for_byte() -> None:
    counts: Counter[str] = Counter()
    for found in importing([CORPUS]):
        if isinstance(found, PassedOver):
            assert found.path.name == "index.json"
            continue
        assert isinstance(found, Imported), found
        [interaction] = found.cassette.interactions
        assert interaction.response.body == found.path.read_bytes()
        [told] = exchanges(found.cassette, found.path)
        counts[told.protocol if isinstance(told, Recording) else "unspoken"] += 1
        counts["all"] += 1
    assert counts["all"] == RECORDINGS
    assert counts["anthropic_messages"] > 338  # Bedrock's binary frames hold 22 more
    assert counts["unspoken"] < 160  # Converse, Ollama, Cohere and others, errors of theirs


def test_what_was_imported_is_written_and_read_again(tmp_path: Path) -> None:
    for path in sorted(CORPUS.glob("*.0.0*.sse")):
        [found] = importing([path])
        assert isinstance(found, Imported)
        save(found.cassette, tmp_path / "a.yaml")
        assert load(tmp_path / "a.yaml") == found.cassette
