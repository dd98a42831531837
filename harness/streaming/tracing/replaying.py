"""A trace as a stream again, and as a scenario: an incident in production becomes a test.

Rules of this file: pure functions; the events that were recorded are what is replayed, and only
where none were, the outcome is encoded anew; what the outcome says becomes a suggestion for law,
marked as one, because an incident's outcome may be the very defect. The request and the ids of
people never get into a scenario; the words of the model do, so a person reads it before it is kept.

The scenario is written as YAML whose values are JSON, with YAML 1.1 as PyYAML reads it in mind: see
``flow``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.model import ErrorInfo, Event
from harness.protocols import protocol
from harness.protocols.message import IN_ORDER, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model import JSON, Outcome
    from harness.protocols.protocol import Protocol
    from harness.streaming.tracing.trace import ProviderTrace

# Protocols without a word for these end with a plain stop; their encode knows.
_WORDLESS = frozenset({"tool_calls", "refusal"})
_CUT = frozenset({"truncated", "cancelled"})  # endings that no terminal of the provider tells


def wire_events(trace: ProviderTrace) -> list[Event]:
    """Return the wire events of a trace: those recorded, or else its outcome encoded anew.

    A cancelled stream is encoded as one that breaks off where its consumer left.

    Raises:
        InputError: the trace holds neither, or an outcome its protocol has no word for.
        UnknownWordError: nobody knows its protocol.
    """
    if trace.events:
        return list(trace.events)
    if trace.outcome is None:
        raise InputError(f"trace {trace.id} holds no events and no outcome: nothing to replay")
    spoken = protocol(trace.protocol)
    return spoken.encode(_message(trace, trace.outcome, spoken), IN_ORDER)


def _message(trace: ProviderTrace, outcome: Outcome, spoken: Protocol) -> Message:
    cut = outcome.ending in _CUT
    failed = outcome.ending == "failed"
    if not cut and not failed and outcome.finish not in {*spoken.finish.values(), *_WORDLESS}:
        raise InputError(
            f"trace {trace.id}: {spoken.name} has no word for finish {outcome.finish!r}; it can "
            "only be replayed from recorded events"
        )
    named = {"response_id": outcome.response_id, "model": outcome.model or trace.model}
    return Message(
        content=outcome.content,
        finish=outcome.finish,
        ending="truncated" if cut else outcome.ending,
        usage=outcome.usage,
        error=(outcome.error or ErrorInfo(kind="unknown")) if failed else None,
        **{field: name for field, name in named.items() if name is not None},
    )


def dump_scenario(trace: ProviderTrace) -> str:
    """Return the text of a scenario file whose stream is the trace's.

    Its ``must`` is what was delivered, as suggestions; a person confirms or corrects each, writes
    the story and names the provider's sentence, then keeps it as
    ``scenarios/<protocol>/<topic>/<name>.yaml``.

    Raises:
        InputError: the trace holds no outcome to suggest law from, or cannot be replayed.
    """
    if trace.outcome is None:
        raise InputError(f"trace {trace.id} holds no outcome: nothing to suggest as law")
    events = wire_events(trace)
    lines = [
        *_head(trace, events),
        "",
        "stream:",
        *(f"  - event: {_entry(event)}" for event in events),
        "",
        *_law(trace.outcome),
    ]
    return "\n".join(lines) + "\n"


def _head(trace: ProviderTrace, events: Sequence[Event]) -> Iterator[str]:
    broken = any(
        found.event >= 0 and found.severity == "violation"
        for found in protocol(trace.protocol).violations(events)
    )
    when = trace.created_at.isoformat(timespec="seconds")
    origin = "recorded" if trace.events else "synthesized"
    says = "No document yet: replace this by the sentence of the provider that decides the case."
    yield "# Written from a trace. Read the stream for what must not be kept before you keep it."
    yield f"title: {flow(f'What {trace.provider} sent as {trace.protocol}, {when}')}  # say more"
    yield f"protocol: {trace.protocol}"
    yield f"origin: {origin}"
    yield f"order: {'illegal' if broken else 'legal'}  # as the tables judge it; confirm"
    yield f"spec: [{{url: {flow(f'urn:trace:{trace.id}')}, says: {flow(says)}}}]"
    yield f"why: {flow(_story(trace))}  # say what went wrong for whom"


def _story(trace: ProviderTrace) -> str:
    asked = f"{trace.model or 'a model'} was asked for {trace.call_type or 'a step'}"
    failure = trace.failure
    return f"In production {asked}; " + (
        "no error was reported." if failure is None else f"{failure.kind}: {failure.message}"
    )


def _entry(event: Event) -> str:
    """Write an event; half a surrogate pair YAML cannot hold, but JSON text inside it can."""
    broken = isinstance(event.data, dict) and _SURROGATE.search(
        json.dumps(event.data, ensure_ascii=False)
    )
    return flow({"name": event.name, "data": json.dumps(event.data) if broken else event.data})


def _law(outcome: Outcome) -> Iterator[str]:
    yield "# SUGGESTIONS: what was delivered that day, which may be the defect. Confirm each line."
    yield "must:"
    for key, value in suggested_law(outcome).items():
        yield f"  {key}: {flow(value)}  # confirm"
    if outcome.ending == "cancelled":
        yield "# The consumer left; how the stream would have ended is not known."
    elif outcome.finish_raw is not None:
        yield "should:"
        yield f"  finish_raw: {flow(outcome.finish_raw)}  # confirm"


def suggested_law(outcome: Outcome) -> Mapping[str, JSON]:
    """Return what was delivered, by the keys of law that would hold it."""
    said = {"text": outcome.text, "reasoning": outcome.reasoning, "refusal": outcome.refusal}
    fields = ("id", "name", "arguments_raw", "complete")
    calls = [{field: getattr(call, field) for field in fields} for call in outcome.tool_calls]
    delivered = {
        "text": outcome.text,
        **{key: words for key, words in said.items() if words},
        "tool_calls": calls,
    }
    if outcome.ending == "cancelled":
        return delivered
    counts = {} if outcome.usage is None else outcome.usage.model_dump()
    told = {field: count for field, count in counts.items() if count is not None}
    return {
        **delivered,
        "finish": outcome.finish,
        "ending": outcome.ending,
        "usage": told or None,
        "error": None if outcome.error is None else {"kind": outcome.error.kind},
    }


# What JSON leaves bare in a string and YAML 1.1 refuses or folds.
_BARE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def flow(value: JSON) -> str:
    """Return a value as JSON that YAML 1.1 reads as the same value.

    Three things JSON writes read otherwise in YAML: a character written as two escapes, control
    characters above ASCII, and a number such as 1e-05, which has no point.
    """
    match value:
        case dict():
            pairs = (f"{flow(str(key))}: {flow(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(map(flow, value))}]"
        case str():
            text = json.dumps(_SURROGATE.sub("\ufffd", value), ensure_ascii=False)
            return _BARE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        case float():
            return re.sub(r"^(-?\d+)e", r"\1.0e", json.dumps(value))
    return json.dumps(value)
