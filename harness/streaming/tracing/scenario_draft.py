"""Turns a trace back into a stream, and into the draft of a scenario: an incident becomes a test.

Rules of this file: pure functions; recorded events are replayed as they are, and only if there are
none, the outcome is encoded again; the outcome becomes suggested requirements, marked as such,
because the outcome of an incident may be the defect itself. The request and the ids of people are
never written into a scenario; the text of the model is, so a person reads it before it is stored.

The scenario is written as YAML whose values are JSON, readable as YAML 1.1 by PyYAML: see ``flow``.
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

# A protocol without these finish reasons encodes them as a normal stop.
_ENCODABLE = frozenset({"tool_calls", "refusal"})
_CUT = frozenset({"truncated", "cancelled"})  # endings without a terminal event of the provider


def wire_events(trace: ProviderTrace) -> list[Event]:
    """Return the wire events of a trace: the recorded ones, or else its encoded outcome.

    A cancelled stream is encoded as one that breaks off where its consumer aborted.

    Raises:
        InputError: the trace has neither, or its protocol cannot express the outcome.
        UnknownWordError: its protocol is unknown.
    """
    if trace.events:
        return list(trace.events)
    if trace.outcome is None:
        raise InputError(f"trace {trace.id} has no events and no outcome: nothing to replay")
    wire = protocol(trace.protocol)
    return wire.encode(_message(trace, trace.outcome, wire), IN_ORDER)


def _message(trace: ProviderTrace, outcome: Outcome, wire: Protocol) -> Message:
    cut = outcome.ending in _CUT
    failed = outcome.ending == "failed"
    if not cut and not failed and outcome.finish not in {*wire.finish.values(), *_ENCODABLE}:
        raise InputError(
            f"trace {trace.id}: {wire.name} cannot express the finish {outcome.finish!r}; the "
            "trace can only be replayed from recorded events"
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

    Its ``must`` is what was delivered, as suggestions. A person confirms or corrects each,
    completes title, reason and source, and stores it as
    ``scenarios/<protocol>/<topic>/<name>.yaml``.

    Raises:
        InputError: the trace has no outcome to suggest requirements from, or cannot be replayed.
    """
    if trace.outcome is None:
        raise InputError(f"trace {trace.id} has no outcome: nothing to suggest as requirements")
    events = wire_events(trace)
    lines = [
        *_head(trace, events),
        "",
        "stream:",
        *(f"  - event: {_entry(event)}" for event in events),
        "",
        *_requirements(trace.outcome),
    ]
    return "\n".join(lines) + "\n"


def _head(trace: ProviderTrace, events: Sequence[Event]) -> Iterator[str]:
    illegal = any(
        found.event >= 0 and found.severity == "violation"
        for found in protocol(trace.protocol).violations(events)
    )
    when = trace.created_at.isoformat(timespec="seconds")
    title = f"What {trace.provider} sent as {trace.protocol}, {when}"
    origin = "recorded" if trace.events else "synthesized"
    says = "No source yet: replace this with the provider's sentence that decides the case."
    yield "# Drafted from a trace. Before you store it, check the stream for private data."
    yield f"title: {flow(title)}  # name the case"
    yield f"protocol: {trace.protocol}"
    yield f"origin: {origin}"
    yield f"order: {'illegal' if illegal else 'legal'}  # according to the grammar tables; confirm"
    yield f"spec: [{{url: {flow(f'urn:trace:{trace.id}')}, says: {flow(says)}}}]"
    yield f"why: {flow(_why(trace))}  # explain what breaks, and for whom"


def _why(trace: ProviderTrace) -> str:
    purpose = f" ({trace.call_type})" if trace.call_type else ""
    request = f"In production, a request to {trace.model or 'a model'}{purpose}"
    failure = trace.failure
    if failure is None:
        return f"{request} ended without an error."
    return f"{request} failed: {failure.kind}" + (f": {failure.message}" if failure.message else "")


def _entry(event: Event) -> str:
    """Write an event; half a surrogate pair is written as JSON text, as YAML cannot contain it."""
    broken = isinstance(event.data, dict) and _SURROGATE.search(
        json.dumps(event.data, ensure_ascii=False)
    )
    return flow({"name": event.name, "data": json.dumps(event.data) if broken else event.data})


def _requirements(outcome: Outcome) -> Iterator[str]:
    yield "# SUGGESTIONS: what was delivered in the incident; it may be wrong. Confirm each line."
    yield "must:"
    for key, value in suggested_requirements(outcome).items():
        yield f"  {key}: {flow(value)}  # confirm"
    if outcome.ending == "cancelled":
        yield "# The consumer aborted; how the stream would have ended is unknown."
    elif outcome.finish_raw is not None:
        yield "should:"
        yield f"  finish_raw: {flow(outcome.finish_raw)}  # confirm"


def suggested_requirements(outcome: Outcome) -> Mapping[str, JSON]:
    """Return what was delivered as `must` keys and their values."""
    texts = {"text": outcome.text, "reasoning": outcome.reasoning, "refusal": outcome.refusal}
    fields = ("id", "name", "arguments_raw", "complete")
    calls = [{field: getattr(call, field) for field in fields} for call in outcome.tool_calls]
    delivered = {
        "text": outcome.text,
        **{key: text for key, text in texts.items() if text},
        "tool_calls": calls,
    }
    if outcome.ending == "cancelled":
        return delivered
    counts = {} if outcome.usage is None else outcome.usage.model_dump()
    reported = {field: count for field, count in counts.items() if count is not None}
    return {
        **delivered,
        "finish": outcome.finish,
        "ending": outcome.ending,
        "usage": reported or None,
        "error": None if outcome.error is None else {"kind": outcome.error.kind},
    }


# Characters that JSON does not escape and that YAML 1.1 refuses or folds.
_UNESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def flow(value: JSON) -> str:
    """Return a value as JSON that YAML 1.1 reads as the same value.

    YAML reads three forms of JSON differently: a character written as two escapes, control
    characters above ASCII, and a number such as 1e-05, which has no decimal point.
    """
    match value:
        case dict():
            pairs = (f"{flow(str(key))}: {flow(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(map(flow, value))}]"
        case str():
            text = json.dumps(_SURROGATE.sub("\ufffd", value), ensure_ascii=False)
            return _UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        case float():
            return re.sub(r"^(-?\d+)e", r"\1.0e", json.dumps(value))
    return json.dumps(value)
