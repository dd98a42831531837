"""Which words the installed SDKs know, and who of us knows them too: the upgrade gate.

Rules of this file: an SDK's words are found by looking at its types, never listed by hand;
categories are spelled as in ``Protocol.vocabulary``; fields go by the SDK's attribute names, usage
by the dotted paths of its counts; each word is in a table, or unmodelled with a reason, or unknown.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from harness.model import Value
from harness.protocols import protocol
from harness.targets.introspection import annotation_of, fields, integer_paths, literals, tags

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from harness.protocols.protocol import Protocol

Words: TypeAlias = "Mapping[str, frozenset[str]]"
Said: TypeAlias = "Mapping[str, Mapping[str, Mapping[str, int]]]"


class CoverageRow(Value):
    """One word an installed SDK knows.

    ``where`` says who of us knows it, ``reason`` why no table does, ``scenarios`` how many
    scenarios say it.
    """

    protocol: str
    category: str
    word: str
    where: Literal["table", "unmodelled", "unknown"]
    reason: str = ""
    scenarios: int = 0


def versions() -> dict[str, str]:
    """Return the installed SDK packages and their versions."""
    found = {}
    for package in dict.fromkeys(PACKAGES.values()):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def vocabulary(names: Collection[str] | None = None) -> dict[str, Words]:
    """Return what each installed SDK knows: protocol -> category -> words.

    Importing all of them takes four seconds; a protocol whose SDK is not installed is left out.

    Args:
        names: the protocols to look at, None for all.
    """
    installed = versions()
    return {
        name: source.words()
        for name, source in _SOURCES.items()
        if source.package in installed and (names is None or name in names)
    }


def coverage(said: Said) -> list[CoverageRow]:
    """Join what the SDKs know with our tables and with what scenarios say.

    Args:
        said: protocol -> category -> word -> how many scenarios say it.

    Returns:
        One row for each word of each installed SDK, in the order of protocol, category, word.
    """
    return coverage_of(vocabulary(), said)


def coverage_of(known: Mapping[str, Words], said: Said) -> list[CoverageRow]:
    """Join the words of any SDKs with our tables and with what scenarios say; see ``coverage``."""
    return [
        _row(protocol(name), category, word, said.get(name, {}).get(category, {}).get(word, 0))
        for name, categories in known.items()
        for category, words in categories.items()
        for word in sorted(words)
    ]


def _row(known: Protocol, category: str, word: str, scenarios: int) -> CoverageRow:
    reasons = known.unmodelled.get(category, {})
    reason = next((reasons[path] for path in _upwards(word) if path in reasons), None)
    in_table = word in known.vocabulary.get(category, ())
    where: Literal["table", "unmodelled", "unknown"] = (
        "table" if in_table else "unknown" if reason is None else "unmodelled"
    )
    return CoverageRow(
        protocol=known.name,
        category=category,
        word=word,
        where=where,
        reason=(reason or "") if where == "unmodelled" else "",
        scenarios=scenarios,
    )


def _upwards(word: str) -> Iterator[str]:
    """Yield a dotted path and those above it: a reason for a group holds for what is in it."""
    while word:
        yield word
        word = word.rpartition(".")[0]


def _responses() -> Words:
    from openai.types import responses
    from openai.types.responses.response import IncompleteDetails

    content = annotation_of(responses.ResponseContentPartAddedEvent, "part")
    summary = annotation_of(
        getattr(responses, "ResponseReasoningSummaryPartAddedEvent", None), "part"
    )  # None before openai knew summaries
    return {
        "event": tags(responses.ResponseStreamEvent),
        "item": tags(responses.ResponseOutputItem),
        "part": tags(content) | tags(summary),
        "status": literals(responses.ResponseStatus),
        "incomplete": literals(annotation_of(IncompleteDetails, "reason")),
        "usage": integer_paths(responses.ResponseUsage),
    }


def _chat() -> Words:
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta

    return {
        "chunk": fields(ChatCompletionChunk),
        "delta": fields(ChoiceDelta),
        "role": literals(annotation_of(ChoiceDelta, "role")),
        "finish": literals(annotation_of(Choice, "finish_reason")),
        "usage": integer_paths(CompletionUsage),
    }


def _messages() -> Words:
    from anthropic import types
    from anthropic.types import beta

    plain = _messages_words(types, "")
    return {
        category: plain[category] | words
        for category, words in _messages_words(beta, "Beta").items()
    }


def _messages_words(types: Any, prefix: str) -> Words:
    def named(name: str) -> Any:
        return getattr(types, f"{prefix}{name}", None)  # older versions know fewer

    start = annotation_of(named("RawContentBlockStartEvent"), "content_block")
    return {
        "event": tags(named("RawMessageStreamEvent")),
        "block": tags(start),
        "delta": tags(annotation_of(named("RawContentBlockDeltaEvent"), "delta")),
        "finish": literals(annotation_of(named("Message"), "stop_reason")),
        "usage": integer_paths(named("Usage")) | integer_paths(named("MessageDeltaUsage")),
    }


def _gemini() -> Words:
    from google.genai import types

    return {
        "response": fields(types.GenerateContentResponse),
        "candidate": fields(types.Candidate),
        "part": fields(types.Part),
        "finish": literals(types.FinishReason),
        "block_reason": literals(types.BlockedReason),
        "usage": integer_paths(types.GenerateContentResponseUsageMetadata),
    }


class _Source(NamedTuple):
    """Whose types say what a protocol knows."""

    package: str
    words: Callable[[], Words]


_SOURCES: Mapping[str, _Source] = {
    "openai_responses": _Source("openai", _responses),
    "openai_chat": _Source("openai", _chat),
    "anthropic_messages": _Source("anthropic", _messages),
    "gemini_generate": _Source("google-genai", _gemini),
}

# Protocol -> the distribution whose SDK speaks it.
PACKAGES: Mapping[str, str] = {name: source.package for name, source in _SOURCES.items()}
