"""Properties of the wire: what preserves a stream's meaning preserves its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fuzzing.properties.comparison import compare, view_with_chunks
from harness.fuzzing.properties.property import Counterexample, Property
from harness.generation.byte_source import ByteSource
from harness.generation.mutations.preserving import PRESERVING, preserving_in

if TYPE_CHECKING:
    from harness.fuzzing.properties.property import Trial
    from harness.model import JSON

_CUTS = "byte_cuts"


def _same_outcome(trial: Trial, mutation: str) -> Counterexample | None:
    case, replay = trial
    script = PRESERVING[mutation](case, ByteSource(case.choices[1:]))
    wanted, result = view_with_chunks(replay(case.script).outcome), replay(script)
    actual = view_with_chunks(result.outcome)
    return compare(script, wanted, result, actual, f"{mutation} changed the outcome")


def _byte_cuts(trial: Trial) -> Counterexample | None:
    return _same_outcome(trial, _CUTS)


def _noise(trial: Trial) -> Counterexample | None:
    case = trial.case
    names = [name for name in preserving_in(case.protocol_name) if name != _CUTS]
    return _same_outcome(trial, ByteSource(case.choices).choose(names))


_SPARE = 8  # chunks that no event stands for: stop reason, usage, what was held until the end


def _bounded_output(trial: Trial) -> Counterexample | None:
    case, replay = trial
    result = replay(case.script)
    if result.problem:
        return Counterexample(case.script, why=result.problem)
    outcome = result.outcome
    chunks = outcome.chunks
    characters = sum(len(chunk.text or "") + len(chunk.arguments or "") for chunk in chunks)
    emitted = {
        # Gemini's arguments are objects and the target writes them: one more blank per comma.
        "letters": (characters, 2 * len(case.script.body) + _SPARE),
        "chunks": (len(chunks), _SPARE + 2 * len(case.script.frames) + len(outcome.content)),
    }
    for name, (count, bound) in emitted.items():
        if count > bound:
            wanted: JSON = {"emitted": {name: {"$at_most": bound}}}
            actual: JSON = {"emitted": {name: count}}
            return Counterexample(case.script, wanted, actual, f"more {name} than were sent")
    return None


PROPERTIES: tuple[Property, ...] = (
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
        "bounded_output",
        "the number of chunks and characters is bounded by what was sent, and every stream ends",
        ("TR-009",),
        _bounded_output,
    ),
)
