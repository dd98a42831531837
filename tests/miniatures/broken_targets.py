"""Broken targets with one defect each: the proof that every check can fail.

Each takes what ``builtin`` delivered and changes one thing, in a way a real interface has done
it (docs/defects.md, docs/catalogue.md). It names the one check it breaks and what is sent to it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import httpx2

from harness.model import Chunk, Outcome, Reasoning, Refusal, Text, ToolCall, Usage
from harness.sdks.clients import SdkClients
from harness.targets.builtin import BuiltinTarget
from tests.miniatures.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from harness.model import JSON, FinishReason
    from harness.targets.base import Call

    Change = Callable[[Outcome], Outcome]
    Listen = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True)
class BrokenTarget:
    """One broken target: what is sent, what must be delivered, and the one check it violates."""

    listen: Listen
    breaks: str
    stream: str
    must: Mapping[str, JSON]
    holds_under: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its defect, in words."""
        return str(getattr(self.listen, "__name__", ""))

    def scenario_data(self) -> dict[str, Any]:
        """Return the scenario that detects it."""
        return {**STREAMS[self.stream], "must": self.must, "holds_under": list(self.holds_under)}


BROKEN_TARGETS: list[BrokenTarget] = []


def broken_target(
    breaks: str, stream: str, must: Mapping[str, JSON], holds_under: tuple[str, ...] = ()
) -> Callable[[Listen], Listen]:
    """Register a target that is broken by itself."""

    def register(listen: Listen) -> Listen:
        BROKEN_TARGETS.append(BrokenTarget(listen, breaks, stream, must, holds_under))
        return listen

    return register


def breaks_builtin(
    breaks: str, stream: str, must: Mapping[str, JSON]
) -> Callable[[Change], Change]:
    """Register a target that changes what builtin delivered."""

    def register(change: Change) -> Change:
        async def listen(call: Call) -> Outcome:
            return change(await truth(call))

        listen.__name__ = change.__name__
        broken_target(breaks, stream, must)(listen)
        return change

    return register


async def truth(call: Call) -> Outcome:
    """Return what builtin delivers for a call."""
    clients = SdkClients(call.transport)
    listening = BuiltinTarget(clients).listen(call)
    try:
        with suppress(Exception):  # the outcome names it
            async with listening:
                async for _ in listening:
                    pass
    finally:
        await clients.aclose()
    return listening.outcome()


def changed(outcome: Outcome, **fields: Any) -> Outcome:
    """Return an outcome with other fields; its stop_reason chunk follows a changed finish."""
    if "finish" in fields:
        fields.setdefault("chunks", stopping(outcome.chunks, fields["finish"]))
    return outcome.model_copy(update=fields)


def stopping(chunks: tuple[Chunk, ...], finish: FinishReason) -> tuple[Chunk, ...]:
    """Return the chunks with another finish in the stop_reason chunk."""
    return tuple(c._replace(finish=finish) if c.kind == "stop_reason" else c for c in chunks)


def without(chunks: tuple[Chunk, ...], *kinds: str) -> tuple[Chunk, ...]:
    """Return the chunks of all other kinds."""
    return tuple(chunk for chunk in chunks if chunk.kind not in kinds)


# The content


@breaks_builtin("text", "cut", {"text": "The three reasons are"})
def text_is_lost_at_an_incomplete_terminal(outcome: Outcome) -> Outcome:
    """OR-002: an interface that waits for response.completed has nothing."""
    return changed(outcome, content=(), chunks=without(outcome.chunks, "text"))


@breaks_builtin("refusal", "refusal", {"refusal": "I cannot help."})
def the_refusal_is_dropped(outcome: Outcome) -> Outcome:
    """OR-029, D33."""
    kept = tuple(part for part in outcome.content if not isinstance(part, Refusal))
    return changed(outcome, content=kept, chunks=without(outcome.chunks, "refusal"))


@breaks_builtin("reasoning", "thinking", {"reasoning": "Let me see."})
def reasoning_is_shown_as_text(outcome: Outcome) -> Outcome:
    content = (
        Text(text="".join(p.text for p in outcome.content if isinstance(p, Reasoning | Text))),
    )
    chunks = (c._replace(kind="text") if c.kind == "reasoning" else c for c in outcome.chunks)
    return changed(outcome, content=content, chunks=tuple(chunks))


@breaks_builtin(
    "content",
    "thinking",
    {"content": [{"kind": "reasoning", "signature": "sig_1"}, {"kind": "text"}]},
)
def the_signature_is_lost(outcome: Outcome) -> Outcome:
    content = (
        part.model_copy(update={"signature": None}) if isinstance(part, Reasoning) else part
        for part in outcome.content
    )
    return changed(outcome, content=tuple(content))


@breaks_builtin("kinds", "thinking", {"kinds": ["reasoning", "text"]})
def the_order_of_the_parts_is_lost(outcome: Outcome) -> Outcome:
    """D27."""
    place = {0: 1, 1: 0}
    chunks = (c if c.part is None else c._replace(part=place[c.part]) for c in outcome.chunks)
    return changed(outcome, content=outcome.content[::-1], chunks=tuple(chunks))


