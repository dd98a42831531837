"""Fixtures of aimock: messages that are encoded in a protocol of the user's choice.

https://github.com/CopilotKit/aimock (``fixtures``, each a ``match`` and a ``response``)

Rules of this file: these streams were not recorded, so they are encoded here and their provenance
says so; responses other than text, tool calls and errors (embeddings, images, audio …) are skipped,
and a file without any other is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.cassettes.cassette import Cassette, Interaction, Provenance
from harness.cassettes.importing.exchanges import JSON_TEXT, encoded, exchange, json_body
from harness.cassettes.importing.message_parts import as_text, tool_call, with_ids
from harness.cassettes.importing.source import items, keys, mapping, status, text
from harness.model import Part, Reasoning, RedactedReasoning, Text, ToolCall, Usage
from harness.protocols.message import Message
from harness.wire.script import EVENT_STREAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.importing.source import Source
    from harness.model import FinishReason

_DEFAULT = "openai_chat"
_FAILED = 500  # the status of an error in aimock if the fixture names none
_CONTENT = frozenset({"content", "toolCalls", "blocks"})
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


def matches(source: Source) -> bool:
    """Return whether a JSON document is a file of fixtures."""
    entries = items(mapping(source.document).get("fixtures"))
    return bool(entries) and all(keys(entry) >= {"match", "response"} for entry in entries)


def read(source: Source) -> Cassette:
    """Encode every fixture whose response is text, tool calls or an error."""
    protocol_name = source.protocol or _DEFAULT
    entries = [mapping(entry) for entry in source.document["fixtures"]]
    interactions = tuple(
        _interaction(
            entry,
            protocol_name,
            f"aimock fixture in {source.path.name}, encoded as {protocol_name}",
        )
        for entry in entries
        if keys(entry["response"]) & {*_CONTENT, "error"}
    )
    if not interactions:
        raise source.error("no fixture has a response of text, tool calls or an error")
    return Cassette(interactions)


def _interaction(entry: dict[str, Any], protocol_name: str, what: str) -> Interaction:
    response, provenance = mapping(entry["response"]), Provenance(what=what)
    if "error" in response:
        body = json_body({"error": response["error"]})
        code = status(response.get("status")) or _FAILED
        interaction = exchange(body, JSON_TEXT, protocol_name, provenance, code)
    else:
        cut = not _CUT.isdisjoint(entry)
        interaction = exchange(
            encoded(_message(response, cut=cut), protocol_name),
            EVENT_STREAM,
            protocol_name,
            provenance,
        )
        if cut:
            interaction = _reset(interaction)
    return replace(
        interaction,
        request=replace(interaction.request, body=_request_body(mapping(entry["match"]))),
    )


def _reset(interaction: Interaction) -> Interaction:
    stream = replace(interaction.response.stream, end="reset")
    return replace(interaction, response=replace(interaction.response, stream=stream))


def _request_body(match: dict[str, Any]) -> bytes:
    content = match.get("userMessage")
    return json_body({"messages": [{"role": "user", "content": content}]} if content else match)


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
    return with_ids(message, response.get("id"), response.get("model"))


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
    for number, interaction in enumerate(map(mapping, items(response.get("toolCalls"))), 1):
        yield _call(interaction, number)


def _call(interaction: dict[str, Any], number: int) -> ToolCall:
    return tool_call(
        interaction.get("name"), interaction.get("id"), interaction.get("arguments"), number
    )


def _usage(counts: dict[str, Any]) -> Usage | None:
    found = {
        field: next((counts[name] for name in names if isinstance(counts.get(name), int)), None)
        for field, names in _COUNTS.items()
    }
    return Usage(**found) if any(count is not None for count in found.values()) else None
