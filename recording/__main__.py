"""Makes the recordings of real engines in cassettes/ again: ``python -m recording [WORD…]``.

Every story is told by the real SDK, through the recorder, to an engine of its own. With words, only
the stories whose names begin with one of them; without, those of the engines that are light.

Rule of this file: a cassette is replaced whole, when its story was told to its end; what the
recorder cannot know (the engine's version, its licence) is added, the engine's port, which is
another each time, is written as one, and what a gateway tells of its own affairs is left out.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.cassettes import load, save
from harness.cassettes.cassette import Cassette, Provenance
from harness.cassettes.recorder.session import Recording
from recording.ask import ask
from recording.engines import BUILD, HERE, KINDS, Kind
from recording.exchanges import Story, stories
from recording.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.cassettes.cassette import Interaction, Response

CASSETTES = HERE.parent / "cassettes"
_ENGINE = "engine"  # its name for the recorder
_AUTHORITY = "127.0.0.1:8080"
_TELLINGS = 20  # at most, until the end of a body was seen
_GATEWAY = ("x-litellm-", "llm_provider-")  # headers of who was asked behind it, and what it cost


def main(words: Sequence[str]) -> int:
    """Record the stories whose names begin with one of the words; see above."""
    chosen = [one for one in stories() if _asked(one, words)]
    missing = [name for name in {one.engine: None for one in chosen} if not KINDS[name].installed]
    for turn in _turns(one for one in chosen if one.engine not in missing):
        kind = KINDS[turn[0].engine]
        with running(kind) as engine:
            for story in turn:
                response = record(story, kind, engine)
                _say(f"{story.name}: {len(response.body)} bytes, {response.stream.end}")
    for name in missing:
        _say(f'{name} is not installed; run `make record ENGINES="{name}"`')
    return 1 if missing or not chosen else 0


def _asked(story: Story, words: Sequence[str]) -> bool:
    return story.name.startswith(tuple(words)) if words else not KINDS[story.engine].heavy


def _turns(chosen: Iterable[Story]) -> Iterator[list[Story]]:
    """Yield the stories that one process tells: one, or all where they share it."""
    for engine, told in groupby(chosen, key=lambda story: story.engine):
        if KINDS[engine].shared:
            yield [*told]
        else:
            yield from ([story] for story in told)


def record(story: Story, kind: Kind, engine: Running) -> Response:
    """Record one story, and return what was recorded.

    An SDK hangs up at the terminal, and the end of the body may not have come by then: only luck
    tells the two apart, so a story that is to be read to its end is told until it was.

    Raises:
        RuntimeError: it never was.
    """
    for _ in range(_TELLINGS):
        interaction = _recorded(story, kind, engine)
        stream = interaction.response.stream
        if stream.end != "client_closed" or story.plot.leaves_after is not None:
            save(Cassette((_told(interaction, kind),)), CASSETTES / f"{story.name}.yaml")
            return interaction.response
    raise RuntimeError(f"{story.name}: its end was not seen in {_TELLINGS} tellings")


def _recorded(story: Story, kind: Kind, engine: Running) -> Interaction:
    passing = BUILD / "recording.yaml"
    upstream = [f"{_ENGINE}={engine.url}"]
    with Recording(passing, "rewrite", upstream=upstream, command=kind.made_by) as recorder:
        ask(story, kind, recorder.base_url(_ENGINE), engine.pid)
    [interaction] = load(passing).interactions
    passing.unlink()
    return interaction


def _told(interaction: Interaction, kind: Kind) -> Interaction:
    request, response = interaction.request, interaction.response
    recorded = response.stream.provenance
    provenance = Provenance(
        what=kind.name,
        version=kind.version,
        recorded=None if recorded is None else recorded.recorded,
        licence=kind.licence,
        command=kind.made_by,
    )
    uri = urlsplit(request.uri)._replace(netloc=_AUTHORITY).geturl()
    stream = replace(response.stream, provenance=provenance)
    headers = tuple(one for one in response.headers if not one[0].lower().startswith(_GATEWAY))
    return replace(
        interaction,
        request=replace(request, uri=uri),
        response=replace(response, headers=headers, stream=stream),
    )


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
