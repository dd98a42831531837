"""Invariants of an aborted run: what may be sent, stored and held once its client has aborted.

Each is a pure function of what was observed of one run through the full stack (provider, SDK,
interface, adapter, agent loop, service) and of the same run without an abort. It returns what is
wrong, or None.

Rule of this file: an invariant is about what the client, the store, the provider or the event loop
observed, not about what a layer reports of itself; where a layer's report is what is checked (the
ending of a step, the partial answer), it is compared with what was emitted before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.aborting.abort_invariants import CALL_KINDS, contents, joined
from harness.aborting.seen_run import RunPair, RunSeen
from harness.checks.invariants import Invariant
from harness.checks.matching import with_ordinals
from harness.streaming.serving.client_events import client_event_violations
from harness.streaming.serving.runs.statuses import status_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model import Outcome
    from harness.streaming.serving.client_events import ClientEvent

RunInvariant: TypeAlias = Invariant[RunPair, str]


def violated_run_invariants(seen: RunSeen, undisturbed: RunSeen) -> dict[str, str]:
    """Return the violated invariants: name -> what is wrong.

    Where the client is held for ever, nothing else can be observed; then only the first counts.
    """
    evaluated = RUN_INVARIANTS[:1] if seen.held_s is None else RUN_INVARIANTS
    pair = RunPair(seen, undisturbed)
    found = ((invariant.name, invariant.violation(pair)) for invariant in evaluated)
    return {name: wrong for name, wrong in found if wrong is not None}


def _ends_at_once(pair: RunPair) -> str | None:
    seen = pair.seen
    if seen.held_s is None:
        return "the client is held for ever"
    held = seen.aborted and seen.held_s
    return f"the client was held for {seen.held_s:g} s" if held else None


def _events_in_order(pair: RunPair) -> str | None:
    for event, _label, sentence in client_event_violations(pair.seen.events):
        if event >= 0 or not pair.seen.disconnected:
            return sentence
    return None


def _is_cancelled(pair: RunPair) -> str | None:
    seen, undisturbed = pair
    run = seen.stored
    if run is None:
        return "events were sent of a run that is not stored" if seen.events else None
    if run.stop_reason is None or run.status != status_of(run.stop_reason):
        return f"the run is {run.status}, its stop reason {run.stop_reason}"
    if seen.stop_reason not in {None, run.stop_reason}:
        return f"the client received {seen.stop_reason}, the run is stored as {run.stop_reason}"
    natural = undisturbed.stored.stop_reason if undisturbed.stored else None
    allowed = {"cancelled"} if _cut(pair) else {natural}
    if seen.aborted and _over(pair):
        allowed.add("cancelled")
    return None if run.stop_reason in allowed else f"the run ended as {run.stop_reason}"


def _cut(pair: RunPair) -> bool:
    return pair.seen.aborted and not _over(pair)


def _over(pair: RunPair) -> bool:
    """Return whether the provider's last event had come at the abort, or came in that moment."""
    return pair.seen.at_s >= pair.undisturbed.at_s


_FAILED = frozenset({"llm_api_error", "error"})  # stop reasons of a run that failed


def _reports_failure(pair: RunPair) -> str | None:
    seen = pair.seen
    labels, reason = {event.label for event in seen.events}, seen.stop_reason
    if "done" in labels and reason in _FAILED and "error" not in labels:
        return f"the client received {reason} without an error event"
    endings = [step.outcome.ending for step in seen.steps if step.outcome]
    failed = bool(endings) and endings[-1] in {"failed", "truncated"}
    if failed and reason is not None and reason not in {*_FAILED, "cancelled"}:
        return f"the last step is {endings[-1]}, the client received {reason}"
    return None


def _step_is_cancelled(pair: RunPair) -> str | None:
    seen, undisturbed = pair
    for number, step in enumerate(seen.steps):
        if step.outcome is None:
            return f"step {number} started, but its end was not recorded"
    if not (_cut(pair) and seen.steps):
        return None
    last, count = _end_of(seen.steps[-1].outcome), len(seen.steps)
    as_undisturbed = count <= len(undisturbed.steps) and last == _end_of(
        undisturbed.steps[count - 1].outcome
    )
    if as_undisturbed or last == ("cancelled", "cancelled"):
        return None
    return f"finish {last[0]}, ending {last[1]}"


def _end_of(outcome: Outcome | None) -> tuple[str | None, str | None]:
    return (None, None) if outcome is None else (outcome.finish, outcome.ending)


def _keeps_partial(pair: RunPair) -> str | None:
    for number, step in enumerate(pair.seen.steps):
        if step.outcome is None:
            continue
        channels: dict[str | int, str] = {
            chunk.index or 0: "" for chunk in step.chunks if chunk.kind in CALL_KINDS
        }
        channels.update(contents(step.outcome))
        for channel, content in channels.items():
            emitted = joined(step.chunks, channel)
            if not content.startswith(emitted):
                return (
                    f"step {number}, {channel}: {emitted!r:.80} was emitted, "
                    f"the content is {content!r:.80}"
                )
    return None


def _reports_usage(pair: RunPair) -> str | None:
    seen, undisturbed = pair
    if "done" not in [event.label for event in seen.events]:
        return None
    used = [step.outcome and step.outcome.usage for step in seen.steps]
    outputs = [usage.output for usage in used if usage and usage.output is not None]
    bodies = (event.body for event in seen.events if event.label == "usage")
    sent = next((body for body in bodies if isinstance(body, dict)), None)
    if sent is None:
        return f"the steps used {used}, the client received no usage" if any(used) else None
    if sent["completion_tokens"] != (sum(outputs) if outputs else None):
        return f"the steps used {outputs}, the client received {sent['completion_tokens']}"
    complete = [step.outcome and step.outcome.usage for step in undisturbed.steps]
    less = any(usage != whole for usage, whole in zip(used, complete, strict=False))
    return "partial usage is sent as complete" if less and not sent.get("partial") else None


