"""Laws of a run that was left: what may be told, kept and held once its client has gone.

Each is a pure function of what was seen of one run through the whole stack (provider, SDK,
interface, adapter, agent loop, service) and of the same run when nobody disturbed it; it returns
what is wrong, or None. Sources: STREAMING sections 1d, 3, 4 and 5, the catalogue's CA cases.

Rule of this file: the words of a law name what the client, the store, the provider or the loop saw,
never what a layer says of itself; where it is a layer's word that is judged (the flag, the partial
answer), it is held against what was said before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.checks.abort_invariants import CALLS, kept, summed
from harness.checks.matching import with_ordinals
from harness.streaming.serving.client_events import client_event_violations
from harness.streaming.serving.runs.statuses import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.checks.runs import SeenRun
    from harness.model import Outcome
    from harness.streaming.serving.client_events import ClientEvent


@dataclass(frozen=True)
class RunInvariant:
    """One law over every run, left or not.

    Args:
        name: how findings call it.
        says: the law, one sentence.
        source: the defects and cases it comes from.
        broken: what was seen, the same undisturbed -> what is wrong, or None.
    """

    name: str
    says: str
    source: str
    broken: Callable[[SeenRun, SeenRun], str | None]


def violated_run_invariants(seen: SeenRun, plain: SeenRun) -> dict[str, str]:
    """Return law name -> what is wrong; who is held for ever has broken only that one."""
    laws = RUN_INVARIANTS[:1] if seen.took_s is None else RUN_INVARIANTS
    found = ((law.name, law.broken(seen, plain)) for law in laws)
    return {name: words for name, words in found if words is not None}


def _at_once(seen: SeenRun, _: SeenRun) -> str | None:
    if seen.took_s is None:
        return "the client is held for ever"
    return f"the client was held for {seen.took_s:g} s" if seen.left and seen.took_s else None


def _frames_in_order(seen: SeenRun, _: SeenRun) -> str | None:
    for event, _label, sentence in client_event_violations(seen.heard):
        if event >= 0 or not seen.gone:
            return sentence
    return None


def _is_cancelled(seen: SeenRun, plain: SeenRun) -> str | None:
    run = seen.stored
    if run is None:
        return "frames were sent of no run" if seen.heard else None
    if run.stop_reason is None or run.status != status_of(run.stop_reason):
        return f"the run is {run.status}, its stop reason {run.stop_reason}"
    if seen.told not in {None, run.stop_reason}:
        return f"the client was told {seen.told}, the run says {run.stop_reason}"
    natural = plain.stored.stop_reason if plain.stored else None
    lawful = {"cancelled"} if _cut(seen, plain) else {natural}
    if seen.left and _over(seen, plain):
        lawful.add("cancelled")
    return None if run.stop_reason in lawful else f"the run ended as {run.stop_reason}"


def _cut(seen: SeenRun, plain: SeenRun) -> bool:
    return seen.left and not _over(seen, plain)


def _over(seen: SeenRun, plain: SeenRun) -> bool:
    """Say whether the provider's last word was there, or due in that moment, when it was left."""
    return seen.at_s >= plain.at_s


_TOLD_WHY = frozenset({"llm_api_error", "error"})


def _tells_failure(seen: SeenRun, _: SeenRun) -> str | None:
    labels = {frame.label for frame in seen.heard}
    if "done" in labels and seen.told in _TOLD_WHY and "error" not in labels:
        return f"the client was told {seen.told} without an error frame"
    endings = [step.outcome.ending for step in seen.steps if step.outcome]
    failed = bool(endings) and endings[-1] in {"failed", "truncated"}
    if failed and seen.told is not None and seen.told not in {*_TOLD_WHY, "cancelled"}:
        return f"the last step is {endings[-1]}, the client was told {seen.told}"
    return None


def _flag_is_true(seen: SeenRun, plain: SeenRun) -> str | None:
    for number, step in enumerate(seen.steps):
        if step.outcome is None:
            return f"step {number} was asked for, and nothing is known of its end"
    if not (_cut(seen, plain) and seen.steps):
        return None
    last = _verdict(seen.steps[-1].outcome)
    over = len(seen.steps) <= len(plain.steps) and last == _verdict(
        plain.steps[len(seen.steps) - 1].outcome
    )
    return (
        None
        if over or last == ("cancelled", "cancelled")
        else f"finish {last[0]}, ending {last[1]}"
    )


def _verdict(outcome: Outcome | None) -> tuple[str | None, str | None]:
    return (None, None) if outcome is None else (outcome.finish, outcome.ending)


def _keeps_partial(seen: SeenRun, _: SeenRun) -> str | None:
    for number, step in enumerate(seen.steps):
        if step.outcome is None:
            continue
        channels: dict[str | int, str] = {
            chunk.index or 0: "" for chunk in step.said if chunk.kind in CALLS
        }
        channels.update(kept(step.outcome))
        for channel, keeps in channels.items():
            said = summed(step.said, channel)
            if not keeps.startswith(said):
                return f"step {number}, {channel}: {said!r:.80} was said, {keeps!r:.80} is kept"
    return None


def _tells_usage(seen: SeenRun, plain: SeenRun) -> str | None:
    labels = [frame.label for frame in seen.heard]
    if "done" not in labels:
        return None
    used = [step.outcome and step.outcome.usage for step in seen.steps]
    outputs = [usage.output for usage in used if usage and usage.output is not None]
    bodies = (frame.body for frame in seen.heard if frame.label == "usage")
    told = next((body for body in bodies if isinstance(body, dict)), None)
    if told is None:
        return f"the steps used {used}, the client was told nothing" if any(used) else None
    if told["completion_tokens"] != (sum(outputs) if outputs else None):
        return f"the steps put out {outputs}, the client was told {told['completion_tokens']}"
    whole = [step.outcome and step.outcome.usage for step in plain.steps]
    less = any(usage != all_of_it for usage, all_of_it in zip(used, whole, strict=False))
    return "a part of the usage is told as all of it" if less and not told.get("partial") else None


