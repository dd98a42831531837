"""The supported formats of recordings, as a table: which files match, and what reads them.

The first format that matches a file reads it. Rule of this file: matching looks at the content
unless the name decides, and raises only for a file that cannot be read at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.importing import bodies, corpus, fixtures, har, replay_files, spans, vcrpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.cassette import Cassette
    from harness.cassettes.importing.source import Source


class Format(NamedTuple):
    """One format: its name, whether a file matches it, and what reads the file."""

    name: str
    matches: Callable[[Source], bool]
    read: Callable[[Source], Cassette]


def _json(matches: Callable[[Source], bool]) -> Callable[[Source], bool]:
    """Restrict a match to files that begin like JSON."""
    return lambda source: source.body.lstrip()[:1] in {b"{", b"["} and matches(source)


FORMATS = (
    Format("vcrpy cassette", vcrpy.matches, vcrpy.read),
    Format("body with metadata", corpus.matches, corpus.read),
    Format("AWS event stream", bodies.is_binary, bodies.read_binary),
    Format("event stream", bodies.is_events, bodies.read_events),
    Format("OpenTelemetry spans", _json(spans.matches), spans.read),
    Format("JSON lines", bodies.is_lines, bodies.read_lines),
    Format("HTTP archive", _json(har.matches), har.read),
    Format("google-genai replay", _json(replay_files.matches), replay_files.read),
    Format("aimock fixtures", _json(fixtures.matches), fixtures.read),
    Format("JSON array", bodies.is_array, bodies.read_array),
)


def format_of(source: Source) -> Format | None:
    """Return the format of a file, None if it is not recognised.

    Raises:
        InputError: the file cannot be read, or is truncated.
    """
    return next((kind for kind in FORMATS if kind.matches(source)), None)
