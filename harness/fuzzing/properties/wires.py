"""Laws of the wire: what leaves a stream's meaning alone leaves its outcome alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fuzzing.properties.property import Broken, Property, compare
from harness.generation.byte_source import ByteSource
from harness.generation.mutations.preserving import PRESERVING, preserving_in
from harness.generation.views import chunks, emitted, view

if TYPE_CHECKING:
    from harness.fuzzing.properties.property import Deliver
    from harness.generation.cases import Case
    from harness.model import JSON, Outcome

CUTS = "byte_cuts"


def _whole(outcome: Outcome) -> dict[str, JSON]:
    return {**view(outcome), "chunks": chunks(outcome)}


def _same(case: Case, tell: Deliver, change: str) -> Broken | None:
    script = PRESERVING[change](case, ByteSource(case.dice[1:]))
    expected, told = _whole(tell(case.script).outcome), tell(script)
    return compare(script, expected, told, _whole(told.outcome), change)


def _byte_cuts(case: Case, tell: Deliver) -> Broken | None:
    return _same(case, tell, CUTS)


def _noise(case: Case, tell: Deliver) -> Broken | None:
    names = [name for name in preserving_in(case.protocol_name) if name != CUTS]
    return _same(case, tell, ByteSource(case.dice).choose(names))


def _sync(case: Case, tell: Deliver) -> Broken | None:
    expected = _whole(tell(case.script).outcome)
    told = tell(case.script, twin="sync")
    found = compare(case.script, expected, told, _whole(told.outcome), "read synchronously")
    return found and Broken(**{**vars(found), "twin": "sync"})


_SPARE = 8  # chunks besides one or two an event: stop reason, usage, what waited for the end


def _bounded(case: Case, tell: Deliver) -> Broken | None:
    told = tell(case.script)
    if told.complaint:
        return Broken(case.script, why=told.complaint)
    bounds = {
        # Gemini's arguments come as objects and are spelled by the listener: a blank a comma more.
        "letters": 2 * len(case.script.body) + _SPARE,
        "chunks": _SPARE + 2 * len(case.script.frames) + len(told.outcome.content),
    }
    came = emitted(told.outcome)
    for name, bound in bounds.items():
        if came[name] > bound:
            expected: JSON = {"emitted": {name: {"$at_most": bound}}}
            actual: JSON = {"emitted": {name: came[name]}}
            return Broken(case.script, expected, actual, f"more {name} than came")
    return None


LAWS: tuple[Property, ...] = (
    Property(
        "byte_cuts",
        "where the byte stream is cut into reads changes nothing, not even a chunk",
        ("TR-001",),
        _byte_cuts,
    ),
    Property(
        "noise",
        "comments, pings, unknown events and fields, padding and line ends change nothing",
        ("TR-003", "TR-006", "AN-008", "OR-032"),
        _noise,
    ),
    Property(
        "sync_is_async",
        "the synchronous way delivers what the asynchronous one does",
        ("CA-025",),
        _sync,
        twin="sync",
    ),
    Property(
        "bounded",
        "what is emitted grows with what came, and every stream ends in time",
        ("TR-009",),
        _bounded,
    ),
)
