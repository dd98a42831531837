"""Laws of a stream whose reader left: what a target may still say, hold and do afterwards.

Each is a pure function of what was seen of one leaving and returns what is wrong, or None. Sources:
the catalogue's CA cases and STREAMING section 5.2.

Rule of this file: what the target says of itself is held against what the reader was handed, what
the server saw and what the whole reading said, never against the target's own word alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.model import Chunk, Outcome, ToolCall
    from harness.playback.response_registry import Side


@dataclass(frozen=True)
class AbortSeen:
    """What was seen of one reader that left.

    Args:
        taken: the chunks it was handed before it left.
        late: the chunks it was handed while or after it left.
        outcome: what the target reported afterwards.
        plain: what the target reported of the same stream, read to its end.
        arrived: the chunks of that reading that the bytes sent before the leaving gave rise to.
        closed: the calls the target reported complete just before the leaving.
        over: the provider's terminal, or the end of the stream, had arrived.
        swallowed: what came of the leaving in place of what had to, None where it came out.
        pending: a response was open when the reader left, and more of it was to come.
        sent: the bytes sent, before and after the leaving.
        length: the bytes of the body.
        closed_by: who closed the response, as the server saw it.
        remains: the tasks and generators that are still there.
    """

    taken: tuple[Chunk, ...]
    late: tuple[Chunk, ...]
    outcome: Outcome
    plain: Outcome
    arrived: tuple[Chunk, ...]
    closed: tuple[ToolCall, ...]
    over: bool
    swallowed: str | None
    pending: bool
    sent: tuple[int, int]
    length: int
    closed_by: Side | None
    remains: tuple[str, ...]


@dataclass(frozen=True)
class AbortInvariant:
    """One law over every reader that left.

    Args:
        name: how findings call it.
        says: the law, one sentence.
        source: the catalogue's cases and the section it comes from.
        broken: what was seen -> what is wrong, or None.
    """

    name: str
    says: str
    source: str
    broken: Callable[[AbortSeen], str | None]


_PROSE = ("text", "reasoning", "refusal")
CALLS = frozenset({"tool_call", "approval_request"})  # the chunks that are pieces of a call
_TERMINAL = frozenset({"error", "stop_reason", "usage"})  # what may follow a leaving: 5.2 (7)


def _as_cancelled(left: AbortSeen) -> str | None:
    told = (left.outcome.finish, left.outcome.ending)
    lawful = {("cancelled", "cancelled")}
    if left.over:
        lawful.add((left.plain.finish, left.plain.ending))
    return None if told in lawful else f"finish {told[0]}, ending {told[1]}"


def _keeps_prefix(left: AbortSeen) -> str | None:
    for channel, keeps in kept(left.outcome):
        taken, most = summed(left.taken, channel), _most(left, channel)
        if not keeps.startswith(taken):
            return f"{channel}: {taken!r:.120} was taken, {keeps!r:.120} is kept"
        if not most.startswith(keeps):
            return f"{channel}: {most!r:.120} is all there was, {keeps!r:.120} is kept"
    return None


def kept(outcome: Outcome) -> Iterator[tuple[str | int, str]]:
    """Yield each kind of words and each call, with what the outcome holds of it."""
    for kind in _PROSE:
        yield kind, str(getattr(outcome, kind))
    for index, call in enumerate(outcome.tool_calls):
        yield index, call.arguments_raw


def _most(left: AbortSeen, channel: str | int) -> str:
    """Return the most that may be kept.

    Fragments of a call wait until its id and name are known, so what had arrived of it may be
    shown long after; no target can keep what never arrived.
    """
    if isinstance(channel, str):
        return summed(left.arrived, channel)
    calls = left.plain.tool_calls
    return calls[channel].arguments_raw if channel < len(calls) else ""


def summed(chunks: Iterable[Chunk], channel: str | int) -> str:
    """Return what chunks said on one channel: a kind of words, or the arguments of a call."""
    if isinstance(channel, int):
        mine = (chunk for chunk in chunks if chunk.kind in CALLS and chunk.index == channel)
        return "".join(chunk.arguments or "" for chunk in mine)
    in_order = sorted(chunks, key=lambda chunk: chunk.part or 0)
    return "".join(chunk.text or "" for chunk in in_order if chunk.kind == channel)


def _calls_inert(left: AbortSeen) -> str | None:
    whole = dict(enumerate(map(_said, left.plain.tool_calls)))
    before = set(map(_said, left.closed))
    for index, call in enumerate(left.outcome.tool_calls):
        if call.complete and whole.get(index) != _said(call):
            return f"call {index} {call.name!r} is complete with {call.arguments_raw!r:.80}"
        if call.complete and _said(call) not in before:
            return f"call {index} {call.name!r} was completed by the leaving"
    return None


def _said(call: ToolCall) -> tuple[bool, str | None, str]:
    return call.complete, call.name, call.arguments_raw


def _closes_connection(left: AbortSeen) -> str | None:
    before, after = left.sent
    if not left.pending:
        return None
    if left.closed_by is None and after == before:
        return f"still open, {after} of {left.length} bytes were sent"
    if left.closed_by is None:
        return f"read on: {before} bytes were sent when the reader left, then {after}"
    return None


def _no_task(left: AbortSeen) -> str | None:
    return ", ".join(left.remains) + " is still there" if left.remains else None


def _not_swallowed(left: AbortSeen) -> str | None:
    return left.swallowed


def _no_chunk_after(left: AbortSeen) -> str | None:
    if left.late:
        return f"a {left.late[0].kind} chunk was handed out afterwards"
    fresh = left.outcome.chunks[len(left.taken) :]
    stale = next((chunk.kind for chunk in fresh if chunk.kind not in _TERMINAL), None)
    return f"the outcome holds a {stale} chunk that nobody took" if stale else None


ABORT_INVARIANTS: tuple[AbortInvariant, ...] = (
    AbortInvariant(
        "left_as_cancelled",
        "a stream left before its terminal has finish and ending cancelled",
        "CA-002, CA-003; STREAMING 5.2 (7)",
        _as_cancelled,
    ),
    AbortInvariant(
        "left_keeps_prefix",
        "content is the sum of the chunks taken, and at most what had arrived besides",
        "CA-003, CA-007; STREAMING 5.2 (1, 2)",
        _keeps_prefix,
    ),
    AbortInvariant(
        "left_calls_inert",
        "leaving completes no call, and a complete call is the provider's whole call",
        "CA-005, TR-013; STREAMING 5.2 (9)",
        _calls_inert,
    ),
    AbortInvariant(
        "left_closes_connection",
        "the client closes a response it does not read to its end, and reads on no more",
        "CA-002, CA-004, CA-008, CA-017; STREAMING 5.2 (7)",
        _closes_connection,
    ),
    AbortInvariant(
        "left_no_task",
        "no task and no open generator outlives the leaving",
        "CA-008, CA-016",
        _no_task,
    ),
    AbortInvariant(
        "cancel_is_not_swallowed",
        "CancelledError, TimeoutError or the reader's own exception comes out, promptly",
        "CA-003, CA-004, CA-013, CA-014",
        _not_swallowed,
    ),
    AbortInvariant(
        "no_chunk_after",
        "no chunk of the stream is handed out or recorded once the reader has left",
        "CA-024; STREAMING 5.2 (6, 7)",
        _no_chunk_after,
    ),
)
