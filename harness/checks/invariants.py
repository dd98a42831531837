"""What an invariant is, and the invariants of a stream: what holds for every outcome.

No scenario has to write them. Each is a pure function of an outcome and of the protocol's finish
words, and returns what is wrong, or None.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

from harness.model import repair_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model import JSON, FinishReason, Outcome


Seen = TypeVar("Seen")
Violation = TypeVar("Violation")


@dataclass(frozen=True)
class Invariant(Generic[Seen, Violation]):
    """One statement that must hold whatever was sent.

    ``Seen`` is what it is evaluated on: an outcome, an aborted stream, a run. ``Violation`` is what
    its function returns when it does not hold; for most that is one sentence.

    Args:
        name: the word by which findings call it.
        sentence: the statement, one sentence without a full stop.
        sources: where it comes from: provider URLs, ids that docs/ explains (``CA-002``), or pages
            below docs/.
        violation: what was seen -> what is wrong, or None where the invariant holds.
    """

    name: str
    sentence: str
    sources: tuple[str, ...]
    violation: Callable[[Seen], Violation | None]


class OutcomeSeen(NamedTuple):
    """What an invariant of a stream is evaluated on.

    Args:
        outcome: what a target delivered.
        finish_reasons: the protocol's finish words, and the neutral reason each of them means.
    """

    outcome: Outcome
    finish_reasons: Mapping[str, FinishReason]


StreamInvariant: TypeAlias = Invariant[OutcomeSeen, str]

_TEXT_KINDS = ("text", "reasoning", "refusal")


def _chunk_sum(seen: OutcomeSeen) -> str | None:
    outcome = seen.outcome
    in_order = sorted(outcome.chunks, key=lambda chunk: chunk.part or 0)
    for kind in _TEXT_KINDS:
        emitted = repair_surrogates(
            "".join(chunk.text or "" for chunk in in_order if chunk.kind == kind)
        )
        kept = repair_surrogates(str(getattr(outcome, kind)))
        if emitted != kept:
            return f"{kind} chunks add up to {emitted!r:.120}, the content is {kept!r:.120}"
    return None


def _argument_sum(seen: OutcomeSeen) -> str | None:
    outcome = seen.outcome
    emitted: dict[int | None, str] = {}
    for chunk in outcome.chunks:
        if chunk.kind in {"tool_call", "approval_request"}:
            emitted[chunk.index] = emitted.get(chunk.index, "") + (chunk.arguments or "")
    for index, call in enumerate(outcome.tool_calls):
        streamed, kept = (
            repair_surrogates(emitted.get(index, "")),
            repair_surrogates(call.arguments_raw),
        )
        if index in emitted and streamed != kept:
            return (
                f"call {index}: chunks add up to {streamed!r:.120}, arguments_raw is {kept!r:.120}"
            )
    lost = [index for index in emitted if index is not None and index >= len(outcome.tool_calls)]
    return f"call {lost[0]} was emitted, but is not in the content" if lost else None


def _one_stop_reason(seen: OutcomeSeen) -> str | None:
    outcome = seen.outcome
    kinds = [chunk.kind for chunk in outcome.chunks]
    count = kinds.count("stop_reason")
    if not kinds or outcome.ending == "cancelled":
        return None
    if count != 1:
        return f"{count} stop_reason chunks"
    after = [kind for kind in kinds[kinds.index("stop_reason") + 1 :] if kind != "usage"]
    if after:
        return f"{after[0]} follows the stop_reason chunk"
    stop = next(chunk for chunk in outcome.chunks if chunk.kind == "stop_reason")
    if stop.finish != outcome.finish:
        return f"finish is {stop.finish} in the stop_reason chunk, {outcome.finish} in the outcome"
    return None


def _inert(seen: OutcomeSeen) -> str | None:
    outcome = seen.outcome
    for call in outcome.tool_calls:
        if not call.complete and call.arguments is not None:
            return f"call {call.name!r} is incomplete and has parsed arguments"
        if call.complete and (not call.name or call.arguments is None):
            return f"call {call.name!r} is complete without name or arguments"
        if call.complete and call.arguments != _parsed(call.arguments_raw):
            return f"call {call.name!r}: arguments differ from arguments_raw"
    return None


def _parsed(raw: str) -> JSON:
    """Return what a target should have parsed; None where the text is not JSON."""
    try:
        return json.loads(raw.strip() or "{}")
    except (ValueError, RecursionError):
        return None


def _usage(seen: OutcomeSeen) -> str | None:
    outcome = seen.outcome
    if outcome.usage is None:
        return None
    counts = outcome.usage.model_dump()
    negative = next((name for name, count in counts.items() if (count or 0) < 0), None)
    return f"{negative} is negative" if negative else None


# A terminal event with length, filter or pause makes the ending `incomplete`
# (docs/decisions/0004-finish-and-ending.md).
_NOT_COMPLETE = frozenset({"error", "length", "content_filter", "pause", "cancelled"})


def _ending(seen: OutcomeSeen) -> str | None:
    outcome = seen.outcome
    finish, ending, error = outcome.finish, outcome.ending, outcome.error
    wrong = {
        "complete": error is not None or finish in _NOT_COMPLETE,
        "incomplete": finish in {"stop", "tool_calls", "cancelled"},
        "failed": error is None or finish in {"stop", "tool_calls"},
        "truncated": finish in {"stop", "tool_calls"},
        "cancelled": finish != "cancelled",
    }
    if wrong.get(ending, False):
        return f"ending {ending}, finish {finish}, error {error and error.kind}"
    return None


def _unknown(seen: OutcomeSeen) -> str | None:
    outcome, raw = seen.outcome, seen.outcome.finish_raw
    if raw and raw not in seen.finish_reasons and outcome.finish in {"stop", "tool_calls"}:
        return f"finish_raw {raw!r} is in no table, but finish is {outcome.finish}"
    return None


INVARIANTS: tuple[StreamInvariant, ...] = (
    Invariant(
        "chunk_sum",
        "chunks of text, reasoning and refusal add up to the content",
        ("IV-001", "TR-022"),
        _chunk_sum,
    ),
    Invariant(
        "argument_sum",
        "argument chunks of each call add up to its arguments_raw",
        ("IV-001",),
        _argument_sum,
    ),
    Invariant(
        "one_stop_reason",
        "an outcome has exactly one stop_reason chunk, and only usage follows it",
        ("IV-006",),
        _one_stop_reason,
    ),
    Invariant(
        "inert_call",
        "an incomplete call carries nothing that could be executed",
        ("IV-009", "TR-013", "OR-005"),
        _inert,
    ),
    Invariant("usage_counts", "no token count is negative", ("IV-010",), _usage),
    Invariant(
        "ending_agrees",
        "ending, finish and error are consistent",
        ("IV-002", "OR-002", "TR-011"),
        _ending,
    ),
    Invariant(
        "unknown_is_not_success",
        "a finish word that is in no table never becomes success",
        ("IV-011", "OC-023"),
        _unknown,
    ),
)


def evaluate_invariants(
    outcome: Outcome, finish_reasons: Mapping[str, FinishReason]
) -> Iterator[tuple[StreamInvariant, str | None]]:
    """Yield every invariant with what is wrong, or None where it holds.

    Args:
        outcome: what was delivered.
        finish_reasons: the protocol's finish words and what they mean.
    """
    seen = OutcomeSeen(outcome, finish_reasons)
    for invariant in INVARIANTS:
        yield invariant, invariant.violation(seen)