def _repeats_nothing(pair: RunPair) -> str | None:
    received, complete = _messages(pair.seen.events), _messages(pair.undisturbed.events)
    for number, (message, expected) in enumerate(zip(received, complete, strict=False)):
        if message != expected:
            return (
                f"message {number} is {json.dumps(message)[:80]}, not {json.dumps(expected)[:80]}"
            )
    more = len(received) > len(complete)
    return f"{len(received)} messages of {len(complete)}" if more else None


_VOLATILE = frozenset({"date", "run_id", "seq_id", "otid"})


def _messages(events: Sequence[ClientEvent]) -> list[Any]:
    bodies = [event.body for event in events if event.label == "message"]
    named = with_ordinals([body for body in bodies if isinstance(body, dict)])
    return [{key: body[key] for key in body if key not in _VOLATILE} for body in named]


def _no_stale_message(pair: RunPair) -> str | None:
    seen = pair.seen
    after = zip(seen.events[seen.before :], seen.sent_at[seen.before :], strict=True)
    messages = [sent_at for event, sent_at in after if event.label == "message"]
    if seen.disconnected and messages:
        return "a message was sent afterwards"
    stale = [sent_at for sent_at in messages if sent_at > seen.sent]
    if not stale:
        return None
    return (
        f"{seen.sent} bytes had come at the cancellation, a message was sent after byte {stale[0]}"
    )


def _closes_responses(pair: RunPair) -> str | None:
    for number, step in enumerate(pair.seen.steps):
        if step.open:
            return f"the response to step {number} is open"
    return None


def _unlocks_conversation(pair: RunPair) -> str | None:
    return "the conversation is locked" if pair.seen.locked else None


def _unregisters(pair: RunPair) -> str | None:
    registered = pair.seen.registered
    return f"the registry holds {registered} runs" if registered else None


def _leaks_nothing(pair: RunPair) -> str | None:
    return "still exists: " + ", ".join(pair.seen.leaks) if pair.seen.leaks else None


def _propagates_cancellation(pair: RunPair) -> str | None:
    return pair.seen.suppressed


def _logs_no_warning(pair: RunPair) -> str | None:
    return pair.seen.warnings[0] if pair.seen.warnings else None


RUN_INVARIANTS: tuple[RunInvariant, ...] = (
    Invariant(
        "run_ends_at_once",
        "a client that disconnects or is cancelled is released at once, even while the provider "
        "sends nothing",
        ("CA-004", "CA-010", "CA-015", "D72", "D83", "IV-007"),
        _ends_at_once,
    ),
    Invariant(
        "run_events_in_order",
        "the client receives messages, one stop reason, usage, one [DONE], and nothing after it; "
        "also of a cancelled run",
        ("CA-024", "D70", "D71", "D78", "IV-006"),
        _events_in_order,
    ),
    Invariant(
        "run_is_cancelled",
        "a run aborted before its provider's end is cancelled, any other ends as if undisturbed; "
        "its status follows from its stop reason, and the client receives what is stored",
        ("CA-002", "CA-003", "D56", "D74", "D75", "D77"),
        _is_cancelled,
    ),
    Invariant(
        "run_reports_failure",
        "a failure is reported as one, with an error event that gives the reason",
        ("D74", "D83"),
        _reports_failure,
    ),
    Invariant(
        "run_step_is_cancelled",
        "a step that was cut is marked as cancelled by the time the client's stream is closed",
        ("CA-002", "D4", "IV-007"),
        _step_is_cancelled,
    ),
    Invariant(
        "run_keeps_partial",
        "what was emitted is kept, character by character",
        ("CA-003", "CA-007", "IV-001", "IV-002"),
        _keeps_partial,
    ),
    Invariant(
        "run_reports_usage",
        "what was used by then is sent, and marked as partial where more of it was to come",
        ("CA-021",),
        _reports_usage,
    ),
    Invariant(
        "run_repeats_nothing",
        "no event is processed twice: the client receives a prefix of the undisturbed run",
        ("D70", "IV-007"),
        _repeats_nothing,
    ),
    Invariant(
        "run_no_stale_message",
        "a client that disconnected receives no message, and no client receives one that had not "
        "arrived at the cancellation",
        ("CA-023", "D70", "IV-007"),
        _no_stale_message,
    ),
    Invariant(
        "run_closes_responses",
        "every response is read to its end or closed",
        ("CA-001", "CA-002", "CA-008", "CA-017", "D47", "IV-007"),
        _closes_responses,
    ),
    Invariant(
        "run_unlocks_conversation",
        "the conversation is unlocked",
        ("D77", "D82"),
        _unlocks_conversation,
    ),
    Invariant(
        "run_unregisters",
        "the cancellation registry no longer holds the run",
        ("CA-023", "D73"),
        _unregisters,
    ),
    Invariant(
        "run_leaks_nothing",
        "no task and no open generator outlives the run",
        ("CA-008", "CA-016"),
        _leaks_nothing,
    ),
    Invariant(
        "run_propagates_cancellation",
        "CancelledError, TimeoutError or the client's own exception propagates, and no other",
        ("CA-003", "CA-012", "CA-013", "CA-014", "CA-018", "D56"),
        _propagates_cancellation,
    ),
    Invariant(
        "run_logs_no_warning",
        "an abort is not a fault: nothing is logged about it, and no exception is lost",
        ("CA-009", "CA-012", "D56", "D71"),
        _logs_no_warning,
    ),
)
