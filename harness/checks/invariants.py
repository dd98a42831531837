"""Laws that hold for every stream, whatever was sent: no scenario has to write them.

Each is a pure function of an outcome that returns what is wrong, or None. Sources: DESIGN section 1
(the words), STREAMING section 5.2 (the invariants), the catalogue's invariants.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model import repair_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model import JSON, FinishReason, Outcome


@dataclass(frozen=True)
class Invariant:
    """One law over every outcome.

    Args:
        name: how findings call it.
        says: the law, one sentence.
        broken: outcome, the protocol's finish words -> what is wrong, or None.
    """

    name: str
    says: str
    broken: Callable[[Outcome, Mapping[str, FinishReason]], str | None]


_PROSE = ("text", "reasoning", "refusal")


def _chunk_sum(outcome: Outcome, _: Mapping[str, FinishReason]) -> str | None:
    in_order = sorted(outcome.chunks, key=lambda chunk: chunk.part or 0)
    for kind in _PROSE:
        shown = repair_surrogates(
            "".join(chunk.text or "" for chunk in in_order if chunk.kind == kind)
        )
        kept = repair_surrogates(str(getattr(outcome, kind)))
        if shown != kept:
            return f"{kind} chunks sum up to {shown!r:.120}, content holds {kept!r:.120}"
    return None


def _argument_sum(outcome: Outcome, _: Mapping[str, FinishReason]) -> str | None:
    shown: dict[int | None, str] = {}
    for chunk in outcome.chunks:
        if chunk.kind in {"tool_call", "approval_request"}:
            shown[chunk.index] = shown.get(chunk.index, "") + (chunk.arguments or "")
    for index, call in enumerate(outcome.tool_calls):
        streamed, kept = (
            repair_surrogates(shown.get(index, "")),
            repair_surrogates(call.arguments_raw),
        )
        if index in shown and streamed != kept:
            return f"call {index}: chunks sum up to {streamed!r:.120}, kept {kept!r:.120}"
    lost = [index for index in shown if index is not None and index >= len(outcome.tool_calls)]
    return f"call {lost[0]} was shown, but is not in the content" if lost else None


def _one_stop_reason(outcome: Outcome, _: Mapping[str, FinishReason]) -> str | None:
    kinds = [chunk.kind for chunk in outcome.chunks]
    count = kinds.count("stop_reason")
    if not kinds or outcome.ending == "cancelled":
        return None
    if count != 1:
        return f"{count} stop_reason chunks"
    after = [kind for kind in kinds[kinds.index("stop_reason") + 1 :] if kind != "usage"]
    if after:
        return f"{after[0]} came after the stop_reason chunk"
    stop = next(chunk for chunk in outcome.chunks if chunk.kind == "stop_reason")
    if stop.finish != outcome.finish:
        return f"the stop_reason chunk says {stop.finish}, the outcome {outcome.finish}"
    return None


def _inert(outcome: Outcome, _: Mapping[str, FinishReason]) -> str | None:
    for call in outcome.tool_calls:
        if not call.complete and call.arguments is not None:
            return f"call {call.name!r} is incomplete, yet carries parsed arguments"
        if call.complete and (not call.name or call.arguments is None):
            return f"call {call.name!r} is complete without name or arguments"
        if call.complete and call.arguments != _parsed(call.arguments_raw):
            return f"call {call.name!r}: arguments are not what arguments_raw says"
    return None


def _parsed(raw: str) -> JSON:
    """Return what a target should have read; None, which no call may carry, where it is no JSON."""
    try:
        return json.loads(raw.strip() or "{}")
    except (ValueError, RecursionError):
        return None


def _usage(outcome: Outcome, _: Mapping[str, FinishReason]) -> str | None:
    if outcome.usage is None:
        return None
    counts = outcome.usage.model_dump()
    negative = next((name for name, count in counts.items() if (count or 0) < 0), None)
    return f"{negative} is negative" if negative else None


# DESIGN section 1: a terminal that says length, filter or pause makes the ending `incomplete`.
_NOT_COMPLETE = frozenset({"error", "length", "content_filter", "pause", "cancelled"})


def _ending(outcome: Outcome, _: Mapping[str, FinishReason]) -> str | None:
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


def _unknown(outcome: Outcome, words: Mapping[str, FinishReason]) -> str | None:
    raw = outcome.finish_raw
    if raw and raw not in words and outcome.finish in {"stop", "tool_calls"}:
        return f"finish_raw {raw!r} is in no table, yet finish is {outcome.finish}"
    return None


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "chunk_sum", "chunks of text, reasoning and refusal add up to the content", _chunk_sum
    ),
    Invariant(
        "argument_sum", "argument chunks of each call add up to its arguments_raw", _argument_sum
    ),
    Invariant(
        "one_stop_reason",
        "exactly one stop_reason chunk, and only usage after it",
        _one_stop_reason,
    ),
    Invariant("inert_call", "an incomplete call carries nothing that could be executed", _inert),
    Invariant("usage_counts", "no count is negative", _usage),
    Invariant("ending_agrees", "ending, finish and error tell one story", _ending),
    Invariant("unknown_is_no_success", "a finish word of no table never becomes success", _unknown),
)


def violated_invariants(
    outcome: Outcome, words: Mapping[str, FinishReason]
) -> Iterator[tuple[Invariant, str | None]]:
    """Yield every law with what is wrong, or None where it holds.

    Args:
        outcome: what was delivered.
        words: the protocol's finish words and what they mean.
    """
    for law in INVARIANTS:
        yield law, law.broken(outcome, words)
