"""Makes the recordings of real engines in cassettes/ again: ``python -m recording [WORD…]``.

Every story is told by the real SDK, through the recorder, to an engine of its own. With words, only
the stories whose names hold one of them.

Rule of this file: a cassette is replaced whole, when its story was told to its end; what the
recorder cannot know (the engine's version, its licence) is added, and the engine's port, which is
another each time, is written as one.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.cassettes import load, save
from harness.cassettes.cassette import Cassette, Provenance
from harness.cassettes.recorder.session import Recording
from recording.ask import ask
from recording.engines import BUILD, HERE, KINDS, Kind, running
from recording.stories import Story, stories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cassettes.cassette import Interaction

CASSETTES = HERE.parent / "cassettes"
COMMAND = "make record"
_ENGINE = "engine"  # its name for the recorder
_AUTHORITY = "127.0.0.1:8080"


def main(words: Sequence[str]) -> int:
    """Record the stories whose names hold one of the words, all of them where there is none."""
    chosen = [one for one in stories() if not words or any(word in one.name for word in words)]
    missing = {one.engine for one in chosen if not KINDS[one.engine].installed}
    for story in chosen:
        if story.engine not in missing:
            _say(f"{story.name}: {record(story)}")
    for name in sorted(missing):
        _say(f"{name} is not installed; its cassettes stay as they are")
    return 1 if "llamacpp" in missing or not chosen else 0


def record(story: Story) -> str:
    """Record one story, and return in words what was recorded."""
    kind = KINDS[story.engine]
    passing = BUILD / "recording.yaml"
    with running(kind) as engine:
        recorder = Recording(
            passing, "rewrite", upstream=[f"{_ENGINE}={engine.url}"], command=COMMAND
        )
        with recorder:
            read = ask(story, recorder.base_url(_ENGINE), engine.pid)
    [interaction] = load(passing).interactions
    save(Cassette((_told(interaction, kind),)), CASSETTES / f"{story.name}.yaml")
    passing.unlink()
    response = interaction.response
    return f"{read} events read, {len(response.body)} bytes, {response.stream.end}"


def _told(interaction: Interaction, kind: Kind) -> Interaction:
    request, response = interaction.request, interaction.response
    recorded = response.stream.provenance
    provenance = Provenance(
        what=kind.name,
        version=kind.version,
        recorded=None if recorded is None else recorded.recorded,
        licence=kind.licence,
        command=COMMAND,
    )
    uri = urlsplit(request.uri)._replace(netloc=_AUTHORITY).geturl()
    stream = replace(response.stream, provenance=provenance)
    return replace(
        interaction,
        request=replace(request, uri=uri),
        response=replace(response, stream=stream),
    )


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
