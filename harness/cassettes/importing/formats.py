"""The forms of recordings that are read, as a table: who takes a file, and who reads it.

The first that takes a file reads it. Rule of this file: taking looks at the content wherever the
name says nothing, and never raises but for a file that cannot be read at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.importing import bodies, corpus, fixtures, har, replay_files, spans, vcrpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.cassette import Cassette
    from harness.cassettes.importing.source import Source


class Format(NamedTuple):
    """One form: its name, whether it takes a file, and what reads it."""

    name: str
    takes: Callable[[Source], bool]
    read: Callable[[Source], Cassette]


def _json(takes: Callable[[Source], bool]) -> Callable[[Source], bool]:
    """Ask only of what begins as JSON."""
    return lambda source: source.body.lstrip()[:1] in {b"{", b"["} and takes(source)


FORMATS = (
    Format("vcrpy cassette", vcrpy.takes, vcrpy.read),
    Format("body with its story", corpus.takes, corpus.read),
    Format("AWS event stream", bodies.is_binary, bodies.read_binary),
    Format("event stream", bodies.is_events, bodies.read_events),
    Format("OpenTelemetry spans", _json(spans.takes), spans.read),
    Format("JSON lines", bodies.is_lines, bodies.read_lines),
    Format("HTTP archive", _json(har.takes), har.read),
    Format("google-genai replay", _json(replay_files.takes), replay_files.read),
    Format("aimock fixtures", _json(fixtures.takes), fixtures.read),
    Format("JSON array", bodies.is_array, bodies.read_array),
)


def form_of(source: Source) -> Format | None:
    """Return the form a file has, None where it is in none that is read here.

    Raises:
        InputError: it cannot be read at all, or breaks off.
    """
    return next((form for form in FORMATS if form.takes(source)), None)
