"""Properties that compare two ways to get the same answer.

A provider delivers one message in two forms, as a stream and as one JSON object, and documents them
as the same message: https://docs.claude.com/en/docs/build-with-claude/streaming and
https://developers.openai.com/api/docs/guides/streaming-responses. The two forms diverge in servers
and in clients alike. The same holds for the synchronous and the asynchronous client, and for one
message in two protocols.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.fuzzing.properties.comparison import compare, view, view_with_chunks
from harness.fuzzing.properties.endings import is_finished
from harness.fuzzing.properties.property import Counterexample, Property, message_of
from harness.generation.capabilities import calls_of, expected
from harness.protocols import names, protocol
from harness.protocols.events import compact
from harness.wire.script import Script

if TYPE_CHECKING:
    from harness.fuzzing.properties.property import Trial
    from harness.generation.cases import Case
    from harness.model import JSON, Outcome

# What two forms or protocols have in common of a call: Anthropic and Gemini keep no text of its
# arguments, and a target may create its own ids.
_CALL = ("name", "arguments", "complete")


# Stream and non-streaming response

_JSON = (("content-type", "application/json"),)


def _matches_nonstreaming(trial: Trial) -> Counterexample | None:
    case, replay = trial
    message, name = message_of(case), case.protocol_name
    has_both_forms = message.ending in {"complete", "incomplete"}
    if not (has_both_forms and is_finished(case.protocol, case.events)):
        return None
    body = Script((compact(case.protocol.response_body(message)).encode(),), headers=_JSON)
    complete, streamed = replay(body, variant="nonstreaming"), replay(case.script)
    if complete.problem:
        return Counterexample(body, why=complete.problem, variant="nonstreaming")
    wanted = {**_content(name, complete.outcome), **_usage(complete.outcome, streamed.outcome)}
    actual = {**_content(name, streamed.outcome), **_usage(streamed.outcome, complete.outcome)}
    why = "the non-streaming response of the same message differs"
    return compare(case.script, wanted, streamed, actual, why)


def _content(name: str, outcome: Outcome) -> dict[str, JSON]:
    """Return what both forms must agree on."""
    separator = protocol(name).expressible.reasoning_separator
    reasoning = outcome.reasoning
    return {
        "text": outcome.text,
        "reasoning": reasoning.replace(separator, "") if separator else reasoning,
        "refusal": outcome.refusal,
        "tool_calls": [
            {field: getattr(call, field) for field in _CALL} for call in outcome.tool_calls
        ],
        "finish": outcome.finish,
    }


def _usage(outcome: Outcome, other: Outcome) -> dict[str, JSON]:
    """Return the counts of an outcome that the other one reports as well."""
    if outcome.usage is None or other.usage is None:
        return {}
    mine, theirs = outcome.usage.model_dump(), other.usage.model_dump()
    both = {name: mine[name] for name in mine if None not in {mine[name], theirs[name]}}
    return {"usage": both}


# Synchronous and asynchronous client


def _sync_matches_async(trial: Trial) -> Counterexample | None:
    case, replay = trial
    wanted = view_with_chunks(replay(case.script).outcome)
    result = replay(case.script, variant="sync")
    actual = view_with_chunks(result.outcome)
    found = compare(case.script, wanted, result, actual, "read with the synchronous client")
    return found and replace(found, variant="sync")


# Two protocols

_SHARED = ("text", "finish", "ending", "tool_calls")


def _same_across_protocols(trial: Trial) -> Counterexample | None:
    """Send the same message in the next protocol, if both can express all of it."""
    case, replay = trial
    known = names()
    following = known[(known.index(case.protocol_name) + 1) % len(known)]
    other = replace(case, protocol_name=following)
    if _expected(case) != _expected(other):
        return None
    result = replay(other.script, protocol=following)
    if result.unsupported:
        return None
    wanted, actual = _delivered(replay(case.script).outcome), _delivered(result.outcome)
    why = f"{case.protocol_name} delivered another outcome of the same message"
    found = compare(other.script, wanted, result, actual, why)
    return found and replace(found, protocol=following)


def _expected(case: Case) -> JSON:
    message = message_of(case)
    wanted = expected(case.protocol_name, message)
    calls = calls_of(case.protocol_name, message)
    return {**{key: wanted.get(key) for key in _SHARED}, "tool_calls": _calls(calls)}


def _delivered(outcome: Outcome) -> dict[str, JSON]:
    seen = view(outcome)
    if outcome.ending in {"truncated", "failed"}:
        return {"text": seen["text"], "ending": seen["ending"]}
    return {**{key: seen[key] for key in _SHARED}, "tool_calls": _calls(seen["tool_calls"])}


def _calls(calls: list[JSON]) -> list[JSON]:
    return [{field: call[field] for field in _CALL} for call in calls]


PROPERTIES: tuple[Property, ...] = (
    Property(
        "same_across_protocols",
        "one message in two protocols leads to one outcome, as far as both can express it",
        ("decisions/0004-finish-and-ending.md",),
        _same_across_protocols,
        of_messages=True,
    ),
    Property(
        "matches_nonstreaming",
        "a stream delivers what the non-streaming response of the same message delivers",
        ("OR-002", "OC-019", "GE-010"),
        _matches_nonstreaming,
        of_messages=True,
        variant="nonstreaming",
    ),
    Property(
        "sync_matches_async",
        "the synchronous client delivers what the asynchronous one delivers",
        ("CA-025",),
        _sync_matches_async,
        variant="sync",
    ),
)
