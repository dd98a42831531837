"""The keys of ``must`` and ``should``: what of an outcome each of them looks at."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from harness.checks.matching import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model import JSON, Chunk, Outcome

# Chunk kinds that tell how a stream ended, not what it said.
_TAIL = frozenset({"stop_reason", "usage", "error", "ping"})


def _said(outcome: Outcome) -> list[Chunk]:
    return [chunk for chunk in outcome.chunks if chunk.kind not in _TAIL]


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
    return [chunk.dump() for chunk in _said(outcome)]


def _chunk_texts(outcome: Outcome) -> list[JSON]:
    return [chunk.text for chunk in outcome.chunks if chunk.kind == "text"]


def _chunk_kinds(outcome: Outcome) -> list[JSON]:
    return [kind for kind, _ in groupby(chunk.kind for chunk in _said(outcome))]


def _emitted(outcome: Outcome) -> JSON:
    letters = sum(len(chunk.text or "") + len(chunk.arguments or "") for chunk in outcome.chunks)
    return {"chunks": len(outcome.chunks), "letters": letters}


def _next_request(outcome: Outcome) -> str:
    from harness.checks.next_request import next_request

    return next_request(outcome)


EXPECTATIONS: Mapping[str, Callable[[Outcome], JSON]] = {
    "text": lambda outcome: outcome.text,
    "reasoning": lambda outcome: outcome.reasoning,
    "refusal": lambda outcome: outcome.refusal,
    "content": _content,
    "kinds": _kinds,
    "tool_calls": _tool_calls,
    "executable": _executable,
    "finish": lambda outcome: outcome.finish,
    "finish_raw": lambda outcome: outcome.finish_raw,
    "ending": lambda outcome: outcome.ending,
    "usage": _usage,
    "error": _error,
    "response_id": lambda outcome: outcome.response_id,
    "model": lambda outcome: outcome.model,
    "notes": _notes,
    "chunks": _chunks,
    "chunk_texts": _chunk_texts,
    "chunk_kinds": _chunk_kinds,
    "emitted": _emitted,
    "next_request": _next_request,
}


def meets(key: str, expected: JSON, actual: JSON) -> bool:
    """Say whether what an outcome shows under a key meets the expectation.

    Notes are met by beginnings, whatever other notes there are; all else by ``matches``.
    """
    if key == "notes" and isinstance(expected, list):
        return all(any(note.startswith(str(word)) for note in actual) for word in expected)
    return matches(expected, actual)
