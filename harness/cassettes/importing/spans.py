"""OpenTelemetry spans with captured content: the output of a model, encoded as a stream.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
(attributes of an inference; ``gen_ai.output.messages`` is opt-in), in OTLP's JSON, one document or
one per line, or as printed by the SDK's console exporter.

Rules of this file: a span contains a message and no stream, so it is encoded here and its
provenance says so; spans of agents and tools repeat the output of their inferences and are skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassettes.cassette import Cassette, Interaction, Provenance
from harness.cassettes.importing.exchanges import encoded, exchange
from harness.cassettes.importing.message_parts import as_text, tool_call, with_ids
from harness.cassettes.importing.source import items, keys, mapping, text
from harness.model import Part, Reasoning, Text, Usage
from harness.protocols import names, protocol
from harness.protocols.message import Message
from harness.wire.script import EVENT_STREAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.importing.source import Source
    from harness.model import Ending, FinishReason

_OUTPUT = "gen_ai.output.messages"
_INFERENCES = frozenset({"chat", "generate_content", "text_completion", ""})
# The protocol of unknown providers: every compatible server supports it.
_CHAT = "openai_chat"
_FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_call": "tool_calls",
}
# "error" means that the stream ended without a finish reason.
_ENDINGS: dict[str, Ending] = {"error": "truncated", "length": "incomplete"}
_COUNTS = {"input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens"}


def matches(source: Source) -> bool:
    """Return whether a file contains spans."""
    found = keys(next(_documents(source), None))
    return "resourceSpans" in found or found >= {"context", "name", "attributes"}


def read(source: Source) -> Cassette:
    """Encode every inference whose content was captured."""
    found = tuple(
        _interaction(attributes, source)
        for attributes in _spans(source)
        if text(attributes.get("gen_ai.operation.name")) in _INFERENCES and _OUTPUT in attributes
    )
    if not found:
        message = f"no inference has {_OUTPUT}; turn on the capture of content and record again"
        raise source.error(message)
    return Cassette(found)


def _documents(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the JSON documents of a file: one, one per line, or those of a list."""
    lines = list(source.lines())
    one_a_line = len(lines) > 1 and all(line.startswith(b"{") for _, line in lines)
    if one_a_line:
        yield from (mapping(source.json(line, number)) for number, line in lines)
    elif isinstance(source.document, list):
        yield from map(mapping, source.document)
    else:
        yield mapping(source.document)


def _spans(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the attributes of each span."""
    for document in _documents(source):
        if "resourceSpans" not in document:
            yield mapping(document.get("attributes"))
        for resource in map(mapping, items(document.get("resourceSpans"))):
            for scope in map(mapping, items(resource.get("scopeSpans"))):
                for span in map(mapping, items(scope.get("spans"))):
                    yield _attributes(span.get("attributes"))


def _attributes(pairs: object) -> dict[str, Any]:
    entries = map(mapping, items(pairs))
    return {text(pair.get("key")): _value(mapping(pair.get("value"))) for pair in entries}


def _value(value: dict[str, Any]) -> Any:
    """Return the value of OTLP's AnyValue; in JSON its integers are strings."""
    match value:
        case {"intValue": number}:
            return int(number) if str(number).lstrip("-").isdecimal() else None
        case {"arrayValue": inner}:
            return [_value(mapping(item)) for item in items(mapping(inner).get("values"))]
        case {"kvlistValue": inner}:
            return _attributes(mapping(inner).get("values"))
    return next(iter(value.values()), None)


def _interaction(attributes: dict[str, Any], source: Source) -> Interaction:
    provider = text(attributes.get("gen_ai.provider.name") or attributes.get("gen_ai.system"))
    protocol_name = source.protocol or _protocol_named(provider)
    what = f"span of {provider or 'a provider'} in {source.path.name}, encoded as {protocol_name}"
    body = encoded(_message(attributes, source), protocol_name)
    return exchange(body, EVENT_STREAM, protocol_name, Provenance(what=what))


def _protocol_named(provider: str) -> str:
    """Return the protocol of a value of ``gen_ai.provider.name``."""
    known = (protocol(name) for name in names())
    matching = (each.name for each in known if provider in each.endpoint.telemetry_names)
    return next(matching, _CHAT)


def _message(attributes: dict[str, Any], source: Source) -> Message:
    content = attributes[_OUTPUT]
    messages = source.json(text(content).encode()) if isinstance(content, str) else content
    first = mapping(next(iter(items(messages)), None))
    parts = map(mapping, items(first.get("parts")))
    content = tuple(part for at, found in enumerate(parts, 1) for part in _part(found, at))
    word = text(first.get("finish_reason"))
    called = any(part.kind == "tool_call" for part in content)
    finish = _FINISHES.get(word, "stop")
    message = Message(
        content=content,
        finish="tool_calls" if called and finish == "stop" else finish,
        ending=_ENDINGS.get(word, "complete"),
        usage=_usage(attributes),
    )
    model = attributes.get("gen_ai.response.model") or attributes.get("gen_ai.request.model")
    return with_ids(message, attributes.get("gen_ai.response.id"), model)


def _part(part: dict[str, Any], number: int) -> Iterator[Part]:
    match part.get("type"):
        case "text":
            yield Text(text=as_text(part.get("content")))
        case "reasoning":
            yield Reasoning(text=as_text(part.get("content")))
        case "tool_call":
            yield tool_call(part.get("name"), part.get("id"), part.get("arguments"), number)


def _usage(attributes: dict[str, Any]) -> Usage | None:
    counts = {
        field: attributes[name]
        for field, name in _COUNTS.items()
        if isinstance(attributes.get(name), int)
    }
    return Usage(**counts) if counts else None
