"""The shorthand of scenarios for the streamGenerateContent stream.

Each word writes one response. A part's word is its field: ``text: Hi``, ``thought: Hm``,
``function_call: {name: get, args: {}}``, ``executable_code``, ``code_execution_result``,
``inline_data``, ``file_data``, ``tool_call``, ``tool_response``; ``parts: [{text: Hi}, …]`` puts
several in one response. ``finish: STOP`` closes with an empty text, as Gemini does; ``block:
SAFETY`` refuses the prompt; ``usage: {…}`` holds counts only; ``error: {…}`` is the error object;
``response: {…}`` is written as it stands.

In a payload, fields of the response (``usageMetadata``), of the candidate (``finishReason``) and of
the part (``thoughtSignature``) find their own place; ``at: [1]`` writes another candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import JSON, Event
from harness.protocols.composing import Composer, merge
from harness.protocols.gemini_generate.vocabulary import (
    BESIDE,
    CANDIDATE,
    DATA,
    RESPONSE,
)
from harness.protocols.paths import json_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.protocols.composing import Skeleton

MODEL, RESPONSE_ID = "gemini-2.5-flash", "resp_1"
_COUNTS = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}

_OF_RESPONSE = frozenset(map(json_name, RESPONSE))
_OF_CANDIDATE = frozenset(map(json_name, CANDIDATE))
_OF_PART = frozenset(map(json_name, BESIDE))


def response(
    parts: list[JSON],
    candidate: Mapping[str, JSON] | None = None,
    fields: Mapping[str, JSON] | None = None,
    *,
    index: int = 0,
) -> Event:
    """Return one response with the next parts of one candidate.

    Args:
        parts: the parts, as JSON.
        candidate: further fields of the candidate, merged over it.
        fields: further fields of the response, merged over it.
        index: which candidate it is.
    """
    written = {"content": {"parts": parts, "role": "model"}, "index": index}
    return bare([merge(written, dict(candidate or {}))], fields)


def bare(candidates: list[JSON] | None, fields: Mapping[str, JSON] | None = None) -> Event:
    """Return a response of these candidates, or without any."""
    written: dict[str, JSON] = {} if candidates is None else {"candidates": candidates}
    complete = {**written, "modelVersion": MODEL, "responseId": RESPONSE_ID}
    return Event(None, merge(complete, dict(fields or {})))


def _divided(payload: dict[str, JSON], *places: frozenset[str]) -> list[dict[str, JSON]]:
    """Divide a payload's fields among the places that own them; the rest comes last."""
    rest = dict(payload)
    divided = [{name: rest.pop(name) for name in payload if name in place} for place in places]
    return [*divided, rest]


def _write(parts: list[JSON], payload: dict[str, JSON]) -> Event:
    fields, candidate, rest = _divided(payload, _OF_RESPONSE, _OF_CANDIDATE)
    return response(parts, candidate, fields, index=rest.get("at", [0])[0])


def _words(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    part, rest = _divided(payload, _OF_PART | {"text"})
    yield _write([part], rest)


def _thought(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield from _words(_, {"thought": True, **payload})


def _data(field: str) -> Skeleton:
    def write(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
        outside = _OF_RESPONSE | _OF_CANDIDATE | {"at"}
        around, beside, value = _divided(payload, outside, _OF_PART)
        yield _write([{json_name(field): value, **beside}], around)

    return write


def _parts(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    rest = dict(payload)
    yield _write(rest.pop("parts"), rest)


def _finish(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield _write([{"text": ""}], {"finishReason": "STOP", "usageMetadata": _COUNTS, **payload})


def _block(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    fields, feedback = _divided(payload, _OF_RESPONSE)
    counts = {"promptTokenCount": 10, "totalTokenCount": 10}
    yield bare(None, {"promptFeedback": feedback, "usageMetadata": counts, **fields})


def _usage(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield bare(None, {"usageMetadata": payload})


def _error(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield Event(None, {"error": payload})


def _response(_: Any, payload: dict[str, JSON]) -> Iterator[Event]:
    yield Event(None, payload)


def _plain(fields: Iterable[str]) -> dict[str, Skeleton]:
    return {field: _data(field) for field in fields}


class GenerateComposer(Composer):
    """Writes a streamGenerateContent stream from a scenario's shorthand."""

    skeletons: ClassVar[Mapping[str, Skeleton]] = {
        **_plain(DATA),
        "text": _words,
        "thought": _thought,
        "parts": _parts,
        "finish": _finish,
        "block": _block,
        "usage": _usage,
        "error": _error,
        "response": _response,
    }
    scalar: ClassVar[Mapping[str, str]] = {
        "text": "text",
        "thought": "text",
        "parts": "parts",
        "finish": "finishReason",
        "block": "blockReason",
    }