# Tool calls


@breaks_builtin(
    "tool_calls",
    "calls",
    {"tool_calls": [{"name": "clock", "arguments": {"zone": "UTC"}}, {"name": "weather"}]},
)
def parallel_calls_swap_their_arguments(outcome: Outcome) -> Outcome:
    """D19, D30."""
    chunks = (c if c.index is None else c._replace(index=1 - c.index) for c in outcome.chunks)
    return changed(outcome, content=swapped(outcome.tool_calls), chunks=tuple(chunks))


@breaks_builtin("argument_sum", "calls", {"executable": ["clock", "weather"]})
def kept_calls_swap_their_arguments(outcome: Outcome) -> Outcome:
    return changed(outcome, content=swapped(outcome.tool_calls))


def swapped(calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    """Return two calls, each with the arguments of the other."""
    one, two = ({"arguments_raw": c.arguments_raw, "arguments": c.arguments} for c in calls)
    return (calls[0].model_copy(update=two), calls[1].model_copy(update=one))


@breaks_builtin("executable", "cut call", {"executable": []})
def a_cut_call_is_repaired_and_executed(outcome: Outcome) -> Outcome:
    """D28, AN-017: half an argument becomes an empty object."""
    [call] = outcome.tool_calls
    repaired = {"arguments_raw": "{}", "arguments": {}, "complete": True}
    chunks = [c for c in outcome.chunks if not (c.kind == "tool_call" and c.arguments)]
    at = next(place for place, chunk in enumerate(chunks) if chunk.kind == "tool_call")
    chunks[at] = chunks[at]._replace(arguments="{}")
    return changed(outcome, content=(call.model_copy(update=repaired),), chunks=tuple(chunks))


@breaks_builtin("inert_call", "cut call", {"executable": []})
def a_cut_call_carries_guessed_arguments(outcome: Outcome) -> Outcome:
    [call] = outcome.tool_calls
    return changed(outcome, content=(call.model_copy(update={"arguments": {"city": "Ro"}}),))


@breaks_builtin("next_request", "calls", {"next_request": "accepted"})
def calls_lose_their_ids(outcome: Outcome) -> Outcome:
    """OC-032: results cannot refer to their calls, and the next request is rejected."""
    return changed(
        outcome, content=tuple(c.model_copy(update={"id": ""}) for c in outcome.tool_calls)
    )


# How it ended


@breaks_builtin("finish", "cut", {"finish": "length"})
def length_is_reported_as_stop(outcome: Outcome) -> Outcome:
    """D42."""
    return changed(outcome, finish="stop", ending="complete")


@breaks_builtin("finish_raw", "cut", {"finish_raw": "max_output_tokens"})
def the_providers_own_word_is_replaced(outcome: Outcome) -> Outcome:
    return changed(outcome, finish_raw=outcome.finish)


@breaks_builtin("ending", "truncated", {"ending": "truncated"})
def a_truncation_is_reported_as_complete(outcome: Outcome) -> Outcome:
    """AN-013."""
    return changed(outcome, ending="complete", error=None)


@breaks_builtin("error", "overloaded", {"error": {"kind": "overloaded"}})
def an_error_inside_a_200_is_an_empty_success(outcome: Outcome) -> Outcome:
    """D31, AN-011."""
    success = {"finish": "stop", "finish_raw": "end_turn", "ending": "complete", "error": None}
    return changed(outcome, chunks=stopping(without(outcome.chunks, "error"), "stop"), **success)


@breaks_builtin("ending_agrees", "overloaded", {"ending": "failed"})
def a_failure_without_an_error(outcome: Outcome) -> Outcome:
    return changed(outcome, error=None)


@breaks_builtin("unknown_is_not_success", "new word", {"text": "Hello"})
def an_unknown_finish_is_taken_for_stop(outcome: Outcome) -> Outcome:
    """GE-027."""
    return changed(outcome, finish="stop")


@breaks_builtin("one_stop_reason", "cut", {"finish": "length"})
def the_stop_reason_comes_twice(outcome: Outcome) -> Outcome:
    """D58, D71."""
    stop = next(chunk for chunk in outcome.chunks if chunk.kind == "stop_reason")
    return changed(outcome, chunks=(*outcome.chunks, stop))


# What was counted


@breaks_builtin("usage", "counted", {"usage": {"input": 10, "output": 15}})
def cumulative_usage_is_summed(outcome: Outcome) -> Outcome:
    """AN-002, D22: 1 of message_start and 15 of message_delta."""
    return changed(outcome, usage=Usage(input=10, output=16, total=26))


@breaks_builtin("usage_counts", "counted", {"text": "Hello"})
def the_cache_is_taken_off_an_input_without_it(outcome: Outcome) -> Outcome:
    return changed(outcome, usage=Usage(input=-90, cached=100, output=15))


# What was shown while it streamed


@breaks_builtin("chunk_sum", "counted", {"text": "Hello"})
def the_final_snapshot_is_shown_as_a_delta(outcome: Outcome) -> Outcome:
    """OR-023."""
    at = next(place for place, chunk in enumerate(outcome.chunks) if chunk.kind == "text")
    chunks = (*outcome.chunks[: at + 1], outcome.chunks[at], *outcome.chunks[at + 1 :])
    return changed(outcome, chunks=chunks)


@breaks_builtin(
    "chunks", "thinking", {"chunks": [{"text": "Let me see."}, {"part": 1}, {"part": 1}]}
)
def chunks_do_not_say_where_they_belong(outcome: Outcome) -> Outcome:
    return changed(outcome, chunks=tuple(chunk._replace(part=None) for chunk in outcome.chunks))


@breaks_builtin("chunk_texts", "thinking", {"chunk_texts": ["Hello", " there"]})
def the_text_comes_in_one_piece(outcome: Outcome) -> Outcome:
    said = without(outcome.chunks, "text", "stop_reason", "usage")
    tail = without(outcome.chunks, "text", "reasoning")
    return changed(outcome, chunks=(*said, Chunk("text", outcome.text, 1), *tail))


@breaks_builtin("chunk_kinds", "thinking", {"chunk_kinds": ["reasoning", "text"]})
def reasoning_is_shown_after_the_answer(outcome: Outcome) -> Outcome:
    text = without(outcome.chunks, "reasoning", "stop_reason", "usage")
    thought = without(outcome.chunks, "text", "stop_reason", "usage")
    tail = without(outcome.chunks, "text", "reasoning")
    return changed(outcome, chunks=(*text, *thought, *tail))


@breaks_builtin("emitted", "thinking", {"emitted": {"chunks": {"$at_most": 20}}})
def silence_is_filled_without_end(outcome: Outcome) -> Outcome:
    return changed(outcome, chunks=(Chunk("ping"),) * 60 + outcome.chunks)


# What else is reported


@breaks_builtin("response_id", "counted", {"response_id": "msg_1"})
def the_response_id_is_minted_anew(outcome: Outcome) -> Outcome:
    """D44."""
    return changed(outcome, response_id="run-0001")


@breaks_builtin("model", "counted", {"model": "claude-sonnet-4-6"})
def the_model_is_overwritten_by_null(outcome: Outcome) -> Outcome:
    """D46."""
    return changed(outcome, model=None)


@breaks_builtin("notes", "new word", {"notes": ["unknown_finish"]})
def nothing_is_noted(outcome: Outcome) -> Outcome:
    return changed(outcome, notes=())


# Targets that do not even deliver


@broken_target("target", "counted", {"tool_calls": []})
async def raises(_: Call) -> Outcome:
    """Raise an exception of its own, and report nothing in an outcome."""
    raise ValueError("I am no interface")


@broken_target("target", "counted", {"tool_calls": []})
async def hangs(_: Call) -> Outcome:
    """Wait for something that never comes."""
    await asyncio.sleep(3600)
    raise AssertionError


@broken_target("target", "counted", {"tool_calls": []})
async def blocks_its_thread(_: Call) -> Outcome:
    """Block the event loop for longer than the harness waits."""
    time.sleep(3)  # noqa: ASYNC251 - that is the defect
    return Outcome()


@broken_target("target", "counted", {"tool_calls": []})
async def returns_nonsense(_: Call) -> Any:
    """Return something that is not an outcome."""
    return {"text": "Hello"}


@broken_target("target", "counted", {"tool_calls": []})
async def asks_the_process_to_exit(_: Call) -> Outcome:
    """Think it is a script."""
    raise SystemExit(0)


@broken_target("target", "counted", {"tool_calls": []})
async def speaks_another_protocol(_: Call) -> Outcome:
    """Never be asked."""
    raise AssertionError


speaks_another_protocol.protocols = ("openai_chat",)  # type: ignore[attr-defined]  # as base.py asks


@broken_target(
    "holds_under:any_byte_split", "counted", {"text": "Hello"}, ("any_byte_split", "crlf")
)
async def takes_a_read_for_an_event(call: Call) -> Outcome:
    """Parse each read of the socket as if the provider's writes arrived as they were made."""
    asked = httpx2.AsyncClient(transport=call.transport)
    async with asked as client, client.stream("POST", f"{call.base_url}/v1/messages") as response:
        reads = [read async for read in response.aiter_raw()]
    texts = [read.split(b'"text":"')[1].split(b'"')[0] for read in reads if b"text_delta" in read]
    chunks = (Chunk("text", text.decode(), 0) for text in texts if text)
    said = Text(text="".join(text.decode() for text in texts))
    return Outcome(
        chunks=tuple(chain(chunks, (Chunk("stop_reason", finish="stop"),))),
        content=(said,) if said.text else (),
        finish="stop",
        ending="complete",
    )
