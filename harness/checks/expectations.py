"""The keys of ``must`` and ``should``: which part of an outcome each of them reads."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from harness.checks.matching import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON, Chunk, Outcome


class Expectation(NamedTuple):
    """One key of ``must`` and ``should``.

    Args:
        sentence: what it reads of an outcome, as a noun phrase.
        sources: where it comes from; as for an ``Invariant``.
        read: outcome -> the actual value.
    """

    sentence: str
    sources: tuple[str, ...]
    read: Callable[[Outcome], JSON]


# The kinds of chunks that carry no content.
_WITHOUT_CONTENT = frozenset({"stop_reason", "usage", "error", "ping"})


def _content_chunks(outcome: Outcome) -> list[Chunk]:
    return [chunk for chunk in outcome.chunks if chunk.kind not in _WITHOUT_CONTENT]


def _content(outcome: Outcome) -> list[JSON]:
    return [part.model_dump(mode="json") for part in outcome.content]


def _tool_calls(outcome: Outcome) -> list[JSON]:
    return [call.model_dump(mode="json") for call in outcome.tool_calls]


def _kinds(outcome: Outcome) -> list[JSON]:
    return [part.kind for part in outcome.content]


def _executable(outcome: Outcome) -> list[JSON]:
    return [call.name for call in outcome.tool_calls if call.complete]


def _usage(outcome: Outcome) -> JSON:
    return outcome.usage and outcome.usage.model_dump()


def _error(outcome: Outcome) -> JSON:
    return outcome.error and outcome.error.model_dump()


def _notes(outcome: Outcome) -> list[JSON]:
    return list(outcome.notes)


def _chunks(outcome: Outcome) -> list[JSON]:
    return [chunk.dump() for chunk in _content_chunks(outcome)]


def _chunk_texts(outcome: Outcome) -> list[JSON]:
    return [chunk.text for chunk in outcome.chunks if chunk.kind == "text"]


def _chunk_kinds(outcome: Outcome) -> list[JSON]:
    return [kind for kind, _ in groupby(chunk.kind for chunk in _content_chunks(outcome))]


def _emitted(outcome: Outcome) -> JSON:
    characters = sum(len(chunk.text or "") + len(chunk.arguments or "") for chunk in outcome.chunks)
    return {"chunks": len(outcome.chunks), "letters": characters}


def _next_request(outcome: Outcome) -> str:
    from harness.checks.next_request import next_request

    return next_request(outcome)


EXPECTATIONS: Mapping[str, Expectation] = {
    "text": Expectation(
        "all text, joined",
        ("OR-001",),
        lambda outcome: outcome.text,
    ),
    "reasoning": Expectation(
        "all reasoning that the provider shows, joined",
        ("IV-001",),
        lambda outcome: outcome.reasoning,
    ),
    "refusal": Expectation(
        "all refusals, joined",
        ("IV-001",),
        lambda outcome: outcome.refusal,
    ),
    "content": Expectation(
        "the content parts in order, as objects",
        ("IV-001",),
        _content,
    ),
    "kinds": Expectation(
        "the kinds of the content parts in order",
        ("IV-001",),
        _kinds,
    ),
    "tool_calls": Expectation(
        "the tool calls in order, as objects",
        ("IV-009",),
        _tool_calls,
    ),
    "executable": Expectation(
        "the names of the tool calls that may be executed",
        ("IV-009",),
        _executable,
    ),
    "finish": Expectation(
        "why the model stopped",
        ("decisions/0004-finish-and-ending.md",),
        lambda outcome: outcome.finish,
    ),
    "finish_raw": Expectation(
        "the provider's own finish word",
        ("IV-011",),
        lambda outcome: outcome.finish_raw,
    ),
    "ending": Expectation(
        "how the stream ended",
        ("decisions/0004-finish-and-ending.md",),
        lambda outcome: outcome.ending,
    ),
    "usage": Expectation(
        "the token counts; null is not reported, 0 is reported zero",
        ("decisions/0013-none-is-not-reported.md",),
        _usage,
    ),
    "error": Expectation(
        "what went wrong: kind, code, message and whether a retry may help",
        ("IV-002",),
        _error,
    ),
    "response_id": Expectation(
        "the provider's id of the response",
        ("OR-001",),
        lambda outcome: outcome.response_id,
    ),
    "model": Expectation(
        "the model that the provider names",
        ("OR-001",),
        lambda outcome: outcome.model,
    ),
    "notes": Expectation(
        "what was unexpected but tolerated; met by the beginnings of notes",
        ("IV-011",),
        _notes,
    ),
    "chunks": Expectation(
        "the chunks that carry content, as objects",
        ("IV-001",),
        _chunks,
    ),
    "chunk_texts": Expectation(
        "the texts of the text chunks",
        ("IV-001",),
        _chunk_texts,
    ),
    "chunk_kinds": Expectation(
        "the kinds of the chunks that carry content, repetitions left out",
        ("IV-001",),
        _chunk_kinds,
    ),
    "emitted": Expectation(
        "how many chunks were emitted, and how many characters in them",
        ("TR-009",),
        _emitted,
    ),
    "next_request": Expectation(
        "`accepted`, or why the API refuses the outcome in the next request",
        ("CA-006",),
        _next_request,
    ),
}


def meets(key: str, expected: JSON, actual: JSON) -> bool:
    """Return whether the actual value of a key meets the expected one.

    Expected notes are beginnings of notes, and further notes are allowed; every other key is
    compared by ``matches``.
    """
    if key == "notes" and isinstance(expected, list):
        return all(any(note.startswith(str(start)) for note in actual) for start in expected)
    return matches(expected, actual)
