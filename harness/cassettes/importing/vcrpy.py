"""Cassettes of vcrpy and pytest-recording: the same YAML as ours, imported unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassettes.reading import load

if TYPE_CHECKING:
    from harness.cassettes.cassette import Cassette
    from harness.cassettes.importing.source import Source


def matches(source: Source) -> bool:
    """Return whether a file is YAML that may be a cassette."""
    return source.path.suffix in {".yaml", ".yml"} and b"interactions" in source.body


def read(source: Source) -> Cassette:
    """Read every exchange of a cassette, including those that are not streams."""
    cassette = load(source.path)
    if not cassette.interactions:
        raise source.error("the cassette contains no exchange")
    return cassette
