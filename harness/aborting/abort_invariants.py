"""Invariants of an aborted stream: what a target may report, hold and do once its consumer aborted.

Each is a pure function of what was observed of one abort and returns what is wrong, or None.

Rule of this file: what a target reports about itself is compared with what the consumer received,
what the server observed and what the complete stream contains, never with its own report alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from harness.checks.invariants import Invariant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.model import Chunk, Outcome, ToolCall
    from harness.playback.response_registry import Side


@dataclass(frozen=True)
class AbortSeen:
    """What was observed of one consumer that aborted.

    Args:
        received: the chunks it received before it aborted.
        after_abort: the chunks it received while or after it aborted.
        outcome: what the target reported afterwards.
        undisturbed: what the target reported of the same stream, read to its end.
        arrived: the chunks of that complete reading that the bytes sent before the abort produce.
        completed_calls: the calls the target reported as complete just before the abort.
        ended: the provider's terminal event, or the end of the stream, had arrived.
        suppressed: what the consumer got in place of the exception that had to propagate, or None.
        pending: a response was open at the abort, and more of it was to come.
        sent: the bytes sent before the abort, and in all.
        length: the bytes of the body.
        closed_by: who closed the response, as the server observed it.
        leaks: the tasks and generators that still exist.
    """

    received: tuple[Chunk, ...]
    after_abort: tuple[Chunk, ...]
    outcome: Outcome
    undisturbed: Outcome
    arrived: tuple[Chunk, ...]
    completed_calls: tuple[ToolCall, ...]
    ended: bool
    suppressed: str | None
    pending: bool
    sent: tuple[int, int]
    length: int
    closed_by: Side | None
    leaks: tuple[str, ...]


AbortInvariant: TypeAlias = Invariant[AbortSeen, str]

TEXT_KINDS = ("text", "reasoning", "refusal")
CALL_KINDS = frozenset({"tool_call", "approval_request"})  # the chunks that are pieces of a call
_AFTER_ABORT = frozenset({"error", "stop_reason", "usage"})  # chunks the outcome may add


def _is_cancelled(seen: AbortSeen) -> str | None:
    reported = (seen.outcome.finish, seen.outcome.ending)
    allowed = {("cancelled", "cancelled")}
    if seen.ended:
        allowed.add((seen.undisturbed.finish, seen.undisturbed.ending))
    return None if reported in allowed else f"finish {reported[0]}, ending {reported[1]}"


def _keeps_prefix(seen: AbortSeen) -> str | None:
    for channel, content in contents(seen.outcome):
        received, most = joined(seen.received, channel), _most(seen, channel)
        if not content.startswith(received):
            return f"{channel}: {received!r:.120} was received, the content is {content!r:.120}"
        if not most.startswith(content):
            return f"{channel}: {most!r:.120} is all that arrived, the content is {content!r:.120}"
    return None


def contents(outcome: Outcome) -> Iterator[tuple[str | int, str]]:
    """Yield each channel with its content: the kinds of text by name, the calls by index."""
    for kind in TEXT_KINDS:
        yield kind, str(getattr(outcome, kind))
    for index, call in enumerate(outcome.tool_calls):
        yield index, call.arguments_raw


def _most(seen: AbortSeen, channel: str | int) -> str:
    """Return the longest content that is allowed.

    A call's fragments are held back until its id and name are known, so what had arrived of it may
    be emitted much later; a target cannot hold what never arrived.
    """
    if isinstance(channel, str):
        return joined(seen.arrived, channel)
    calls = seen.undisturbed.tool_calls
    return calls[channel].arguments_raw if channel < len(calls) else ""


def joined(chunks: Iterable[Chunk], channel: str | int) -> str:
    """Return what chunks add up to on one channel: a kind of text, or a call's arguments."""
    if isinstance(channel, int):
        of_call = (chunk for chunk in chunks if chunk.kind in CALL_KINDS and chunk.index == channel)
        return "".join(chunk.arguments or "" for chunk in of_call)
    in_order = sorted(chunks, key=lambda chunk: chunk.part or 0)
    return "".join(chunk.text or "" for chunk in in_order if chunk.kind == channel)


def _calls_inert(seen: AbortSeen) -> str | None:
    undisturbed = dict(enumerate(map(_identity, seen.undisturbed.tool_calls)))
    before = set(map(_identity, seen.completed_calls))
    for index, call in enumerate(seen.outcome.tool_calls):
        if call.complete and undisturbed.get(index) != _identity(call):
            return f"call {index} {call.name!r} is complete with {call.arguments_raw!r:.80}"
        if call.complete and _identity(call) not in before:
            return f"call {index} {call.name!r} was completed by the abort"
    return None


def _identity(call: ToolCall) -> tuple[bool, str | None, str]:
    return call.complete, call.name, call.arguments_raw


def _closes_connection(seen: AbortSeen) -> str | None:
    before, after = seen.sent
    if not seen.pending:
        return None
    if seen.closed_by is None and after == before:
        return f"still open, {after} of {seen.length} bytes were sent"
    if seen.closed_by is None:
        return f"read on: {before} bytes were sent at the abort, then {after}"
    return None


def _leaks_nothing(seen: AbortSeen) -> str | None:
    return "still exists: " + ", ".join(seen.leaks) if seen.leaks else None


def _is_not_suppressed(seen: AbortSeen) -> str | None:
    return seen.suppressed


def _no_chunk_after(seen: AbortSeen) -> str | None:
    if seen.after_abort:
        return f"a {seen.after_abort[0].kind} chunk was emitted afterwards"
    added = seen.outcome.chunks[len(seen.received) :]
    wrong = next((chunk.kind for chunk in added if chunk.kind not in _AFTER_ABORT), None)
    return f"the outcome holds a {wrong} chunk that the consumer never received" if wrong else None


ABORT_INVARIANTS: tuple[AbortInvariant, ...] = (
    Invariant(
        "aborted_is_cancelled",
        "a stream aborted before its terminal event has finish and ending cancelled",
        ("CA-002", "CA-003", "IV-007"),
        _is_cancelled,
    ),
    Invariant(
        "aborted_keeps_prefix",
        "the content is the sum of the chunks received, and at most what else had arrived",
        ("CA-003", "CA-007", "IV-001", "IV-002"),
        _keeps_prefix,
    ),
    Invariant(
        "aborted_calls_inert",
        "an abort completes no call, and a complete call is the provider's whole call",
        ("CA-005", "TR-013", "IV-009"),
        _calls_inert,
    ),
    Invariant(
        "aborted_closes_connection",
        "the client closes a response it does not read to its end, and reads no more of it",
        ("CA-002", "CA-004", "CA-008", "CA-017", "IV-007"),
        _closes_connection,
    ),
    Invariant(
        "aborted_leaks_nothing",
        "no task and no open generator outlives the abort",
        ("CA-008", "CA-016"),
        _leaks_nothing,
    ),
    Invariant(
        "cancel_is_not_suppressed",
        "CancelledError, TimeoutError or the consumer's own exception propagates, promptly",
        ("CA-003", "CA-004", "CA-013", "CA-014"),
        _is_not_suppressed,
    ),
    Invariant(
        "no_chunk_after_abort",
        "no chunk of the stream is emitted or recorded once the consumer has aborted",
        ("CA-024", "IV-006", "IV-007"),
        _no_chunk_after,
    ),
)
