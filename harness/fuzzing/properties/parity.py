"""Law of the two ways to ask: a stream delivers what the whole answer delivers.

A provider says one message in two forms, as a stream and as one JSON object, and promises the same
message: https://docs.claude.com/en/docs/build-with-claude/streaming and
https://developers.openai.com/api/docs/guides/streaming-responses. Parity breaks in servers and in
clients alike (catalogue, invariant 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fuzzing.properties.finished import is_finished
from harness.fuzzing.properties.property import Broken, Property, compare
from harness.protocols import protocol
from harness.protocols.events import compact
from harness.wire.script import Script

if TYPE_CHECKING:
    from harness.fuzzing.properties.property import Deliver
    from harness.generation.cases import Case
    from harness.model import JSON, Outcome
    from harness.protocols.message import Message

_JSON = (("content-type", "application/json"),)
_CALL = ("name", "arguments", "complete")  # Anthropic and Gemini keep no text of arguments


def _shown(name: str, outcome: Outcome) -> dict[str, JSON]:
    """Return what both ways have to agree on."""
    between = protocol(name).expressible.reasoning_separator
    calls = outcome.tool_calls
    thought = outcome.reasoning
    return {
        "text": outcome.text,
        "reasoning": thought.replace(between, "") if between else thought,
        "refusal": outcome.refusal,
        "tool_calls": [{field: getattr(call, field) for field in _CALL} for call in calls],
        "finish": outcome.finish,
    }


def _counted(outcome: Outcome, other: Outcome) -> dict[str, JSON]:
    """Return the counts that both report."""
    if outcome.usage is None or other.usage is None:
        return {}
    mine, theirs = outcome.usage.model_dump(), other.usage.model_dump()
    both = {name: mine[name] for name in mine if None not in {mine[name], theirs[name]}}
    return {"usage": both}


def _has_whole_form(case: Case, said: Message) -> bool:
    return said.ending in {"complete", "incomplete"} and is_finished(case.protocol, case.events)


def _stream_is_whole(case: Case, tell: Deliver) -> Broken | None:
    said, name = case.said, case.protocol_name
    assert said is not None  # noqa: S101 - laws of messages are held against messages only
    if not _has_whole_form(case, said):
        return None
    body = Script((compact(case.protocol.response_body(said)).encode(),), headers=_JSON)
    whole, streamed = tell(body, twin="nonstreaming"), tell(case.script)
    if whole.complaint:
        return Broken(body, why=whole.complaint, twin="nonstreaming")
    expected = {**_shown(name, whole.outcome), **_counted(whole.outcome, streamed.outcome)}
    actual = {**_shown(name, streamed.outcome), **_counted(streamed.outcome, whole.outcome)}
    return compare(case.script, expected, streamed, actual, "the whole answer says otherwise")


LAWS: tuple[Property, ...] = (
    Property(
        "stream_is_whole",
        "a stream delivers what the same message delivers that is not streamed",
        ("OR-002", "OC-019", "GE-010"),
        _stream_is_whole,
        of_messages=True,
        twin="nonstreaming",
    ),
)
