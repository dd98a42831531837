"""Deliberately broken targets, one per property: what builtin delivers, changed.

Each change does what a real interface did, by id of the catalogue. It sees the response that was
sent, as an interface sees its events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from harness.model import Chunk, ErrorInfo, ToolCall
from harness.protocols import NAMES
from harness.sdks.clients import SdkClients
from harness.targets.builtin import BuiltinListening

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model import Outcome
    from harness.targets.base import Call
    from harness.wire.script import Script

    Change = Callable[[Outcome, Script], Outcome]


class BrokenTarget:
    """A target that changes what builtin delivers.

    Args:
        change: outcome, response -> the outcome it reports.
    """

    protocols = NAMES

    def __init__(self, change: Change) -> None:
        self.name, self._change = change.__name__, change
        self._clients: SdkClients | None = None

    def listen(self, call: Call) -> BrokenListening:
        # Created here, because clients belong to the event loop that runs the target.
        self._clients = self._clients or SdkClients(call.transport)
        return BrokenListening(self._clients, call, self._change)


class BrokenListening(BuiltinListening):
    def __init__(self, clients: SdkClients, call: Call, change: Change) -> None:
        super().__init__(clients, call)
        self._change, self._script = change, _script(call)

    def outcome(self) -> Outcome:
        return self._change(super().outcome(), self._script)


def _script(call: Call) -> Script:
    registry: Any = call.transport._registry
    script: Script = registry.script_for(urlsplit(call.base_url).path)[1]
    return script


class Breaking(NamedTuple):
    """What breaks a target, and what has to find it.

    Args:
        property_name: the property that it violates.
        protocol: the protocol in which it does.
        events: how many events the minimal stream may have.
        change: outcome, response -> the outcome that the broken target reports.
    """

    property_name: str
    protocol: str
    events: int
    change: Change


BROKEN_TARGETS: list[Breaking] = []


def breaks(property_name: str, protocol: str, events: int) -> Callable[[Change], Change]:
    """Register a change under the property that has to find it."""

    def register(change: Change) -> Change:
        BROKEN_TARGETS.append(Breaking(property_name, protocol, events, change))
        return change

    return register


def changed(outcome: Outcome, **fields: Any) -> Outcome:
    return outcome.model_copy(update=fields)


def _with_calls(outcome: Outcome, change: Callable[[ToolCall], ToolCall]) -> Outcome:
    content = (change(part) if isinstance(part, ToolCall) else part for part in outcome.content)
    return changed(outcome, content=tuple(content))


@breaks("round_trip", "openai_chat", 5)
def creates_its_own_call_ids(outcome: Outcome, _: Script) -> Outcome:
    """OC-031: the provider's id is lost, so no result can be matched to its call."""
    return _with_calls(outcome, lambda call: call.model_copy(update={"id": f"mine_{call.id}"}))


@breaks("rechunking", "anthropic_messages", 13)
def keeps_two_deltas(outcome: Outcome, script: Script) -> Outcome:
    """A text in more than two pieces loses the provider's finish reason."""
    deltas = script.body.count(b"text_delta")
    return changed(outcome, finish_raw=None) if deltas > 2 else outcome


@breaks("interleaving", "openai_responses", 13)
def expects_calls_one_after_another(outcome: Outcome, _: Script) -> Outcome:
    """OR-027: one slot for the call that is open."""
    seen = [c.index for c in outcome.chunks if c.kind == "tool_call" and c.index is not None]
    return (
        outcome
        if seen == sorted(seen)
        else _with_calls(outcome, lambda call: call.model_copy(update={"name": "?"}))
    )


@breaks("usage_not_summed", "openai_chat", 5)
def sums_usage(outcome: Outcome, script: Script) -> Outcome:
    """OC-005: each report is added to the last."""
    times = script.body.count(b'"completion_tokens"')
    if outcome.usage is None or times < 2:
        return outcome
    usage = outcome.usage.model_copy(update={"output": (outcome.usage.output or 0) * times + 1})
    return changed(outcome, usage=usage)


@breaks("same_across_protocols", "openai_chat", 3)
def reports_length_for_one_protocol(outcome: Outcome, script: Script) -> Outcome:
    return changed(outcome, finish="length") if b"message_stop" in script.body else outcome


@breaks("byte_cuts", "gemini_generate", 4)
def needs_complete_lines(outcome: Outcome, script: Script) -> Outcome:
    """TR-001: what arrives byte by byte is not joined."""
    return changed(outcome, content=()) if script.cut == "byte" and outcome.text else outcome


