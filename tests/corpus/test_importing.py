"""Every recording of the corpus is imported as a cassette, of any protocol."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.cassettes import Scrubber, load, save
from harness.cassettes.cassette import Cassette
from harness.cassettes.importing.files import Imported, SkippedFile, import_files
from harness.engine.replayer import Replayer
from harness.playback.recordings import Recording, exchanges
from harness.protocols import protocol
from harness.targets.base import Call
from tests.corpus.location import CORPUS, needs_corpus

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cassettes.cassette import Interaction

pytestmark = needs_corpus
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
        [exchange] = exchanges(found.cassette, found.path)
        counts[exchange.protocol if isinstance(exchange, Recording) else "unsupported"] += 1
        counts["all"] += 1
    assert counts["all"] == RECORDINGS
    assert counts["anthropic_messages"] > 338  # 22 more are in Bedrock's binary frames
    assert counts["unsupported"] < 160  # Converse, Ollama, Cohere and others, and their errors


def test_imported_cassettes_are_saved_and_loaded(tmp_path: Path) -> None:
    for path in sorted(CORPUS.glob("*.0.0*.sse")):
        [found] = import_files([path])
        assert isinstance(found, Imported)
        save(found.cassette, tmp_path / "a.yaml")
        assert load(tmp_path / "a.yaml") == found.cassette


def test_scrubbing_changes_no_outcome() -> None:
    """The findings were reviewed: a password in arguments, an e-mail address, `the@a.tool`."""
    kinds: Counter[str] = Counter()
    with Replayer(20, in_memory=True) as replayer:
        for found in import_files([CORPUS]):
            if not isinstance(found, Imported):
                continue
            [interaction] = found.cassette.interactions
            scrubber = Scrubber(())
            scrubbed = replace(interaction, response=scrubber.response(interaction.response))
            kinds.update(scrubber.found.keys())
            if scrubbed != interaction:
                assert masked_outcome(replayer, scrubbed, found) == masked_outcome(
                    replayer, interaction, found
                )
    assert kinds == {"value of a name, in quotes": 17, "e-mail address": 2}


def masked_outcome(replayer: Replayer, interaction: Interaction, found: Imported) -> Any:
    """Return an outcome with the length of each text in place of the text; masks keep lengths."""
    [one] = exchanges(Cassette((interaction,)), found.path)
    assert isinstance(one, Recording)
    ask = Call(one.protocol, request=protocol(one.protocol).request)
    outcome = replayer.replay("builtin", ask, one.script()).outcome
    return outcome.ending, outcome.finish, sizes(outcome.model_dump(mode="json"))


def sizes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sizes(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(sizes, value))
    return len(value) if isinstance(value, str) else value
