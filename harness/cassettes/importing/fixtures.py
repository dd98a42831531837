"""Fixtures of aimock: what is to be said, which is spoken here in a protocol of the user's choice.

https://github.com/CopilotKit/aimock (``fixtures``, each a ``match`` and a ``response``)

Rules of this file: nobody recorded these streams, so they are encoded anew and say so; answers of
other kinds than words and calls (embeddings, images, sound …) are left out, and a file that holds
nothing else is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.cassettes.cassette import Cassette, Interaction, Provenance
from harness.cassettes.importing.exchanges import JSON_TEXT, encoded, exchange, json_body
from harness.cassettes.importing.messages import as_text, call, named
from harness.cassettes.importing.source import items, keys, mapping, status, text
from harness.model import Part, Reasoning, RedactedReasoning, Text, ToolCall, Usage
from harness.protocols.message import Message
from harness.wire.script import EVENT_STREAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.importing.source import Source
    from harness.model import FinishReason

_DEFAULT = "openai_chat"
_FAILED = 500  # what aimock answers where a fixture names no status
_WORDS = frozenset({"content", "toolCalls", "blocks"})
_CUT = frozenset({"truncateAfterChunks", "disconnectAfterMs"})
_FINISHES: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
}
_COUNTS = {
    "input": ("prompt_tokens", "input_tokens", "promptTokenCount"),
    "output": ("completion_tokens", "output_tokens", "candidatesTokenCount"),
    "total": ("total_tokens", "totalTokenCount"),
}


def takes(source: Source) -> bool:
    """Say whether a JSON document is a file of fixtures."""
    entries = items(mapping(source.document).get("fixtures"))
    return bool(entries) and all(keys(entry) >= {"match", "response"} for entry in entries)


def read(source: Source) -> Cassette:
    """Speak every fixture that answers with words, calls or an error."""
    spoken = source.protocol or _DEFAULT
    entries = [mapping(entry) for entry in source.document["fixtures"]]
    told = tuple(
        _interaction(entry, spoken, f"aimock fixture in {source.path.name}, encoded as {spoken}")
        for entry in entries
        if keys(entry["response"]) & {*_WORDS, "error"}
    )
    if not told:
        raise source.refusal("no fixture answers with words, calls or an error")
    return Cassette(told)


def _interaction(entry: dict[str, Any], spoken: str, what: str) -> Interaction:
    response, kept = mapping(entry["response"]), Provenance(what=what)
    if "error" in response:
        body = json_body({"error": response["error"]})
        code = status(response.get("status")) or _FAILED
        made = exchange(body, JSON_TEXT, spoken, kept, code)
    else:
        cut = not _CUT.isdisjoint(entry)
        made = exchange(encoded(_message(response, cut=cut), spoken), EVENT_STREAM, spoken, kept)
        if cut:
            made = _reset(made)
    return replace(made, request=replace(made.request, body=_asked(mapping(entry["match"]))))


def _reset(made: Interaction) -> Interaction:
    stream = replace(made.response.stream, end="reset")
    return replace(made, response=replace(made.response, stream=stream))


def _asked(match: dict[str, Any]) -> bytes:
    words = match.get("userMessage")
    return json_body({"messages": [{"role": "user", "content": words}]} if words else match)


def _message(response: dict[str, Any], *, cut: bool) -> Message:
    content = tuple(_content(response))
    called = any(isinstance(part, ToolCall) for part in content)
    finish = _FINISHES.get(text(response.get("finishReason")), "tool_calls" if called else "stop")
    message = Message(
        content=content,
        finish=finish,
        ending="truncated" if cut else "incomplete" if finish == "length" else "complete",
        usage=_usage(mapping(response.get("usage"))),
    )
    return named(message, response.get("id"), response.get("model"))


def _content(response: dict[str, Any]) -> Iterator[Part]:
    if text(response.get("reasoning")):
        signature = text(response.get("reasoningSignature")) or None
        yield Reasoning(text=response["reasoning"], signature=signature)
    for data in items(response.get("redactedThinking")):
        yield RedactedReasoning(data=text(data))
    yield from _blocks(response) if "blocks" in response else _plain(response)


def _blocks(response: dict[str, Any]) -> Iterator[Part]:
    for number, block in enumerate(map(mapping, items(response["blocks"])), 1):
        if block.get("type") == "text":
            yield Text(text=text(block.get("text")))
        else:
            yield _call(block, number)


def _plain(response: dict[str, Any]) -> Iterator[Part]:
    if response.get("content"):
        yield Text(text=as_text(response["content"]))
    for number, made in enumerate(map(mapping, items(response.get("toolCalls"))), 1):
        yield _call(made, number)


def _call(made: dict[str, Any], number: int) -> ToolCall:
    return call(made.get("name"), made.get("id"), made.get("arguments"), number)


def _usage(counts: dict[str, Any]) -> Usage | None:
    found = {
        field: next((counts[word] for word in words if isinstance(counts.get(word), int)), None)
        for field, words in _COUNTS.items()
    }
    return Usage(**found) if any(count is not None for count in found.values()) else None
