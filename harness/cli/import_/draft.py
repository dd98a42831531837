"""The draft of a scenario: the stream of a recording, with its requirements still open.

Rule of this file: what our own interface delivered is written in comments only, because a draft
that is accepted unread would turn our behaviour into requirements.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from harness.protocols import protocol
from harness.protocols.bodies import frames_of
from harness.streaming.decoding import wire_events
from harness.streaming.interfaces import interface_for
from harness.streaming.tracing.scenario_draft import flow, suggested_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import Outcome
    from harness.playback.recordings import Recording

_OK = 200
_OPEN = "the requirements of this recording are not written yet"


def draft(recording: Recording, cassette: str) -> str:
    """Return the text of a scenario file.

    Args:
        recording: the exchange.
        cassette: its cassette's name below the folder of cassettes, with ``#N`` where it holds
            several exchanges.
    """
    return "".join(f"{line}\n" for line in _lines(recording, cassette))


def _lines(recording: Recording, cassette: str) -> Iterator[str]:
    provenance = recording.response.stream.provenance
    source = recording.name if provenance is None else provenance.what
    says = "No source yet: replace this with the provider's sentence that decides the case."
    yield "# Drafted by `harness import`. Read the recording, then write what must hold, and why."
    yield f"title: {flow(f'A recording: {source}')}  # name the case"
    yield f"protocol: {recording.protocol}"
    yield "origin: recorded"
    yield f"cassette: {flow(cassette)}"
    yield f"order: {_order(recording)}  # according to the grammar tables; confirm"
    yield f"spec: [{{url: {flow(f'urn:recording:{recording.name}')}, says: {flow(says)}}}]"
    yield f"why: {flow(f'Recorded, and not reviewed: {_OPEN}.')}  # explain what breaks"
    if recording.status == _OK:
        yield ""
        yield from _suggestions(recording)
    yield "must:"
    yield f"  ending: {{$open: {flow(_OPEN)}}}"


def _order(recording: Recording) -> str:
    if recording.status != _OK:
        return "open"
    violations = protocol(recording.protocol).violations(recording.events())
    illegal = any(v.event >= 0 and v.severity == "violation" for v in violations)
    return "illegal" if illegal else "legal"


def _suggestions(recording: Recording) -> Iterator[str]:
    """Yield what our interface delivered as comments, or that it failed."""
    try:
        suggested = suggested_requirements(_outcome(recording))
    except Exception as error:  # noqa: BLE001 - a recording may hold what no provider sends
        yield f"# Our interface fails on it: {type(error).__name__}."
        return
    yield "# SUGGESTIONS: what our interface delivered, which may be wrong."
    for key, value in suggested.items():
        yield f"#   {key}: {flow(value)}"


def _outcome(recording: Recording) -> Outcome:
    interface = interface_for(recording.protocol)()
    frames = frames_of(recording.body, recording.protocol)
    with suppress(Exception):  # the outcome says what went wrong
        for _ in interface.chunks_sync(wire_events(frames, recording.protocol)):
            pass
    return interface.outcome()
