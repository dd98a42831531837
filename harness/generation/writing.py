"""How an event of a label is written, by protocol: in the short hand of scenarios.

The tables of a grammar know labels, composers know words and payloads; this file leads from the one
to the other. What a payload says is read off the tape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.protocols.anthropic_messages.vocabulary import DELTA_FIELDS
from harness.protocols.composing import Entry
from harness.protocols.openai_responses.vocabulary import FIELD_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.generation.byte_source import ByteSource
    from harness.model import JSON
    from harness.protocols.grammar import Step

    Writer: TypeAlias = Callable[[Step, ByteSource], Entry]

_WORDS = ("a", "ü", "日本語", "\r\n", "👩‍👩‍👧", " ", "data: x\n\n", "\u2028")
_SAID = ("{}", '{"a":', "1}", '{"a":1}')  # an empty fragment is no step of Chat's tables
_JSON = (*_SAID, "", "null", '"}')


def _kind(label: str) -> tuple[str, str]:
    """Take a label apart: its word, and the kind in brackets."""
    word, _, kind = label.partition("[")
    return word, kind.rstrip("]")


def _responses(step: Step, tape: ByteSource) -> Entry:
    word, kind = _kind(step.label)
    payload: dict[str, JSON] = {"at": list(step.key)} if step.key else {}
    if kind:
        payload["part" if "part." in word else "item"] = {"type": kind}
    if word.endswith(".delta"):
        stem = word.removesuffix(".delta")
        payload["delta"] = tape.choose(_JSON if stem in FIELD_EVENTS else _WORDS)
    return Entry(word, payload)


def _anthropic(step: Step, tape: ByteSource) -> Entry:
    word, kind = _kind(step.label)
    if word == "message_start":
        return Entry(word, {"message": {"stop_reason": "tool_use"}} if kind else {})
    if not step.key:
        return Entry(word)
    at = {"at": list(step.key)}
    if word == "content_block_start":
        return Entry(word, {**at, "content_block": {"type": kind}})
    if word == "content_block_stop":
        return Entry(word, at)
    said = tape.choose(_JSON if kind == "input_json_delta" else _WORDS)
    value = {"type": "char_location"} if kind == "citations_delta" else said
    return Entry(kind, {**at, DELTA_FIELDS[kind][0]: value})


_COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
# Chunks that have no word in the short hand, or another one.
_CHAT: Mapping[str, tuple[str, JSON]] = {
    "audio": ("delta", {"audio": {"id": "audio_1", "data": "AAAA"}}),
    "audio.expires": ("delta", {"audio": {"expires_at": 1}}),
    "function.start": ("delta", {"function_call": {"name": "get"}}),
    "filter": ("chunk", {"prompt_filter_results": [{"prompt_index": 0}]}),
    "usage[beside choices]": (
        "chunk",
        {"choices": [{"index": 0, "delta": {}, "finish_reason": None}], "usage": _COUNTS},
    ),
}


def _chat(step: Step, tape: ByteSource) -> Entry:
    if step.label in _CHAT:
        return Entry(*_CHAT[step.label])
    word, kind = _kind(step.label)
    if word == "finish":
        return Entry("finish", kind)
    if word in {"content", "reasoning", "refusal"}:
        return Entry(word, tape.choose(_WORDS))
    if word == "function.arguments":
        return Entry("delta", {"function_call": {"arguments": tape.choose(_SAID)}})
    if word.startswith("call."):
        return _fragment(word, None if kind else step.key[1], tape)
    return Entry(word)


def _fragment(word: str, index: int | None, tape: ByteSource) -> Entry:
    at = {"at": None if index is None else [index]}
    if word == "call.start":
        return Entry("tool_call", {**at, "id": f"call_{index}", "name": "get"})
    return Entry("tool_call", {**at, "arguments": tape.choose(_SAID)})


_CALL: Mapping[str, JSON] = {
    "function_call": {"name": "get", "args": {"a": 1}},
    "function_call.start": {"name": "get", "willContinue": True},
    "function_call.piece": {"willContinue": True},
    "function_call.end": {},
}
_GEMINI: Mapping[str, tuple[str, JSON]] = {
    **{label: ("function_call", call) for label, call in _CALL.items()},
    "signature": ("parts", [{"thoughtSignature": "c2ln"}]),
    "block": ("block", "SAFETY"),
    "error": ("error", {"code": 500, "message": "no", "status": "INTERNAL"}),
    "usage": ("usage", {"promptTokenCount": 1, "totalTokenCount": 1}),
    "executable_code": ("executable_code", {"language": "PYTHON", "code": "1"}),
    "code_execution_result": ("code_execution_result", {"outcome": "OUTCOME_OK", "output": "1"}),
    "inline_data": ("inline_data", {"mimeType": "image/png", "data": "AAAA"}),
    "file_data": ("file_data", {"mimeType": "image/png", "fileUri": "x"}),
    "tool_call": ("tool_call", {}),
    "tool_response": ("tool_response", {}),
}


def _gemini(step: Step, tape: ByteSource) -> Entry:
    if step.label in _GEMINI:
        return Entry(*_GEMINI[step.label])
    if step.label == "finish":
        return Entry("finish", "STOP")
    return Entry(step.label, tape.choose(_WORDS))


WRITERS: Mapping[str, Writer] = {
    "openai_responses": _responses,
    "openai_chat": _chat,
    "anthropic_messages": _anthropic,
    "gemini_generate": _gemini,
}
