"""Cassettes of vcrpy and pytest-recording: the same YAML as ours, taken over as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassettes.reading import load

if TYPE_CHECKING:
    from harness.cassettes.cassette import Cassette
    from harness.cassettes.importing.source import Source


def takes(source: Source) -> bool:
    """Say whether a file is YAML that may be a cassette."""
    return source.path.suffix in {".yaml", ".yml"} and b"interactions" in source.body


def read(source: Source) -> Cassette:
    """Read every exchange of a cassette, those that do not stream too."""
    cassette = load(source.path)
    if not cassette.interactions:
        raise source.refusal("the cassette holds no exchange")
    return cassette
