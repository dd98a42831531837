"""One sin a law: somebody's interface did each of these (the catalogue, STREAMING section 4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.model import Chunk, ErrorInfo, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model import Outcome
    from harness.wire.script import Script
    from tests.fuzzing.breaking import Spoil


class Sin(NamedTuple):
    """A spoiler, the wire it is caught on, and how many events the smallest stream may have."""

    law: str
    protocol: str
    events: int
    spoil: Spoil


SINS: list[Sin] = []


def sin(law: str, protocol: str, events: int) -> Callable[[Spoil], Spoil]:
    """Register a spoiler under the law that has to find it."""

    def register(spoil: Spoil) -> Spoil:
        SINS.append(Sin(law, protocol, events, spoil))
        return spoil

    return register


def changed(told: Outcome, **fields: Any) -> Outcome:
    return told.model_copy(update=fields)


def _calls(told: Outcome, change: Callable[[ToolCall], ToolCall]) -> Outcome:
    content = (change(part) if isinstance(part, ToolCall) else part for part in told.content)
    return changed(told, content=tuple(content))


@sin("round_trip", "openai_chat", 5)
def mints_ids_of_its_own(told: Outcome, _: Script) -> Outcome:
    """OC-031: the provider's id is lost, so no result can be matched to its call."""
    return _calls(told, lambda call: call.model_copy(update={"id": f"mine_{call.id}"}))


@sin("rechunking", "anthropic_messages", 13)
def keeps_two_deltas(told: Outcome, script: Script) -> Outcome:
    """What came in more pieces than it has room for is called by another name."""
    deltas = script.body.count(b"text_delta")
    return changed(told, finish_raw=None) if deltas > 2 else told


@sin("interleaving", "openai_responses", 13)
def thinks_calls_follow_one_another(told: Outcome, _: Script) -> Outcome:
    """OR-027: one slot for the call that is open."""
    seen = [c.index for c in told.chunks if c.kind == "tool_call" and c.index is not None]
    return (
        told
        if seen == sorted(seen)
        else _calls(told, lambda call: call.model_copy(update={"name": "?"}))
    )


@sin("usage_assigned", "openai_chat", 5)
def sums_counts(told: Outcome, script: Script) -> Outcome:
    """OC-005: each report is added to the last."""
    times = script.body.count(b'"completion_tokens"')
    if told.usage is None or times < 2:
        return told
    usage = told.usage.model_copy(update={"output": (told.usage.output or 0) * times + 1})
    return changed(told, usage=usage)


@sin("parity", "openai_chat", 3)
def stops_otherwise_on_one_wire(told: Outcome, script: Script) -> Outcome:
    return changed(told, finish="length") if b"message_stop" in script.body else told


@sin("byte_cuts", "gemini_generate", 4)
def reads_whole_lines(told: Outcome, script: Script) -> Outcome:
    """TR-001: what arrives byte by byte is not put together."""
    return changed(told, content=()) if script.cut == "byte" and told.text else told


@sin("noise", "anthropic_messages", 4)
def stumbles_over_a_ping(told: Outcome, script: Script) -> Outcome:
    """AN-008."""
    return changed(told, finish_raw="ping") if b"event: ping" in script.body else told


@sin("bounded", "openai_responses", 2)
def shows_everything_again(told: Outcome, _: Script) -> Outcome:
    return changed(told, chunks=told.chunks * 60)


@sin("prefix", "openai_chat", 0)
def calls_silence_an_answer(told: Outcome, _: Script) -> Outcome:
    """OC-016: a stream that just ends is taken as whole."""
    return changed(told, ending="incomplete") if told.ending == "truncated" else told


@sin("words_held", "openai_responses", 5)
def waits_for_the_terminal(told: Outcome, _: Script) -> Outcome:
    """OR-002: whoever waits for response.completed has nothing."""
    return changed(told, content=()) if told.ending == "truncated" else told


@sin("no_silent_success", "gemini_generate", 0)
def ends_well_always(told: Outcome, _: Script) -> Outcome:
    """OR-012."""
    return changed(told, ending="complete", error=None)


@sin("error_shows", "anthropic_messages", 1)
def drops_errors(told: Outcome, _: Script) -> Outcome:
    """AN-010: an error inside a 200 stream looks like an empty success."""
    return changed(told, ending="truncated", error=None) if told.ending == "failed" else told


@sin("no_half_call", "openai_responses", 5)
def runs_what_it_has(told: Outcome, _: Script) -> Outcome:
    """TR-013: a call that was cut is run without arguments."""
    return _calls(told, lambda call: call if call.complete else _ready(call))


def _ready(call: ToolCall) -> ToolCall:
    return call.model_copy(update={"arguments": {"cut": True}, "complete": True})


@sin("unknown_word", "anthropic_messages", 3)
def knows_one_way_to_stop(told: Outcome, _: Script) -> Outcome:
    """OC-023."""
    return changed(told, finish="stop")


@sin("history", "openai_chat", 3)
def gives_every_call_one_id(told: Outcome, _: Script) -> Outcome:
    """OC-032: two calls of one id, and the next request is refused."""
    return _calls(told, lambda call: call.model_copy(update={"id": ""}))


@sin("chunk_sum", "anthropic_messages", 6)
def shows_words_it_does_not_keep(told: Outcome, _: Script) -> Outcome:
    chunks = (Chunk("text", text="?", part=0), *told.chunks)
    return changed(told, chunks=chunks) if told.text else told


@sin("argument_sum", "openai_chat", 4)
def hides_arguments(told: Outcome, _: Script) -> Outcome:
    return changed(
        told, chunks=tuple(c._replace(arguments=c.arguments and "?") for c in told.chunks)
    )


@sin("one_stop_reason", "gemini_generate", 1)
def stops_twice(told: Outcome, _: Script) -> Outcome:
    stop = [chunk for chunk in told.chunks if chunk.kind == "stop_reason"]
    return changed(told, chunks=(*stop, *told.chunks))


@sin("inert_call", "openai_responses", 6)
def parses_what_was_cut(told: Outcome, _: Script) -> Outcome:
    return _calls(
        told, lambda call: call if call.complete else call.model_copy(update={"arguments": {}})
    )


@sin("usage_counts", "openai_chat", 3)
def counts_downwards(told: Outcome, _: Script) -> Outcome:
    return changed(told, usage=told.usage and told.usage.model_copy(update={"output": -1}))


@sin("ending_agrees", "openai_chat", 2)
def fails_without_an_error(told: Outcome, _: Script) -> Outcome:
    error = ErrorInfo(kind="unknown")
    return changed(told, error=error) if told.ending == "complete" else told


@sin("unknown_is_no_success", "gemini_generate", 1)
def makes_words_up(told: Outcome, _: Script) -> Outcome:
    raw = re.sub("^STOP$", "HALT", told.finish_raw or "")
    return changed(told, finish_raw=raw)