@breaks("noise", "anthropic_messages", 4)
def fails_on_a_ping(outcome: Outcome, script: Script) -> Outcome:
    """AN-008."""
    return changed(outcome, finish_raw="ping") if b"event: ping" in script.body else outcome


@breaks("bounded_output", "openai_responses", 2)
def repeats_every_chunk(outcome: Outcome, _: Script) -> Outcome:
    return changed(outcome, chunks=outcome.chunks * 60)


@breaks("prefix", "openai_chat", 0)
def reports_truncated_as_incomplete(outcome: Outcome, _: Script) -> Outcome:
    """OC-016: a stream that just ends is taken as one that ended."""
    return changed(outcome, ending="incomplete") if outcome.ending == "truncated" else outcome


@breaks("no_text_lost", "openai_responses", 5)
def waits_for_the_terminal(outcome: Outcome, _: Script) -> Outcome:
    """OR-002: an interface that waits for response.completed has nothing."""
    return changed(outcome, content=()) if outcome.ending == "truncated" else outcome


@breaks("no_silent_success", "gemini_generate", 0)
def always_reports_success(outcome: Outcome, _: Script) -> Outcome:
    """OR-012."""
    return changed(outcome, ending="complete", error=None)


@breaks("error_reported", "anthropic_messages", 1)
def drops_errors(outcome: Outcome, _: Script) -> Outcome:
    """AN-010: an error inside a 200 stream looks like an empty success."""
    if outcome.ending != "failed":
        return outcome
    return changed(outcome, ending="truncated", error=None)


@breaks("no_partial_call", "openai_responses", 5)
def executes_partial_calls(outcome: Outcome, _: Script) -> Outcome:
    """TR-013: a call that was cut is executed without arguments."""
    return _with_calls(outcome, lambda call: call if call.complete else _executable(call))


def _executable(call: ToolCall) -> ToolCall:
    return call.model_copy(update={"arguments": {"cut": True}, "complete": True})


@breaks("unknown_finish_reason", "anthropic_messages", 3)
def always_finishes_with_stop(outcome: Outcome, _: Script) -> Outcome:
    """OC-023."""
    return changed(outcome, finish="stop")


@breaks("next_request_accepted", "openai_chat", 3)
def gives_every_call_one_id(outcome: Outcome, _: Script) -> Outcome:
    """OC-032: two calls of one id, and the next request is refused."""
    return _with_calls(outcome, lambda call: call.model_copy(update={"id": ""}))


@breaks("chunk_sum", "anthropic_messages", 6)
def emits_text_that_is_not_in_the_content(outcome: Outcome, _: Script) -> Outcome:
    chunks = (Chunk("text", text="?", part=0), *outcome.chunks)
    return changed(outcome, chunks=chunks) if outcome.text else outcome


@breaks("argument_sum", "openai_chat", 4)
def hides_arguments(outcome: Outcome, _: Script) -> Outcome:
    return changed(
        outcome, chunks=tuple(c._replace(arguments=c.arguments and "?") for c in outcome.chunks)
    )


@breaks("one_stop_reason", "gemini_generate", 1)
def stops_twice(outcome: Outcome, _: Script) -> Outcome:
    stop = [chunk for chunk in outcome.chunks if chunk.kind == "stop_reason"]
    return changed(outcome, chunks=(*stop, *outcome.chunks))


@breaks("inert_call", "openai_responses", 6)
def parses_partial_arguments(outcome: Outcome, _: Script) -> Outcome:
    return _with_calls(
        outcome, lambda call: call if call.complete else call.model_copy(update={"arguments": {}})
    )


@breaks("usage_counts", "openai_chat", 3)
def reports_negative_usage(outcome: Outcome, _: Script) -> Outcome:
    usage = outcome.usage
    return changed(outcome, usage=usage and usage.model_copy(update={"output": -1}))


@breaks("ending_agrees", "openai_chat", 2)
def reports_an_error_of_a_complete_stream(outcome: Outcome, _: Script) -> Outcome:
    error = ErrorInfo(kind="unknown")
    return changed(outcome, error=error) if outcome.ending == "complete" else outcome


@breaks("unknown_is_not_success", "gemini_generate", 1)
def invents_finish_reasons(outcome: Outcome, _: Script) -> Outcome:
    raw = re.sub("^STOP$", "HALT", outcome.finish_raw or "")
    return changed(outcome, finish_raw=raw)
