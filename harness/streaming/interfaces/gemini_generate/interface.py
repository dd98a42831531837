"""Gemini streamGenerateContent: typed responses -> chunks and an outcome.

https://ai.google.dev/api/generate-content
https://ai.google.dev/gemini-api/docs/thought-signatures

Rules of this file: a signature stays on the part it came with, and a signed part is never merged
with another; consecutive unsigned texts are one part, however they were cut; a finish reason does
not end the stream, which is read to its end; usage is assigned field by field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from harness.model import ErrorInfo, Media, ServerTool
from harness.protocols.gemini_generate.vocabulary import (
    BLOCKED,
    FAILURES,
    FINISH,
    TOOL_USE_PROMPT,
    UNFINISHED,
    USAGE,
)
from harness.streaming.content import TextBuilder
from harness.streaming.error_mapping import error_info
from harness.streaming.interfaces.base import StreamingInterface
from harness.streaming.interfaces.gemini_generate.calls import FunctionCalls
from harness.streaming.interfaces.gemini_generate.values import (
    base64_of,
    compact,
    field_names,
    json_of,
    signature_of,
    wire_value,
)
from harness.streaming.usage import raw_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.model import Chunk, FinishReason, Usage
    from harness.streaming.content import TextKind

    Handler: TypeAlias = Callable[["GeminiGenerateInterface", Any, Any], Sequence[Chunk]]

# The counts of a usage object by our names; the prompt tokens of Google's own tools are separate.
_COUNTS = (*USAGE.items(), ("tool_use", TOOL_USE_PROMPT))


class GeminiGenerateInterface(StreamingInterface):
    """The Gemini interface; see ``StreamingInterface`` for its arguments and use."""

    protocol: ClassVar[str] = "gemini_generate"
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {**BLOCKED, **FINISH}

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        super().__init__(requires_approval=requires_approval, model=model)
        self._open_text: TextBuilder | None = None  # the unsigned part that more text continues
        self._calls = FunctionCalls(self.assembly, self.note)
        self._cited: set[tuple[int, str]] = set()
        self._counts: dict[str, int] = {}
        self._last_usage: Any = None
        self._blocked = False

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one response; return its chunks."""
        self.response_id = getattr(event, "response_id", None) or self.response_id
        self.model = getattr(event, "model_version", None) or self.model
        usage = getattr(event, "usage_metadata", None)
        if usage is not None:
            self._take_usage(usage)
        candidates = getattr(event, "candidates", None)
        if not candidates:
            return self._without_candidates(event)
        chunks: list[Chunk] = []
        for candidate in candidates:
            index = getattr(candidate, "index", None)
            if index:
                self.note("other_candidate", index)
            else:
                self._candidate(candidate, chunks)
        return chunks

    def finalize(self) -> Sequence[Chunk]:
        """Compute the usage; emit the arguments of a call that was never closed."""
        self.usage, self.raw_usage = self.current_usage(), raw_of(self._last_usage)
        return self._calls.abandon()

    def current_usage(self) -> Usage | None:
        """Compute the usage reported so far: only when asked, as every response reports it."""
        counts = {ours: count for ours, count in self._counts.items() if type(count) is int}
        tool_use = counts.pop("tool_use", 0)
        if "input" in counts:
            counts["input"] += tool_use
        if "reasoning" in counts:
            counts["output"] = counts.get("output", 0) + counts["reasoning"]
        return usage_of(counts)

    # Responses

    def _without_candidates(self, event: Any) -> Sequence[Chunk]:
        reason = getattr(getattr(event, "prompt_feedback", None), "block_reason", None)
        error = getattr(event, "error", None)
        if reason:
            self._blocked = True
            self.record_terminal(wire_value(reason))
        elif error:  # only in events decoded from the wire: the SDK raises
            self.record_error(error_info(error))
        return ()

    def _candidate(self, candidate: Any, chunks: list[Chunk]) -> None:
        content = getattr(candidate, "content", None)
        for part in getattr(content, "parts", None) or ():
            chunks += self._part(part)
        citations = getattr(candidate, "citation_metadata", None)
        if citations is not None:
            self._cite(citations)
        reason = getattr(candidate, "finish_reason", None)
        if reason:
            self._finished(wire_value(reason), getattr(candidate, "finish_message", None))

    def _finished(self, raw: str, message: str | None) -> None:
        if raw == UNFINISHED:
            return
        self._blocked = False
        self.record_terminal(raw)
        if raw in FAILURES:
            kind, retryable = FAILURES[raw]
            text = message or f"the model stopped with {raw}"
            self.record_error(ErrorInfo(kind=kind, code=raw, message=text, retryable=retryable))

    def _finish_reason(self) -> FinishReason:
        """Report a blocked prompt as filtered; some of its reasons are finish reasons as well."""
        return "content_filter" if self._blocked else super()._finish_reason()

    # Parts

    def _part(self, part: Any) -> Sequence[Chunk]:
        text = getattr(part, "text", None)
        if text:
            if not isinstance(text, str):  # only without the SDK, which would reject it
                return self.note_unknown("text", type(text).__name__)
            return self._add_text(part, text)
        for field, handler in self.parts.items():
            value = getattr(part, field, None)
            if value is not None:
                self._open_text = None
                return handler(self, part, value)
        if getattr(part, "thought_signature", None):
            return self._add_text(part, "")
        if text is None:
            return self.note_unknown("part", field_names(part))
        return ()

    def _add_text(self, part: Any, text: str) -> Sequence[Chunk]:
        """Add text to the open part of its kind; a signed part is separate (GE-020, GE-021)."""
        kind: TextKind = "reasoning" if getattr(part, "thought", None) else "text"
        slot = self._open_text
        if getattr(part, "thought_signature", None):
            slot = self.assembly.open_text(kind)
            slot.signature, self._open_text = signature_of(part), None
        elif slot is None or slot.kind != kind:
            slot = self._open_text = self.assembly.open_text(kind)
        return slot.add(text) if text else ()

    def _server_tool(self, part: Any, value: Any, name: str) -> Sequence[Chunk]:
        tool_id = getattr(value, "id", None)
        signature = signature_of(part)
        content = ServerTool(name=name, id=tool_id, data=json_of(value), signature=signature)
        self.assembly.add_part(content)
        return ()

    def _executable_code(self, part: Any, value: Any) -> Sequence[Chunk]:
        return self._server_tool(part, value, "executable_code")

    def _code_execution_result(self, part: Any, value: Any) -> Sequence[Chunk]:
        return self._server_tool(part, value, "code_execution_result")

    def _tool_call(self, part: Any, value: Any) -> Sequence[Chunk]:
        tool = getattr(value, "tool_type", None)
        return self._server_tool(part, value, wire_value(tool) if tool else "tool_call")

    def _tool_response(self, part: Any, value: Any) -> Sequence[Chunk]:
        return self._server_tool(part, value, "tool_response")

    def _inline_data(self, part: Any, value: Any) -> Sequence[Chunk]:
        return self._media(part, value, base64_of(getattr(value, "data", None)))

    def _file_data(self, part: Any, value: Any) -> Sequence[Chunk]:
        return self._media(part, value, getattr(value, "file_uri", None))

    def _media(self, part: Any, value: Any, data: str | None) -> Sequence[Chunk]:
        media_type = getattr(value, "mime_type", None)
        if getattr(part, "thought", None):
            self.note("thought_media", media_type)  # a draft, not the answer
        content = Media(media_type=media_type, data=data, signature=signature_of(part))
        self.assembly.add_part(content)
        return ()

    def _cite(self, metadata: Any) -> None:
        """Add sources to the text they came with; a server may repeat the list in every chunk."""
        sent = getattr(metadata, "citations", None) or getattr(metadata, "citation_sources", None)
        slot = self.assembly.last
        if not isinstance(slot, TextBuilder):
            self.note("citations_without_text", len(sent or ()))
            return
        for citation in map(json_of, sent or ()):
            key = slot.part, compact(citation)
            if key not in self._cited:
                self._cited.add(key)
                slot.citations.append(citation)

    def _function_call(self, part: Any, value: Any) -> Sequence[Chunk]:
        return self._calls.take(part, value, self.diagnostics.received)

    # Usage

    def _take_usage(self, usage: Any) -> None:
        """Take over what a usage object reports; missing fields keep their last value."""
        self._last_usage = usage
        counts = self._counts
        for ours, field in _COUNTS:
            count = getattr(usage, field, None)
            if count is not None:
                counts[ours] = count

    parts: ClassVar[Mapping[str, Handler]] = {
        "function_call": _function_call,
        "executable_code": _executable_code,
        "code_execution_result": _code_execution_result,
        "inline_data": _inline_data,
        "file_data": _file_data,
        "tool_call": _tool_call,
        "tool_response": _tool_response,
    }