def _event_once(seen: SeenRun, plain: SeenRun) -> str | None:
    mine, whole = _messages(seen.heard), _messages(plain.heard)
    for number, (message, expected) in enumerate(zip(mine, whole, strict=False)):
        if message != expected:
            return (
                f"message {number} is {json.dumps(message)[:80]}, not {json.dumps(expected)[:80]}"
            )
    return f"{len(mine)} messages of {len(whole)}" if len(mine) > len(whole) else None


_VOLATILE = frozenset({"date", "run_id", "seq_id", "otid"})


def _messages(frames: Sequence[ClientEvent]) -> list[Any]:
    bodies = [frame.body for frame in frames if frame.label == "message"]
    named = with_ordinals([body for body in bodies if isinstance(body, dict)])
    return [{key: body[key] for key in body if key not in _VOLATILE} for body in named]


def _no_stale_chunk(seen: SeenRun, _: SeenRun) -> str | None:
    after = zip(seen.heard[seen.before :], seen.arrived[seen.before :], strict=True)
    messages = [sent for frame, sent in after if frame.label == "message"]
    if seen.gone and messages:
        return "a message was handed out afterwards"
    stale = [sent for sent in messages if sent > seen.sent]
    if not stale:
        return None
    return f"{seen.sent} bytes had come when it was cancelled, a message came with byte {stale[0]}"


def _provider_is_closed(seen: SeenRun, _: SeenRun) -> str | None:
    for number, step in enumerate(seen.steps):
        if step.open:
            return f"the response to step {number} is open"
    return None


def _conversation_is_free(seen: SeenRun, _: SeenRun) -> str | None:
    return "the conversation is held" if seen.held else None


def _registry_is_empty(seen: SeenRun, _: SeenRun) -> str | None:
    return f"it remembers {seen.remembered}" if seen.remembered else None


def _leaves_nothing(seen: SeenRun, _: SeenRun) -> str | None:
    return ", ".join(seen.remains) + " is still there" if seen.remains else None


def _cancel_comes_out(seen: SeenRun, _: SeenRun) -> str | None:
    return seen.came_out


def _no_alarm(seen: SeenRun, _: SeenRun) -> str | None:
    return seen.alarms[0] if seen.alarms else None


RUN_INVARIANTS: tuple[RunInvariant, ...] = (
    RunInvariant(
        "run_ends_at_once",
        "who leaves or is cancelled is let go in the same moment, however silent the provider is",
        "D72, D83; CA-004, CA-010, CA-015; STREAMING 5.2 (7)",
        _at_once,
    ),
    RunInvariant(
        "run_frames_in_order",
        "messages, one stop reason, usage, one [DONE], and nothing after; also of a cancelled run",
        "D70, D71, D78; CA-024; STREAMING 5.2 (6)",
        _frames_in_order,
    ),
    RunInvariant(
        "run_is_cancelled",
        "a run left before its provider's end is cancelled, any other ends as if undisturbed; its "
        "status follows from its stop reason, and the client is told what is stored",
        "D56, D74, D75, D77; CA-002, CA-003; STREAMING 3",
        _is_cancelled,
    ),
    RunInvariant(
        "run_tells_failure",
        "what failed is told as failed, with an error frame that says why",
        "D74, D83; STREAMING 1d",
        _tells_failure,
    ),
    RunInvariant(
        "run_flag_is_true",
        "a step that was cut says so by the time the client's frames are closed",
        "D4; STREAMING 5.1 (cancel flag), 5.2 (7)",
        _flag_is_true,
    ),
    RunInvariant(
        "run_keeps_partial",
        "what was said is kept, character by character",
        "CA-003, CA-007; STREAMING 5.2 (1, 2)",
        _keeps_partial,
    ),
    RunInvariant(
        "run_tells_usage",
        "what was used by then is told, and called partial where more of it was to come",
        "CA-021",
        _tells_usage,
    ),
    RunInvariant(
        "run_tells_once",
        "no event is processed twice: the client hears a beginning of the undisturbed run",
        "STREAMING 3 (throw), 5.2 (7)",
        _event_once,
    ),
    RunInvariant(
        "run_no_stale_chunk",
        "who has left hears no message, and nobody one that had not arrived by the cancelling",
        "D70; CA-023; STREAMING 5.2 (7)",
        _no_stale_chunk,
    ),
    RunInvariant(
        "run_provider_is_closed",
        "every response is read to its end or closed",
        "D47; CA-001, CA-002, CA-008, CA-017; STREAMING 5.2 (7)",
        _provider_is_closed,
    ),
    RunInvariant(
        "run_conversation_is_free",
        "the conversation is free again",
        "D77, D82",
        _conversation_is_free,
    ),
    RunInvariant(
        "run_registry_is_empty", "the registry forgets the run", "D73; CA-023", _registry_is_empty
    ),
    RunInvariant(
        "run_leaves_nothing",
        "no task and no open generator outlives the run",
        "CA-008, CA-016",
        _leaves_nothing,
    ),
    RunInvariant(
        "run_lets_it_out",
        "CancelledError, TimeoutError or the client's own exception comes out, and nothing else",
        "D56; CA-003, CA-012, CA-013, CA-014, CA-018",
        _cancel_comes_out,
    ),
    RunInvariant(
        "run_raises_no_alarm",
        "leaving is no fault: nothing is logged of it, and no exception goes unseen",
        "D56, D71; CA-009, CA-012",
        _no_alarm,
    ),
)
