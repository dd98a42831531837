"""Every recording of the corpus becomes a cassette; what is spoken nowhere here is still kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes import Scrubber, load, save
from harness.cassettes.cassette import Cassette
from harness.cassettes.importing.files import Imported, SkippedFile, import_files
from harness.engine.replayer import Replayer
from harness.playback.recordings import Recording, exchanges
from harness.protocols import protocol
from harness.targets.base import Call

if TYPE_CHECKING:
    from harness.cassettes.cassette import Interaction

CORPUS = Path(__file__).parent.parent.parent.parent / "shared" / "corpus"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the corpus of recordings is not here ({CORPUS})"
)
RECORDINGS = 1761


def test_the_whole_corpus_is_imported_byte_for_byte() -> None:
    counts: Counter[str] = Counter()
    for found in import_files([CORPUS]):
        if isinstance(found, SkippedFile):
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
        [found] = import_files([path])
        assert isinstance(found, Imported)
        save(found.cassette, tmp_path / "a.yaml")
        assert load(tmp_path / "a.yaml") == found.cassette


def test_scrubbing_changes_only_what_looks_like_a_secret_and_no_outcome() -> None:
    """Looked at one by one: a password in arguments, a masked address, code like `the@a.tool`."""
    kinds: Counter[str] = Counter()
    with Replayer(20, in_memory=True) as player:
        for found in import_files([CORPUS]):
            if not isinstance(found, Imported):
                continue
            [told] = found.cassette.interactions
            scrubber = Scrubber(())
            bare = replace(told, response=scrubber.response(told.response))
            kinds.update(scrubber.found.keys())
            if bare != told:
                assert shape(player, bare, found) == shape(player, told, found)
    assert kinds == {"value of a name, in quotes": 17, "e-mail address": 2}


def shape(player: Replayer, told: Interaction, found: Imported) -> Any:
    """Return an outcome with nothing but the length of its texts, masks being as long as they."""
    [one] = exchanges(Cassette((told,)), found.path)
    assert isinstance(one, Recording)
    ask = Call(one.protocol, request=protocol(one.protocol).request)
    outcome = player.replay("builtin", ask, one.script()).outcome
    return outcome.ending, outcome.finish, sizes(outcome.model_dump(mode="json"))


def sizes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sizes(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(sizes, value))
    return len(value) if isinstance(value, str) else value
