"""OpenAI Chat Completions and its compatible servers: typed chunks -> our chunks and an outcome.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events

Rules of this file: content keeps the order of its arrival, and adjacent fragments of one kind are
one part; an empty string opens no part; the first choice seen is the answer, others are noted; the
answer is complete once its finish_reason has arrived, because the SDK hides ``[DONE]``; usage is
assigned field by field, from wherever a server puts it and as often as it sends it.

Models with hidden reasoning (o1, o3, gpt-5) send nothing about it, so there is no placeholder for
it; ``usage.reasoning`` has the number of tokens. ``<think>`` tags inside the content depend on a
model's template and stay text.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from harness.model import Chunk, Media, RedactedReasoning, Usage
from harness.protocols.openai_chat.vocabulary import (
    CUT,
    DELTA,
    FINISH,
    FINISH_WEIGHT,
    REASONING,
    REASONING_DETAILS,
    SILENT_DELTA,
    USAGE,
    VENDOR_USAGE,
)
from harness.protocols.paths import get
from harness.streaming.error_mapping import error_info, info_of
from harness.streaming.interfaces.base import StreamingInterface
from harness.streaming.interfaces.openai_chat.calls import ToolCalls
from harness.streaming.usage import counts_of, raw_of, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.model import FinishReason
    from harness.streaming.content import TextBuilder, TextKind

    Handler: TypeAlias = Callable[["OpenAIChatInterface", Any], Sequence[Chunk]]

# What servers send in place of a missing id or name (catalogue OC-032).
_PLACEHOLDERS = frozenset({"", "null"})

_KNOWN_FIELDS = DELTA | SILENT_DELTA.keys()
_NO_FIELDS: Mapping[str, Any] = {}


class OpenAIChatInterface(StreamingInterface):
    """The Chat Completions interface; see ``StreamingInterface`` for its use.

    Args:
        requires_approval: names of tools whose calls become approval requests.
        model: the model's name until the provider reports one.
        estimate: text -> its number of tokens, for servers that may report no usage (LM Studio);
            only the output can be estimated, and a note says so.
    """

    protocol: ClassVar[str] = "openai_chat"
    finish_reasons = FINISH

    def __init__(
        self,
        *,
        requires_approval: Iterable[str] = (),
        model: str | None = None,
        estimate: Callable[[str], int] | None = None,
    ) -> None:
        super().__init__(requires_approval=requires_approval, model=model)
        self._estimate = estimate
        self._model_known = self._identified = False
        self._answer: int | None = None  # the index of the choice that is the answer
        self._calls = ToolCalls(self.assembly)
        self._open_text: TextBuilder | None = None  # the part that text of its kind continues
        self._reasoning: TextBuilder | None = None  # the part that a signature belongs to
        self._audio_data: list[bytes] = []
        self._audio_opened = False
        self._counts: dict[str, int] = {}

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one chat completion chunk; return its chunks."""
        if not self._identified:
            self._identify(event)
        extra = _extra(event)
        if extra:
            self._take_extra(extra)
        usage = getattr(event, "usage", None)
        if usage is not None:
            self._take_usage(usage)
        choices = getattr(event, "choices", None)
        if not isinstance(choices, list):
            return self._without_choices(event, extra)
        if len(choices) == 1:  # nearly always
            return self._choice(choices[0])
        return [chunk for choice in choices for chunk in self._choice(choice)]

    def finalize(self) -> Sequence[Chunk]:
        """Emit what was waiting, close calls that grew after the finish reason, estimate usage."""
        chunks = self._calls.flush()
        if self.diagnostics.terminal_seen:
            self._calls.apply_finish(self._mapped_finish)
        if self._estimate is not None and self.usage is None:
            self._estimate_usage(self._estimate)
        return chunks

    # Chunks and choices

    def _identify(self, event: Any) -> None:
        """Take the first id and model that are not empty; in Azure's first chunk they are."""
        self.response_id = self.response_id or getattr(event, "id", None) or None
        model = getattr(event, "model", None)
        if model and not self._model_known:
            self.model, self._model_known = model, True
        self._identified = self._model_known and self.response_id is not None

    def _without_choices(self, event: Any, extra: Mapping[str, Any]) -> Sequence[Chunk]:
        """Handle an event without choices: of gpt-audio, a ping, an error, or an unknown one."""
        name = extra.get("type")
        if name == "error":
            self.record_error(error_info(dict(extra)))
        elif name != "ping" and getattr(event, "id", None) is None and "error" not in extra:
            return self.note_unknown("event", name or type(event).__name__)
        return ()

    def _take_extra(self, extra: Mapping[str, Any]) -> None:
        """Take the fields that compatible servers add beside the choices."""
        if extra.get("error"):
            self.record_error(error_info(extra["error"]))
        groq = extra.get("x_groq")
        if groq:
            self._take_usage(get(groq, "usage"))
            if get(groq, "error"):  # a sentence that says why the stream was stopped
                self.record_error(info_of("server", message=get(groq, "error")))

    def _choice(self, choice: Any) -> Sequence[Chunk]:
        index = getattr(choice, "index", None) or 0
        if index != self._answer:
            if self._answer is not None:
                self.note("other_choice", index)
                return ()
            self._answer = index
        chunks = self._delta(getattr(choice, "delta", None))
        finish = getattr(choice, "finish_reason", None)
        if finish:
            return (*chunks, *self._finished(str(finish), _extra(choice).get("error")))
        return chunks

    def _finished(self, raw: str, failure: Any) -> Sequence[Chunk]:
        """Take a finish reason; where there are several, the most specific one is kept."""
        finish = FINISH.get(raw, "unknown")
        if not self.diagnostics.terminal_seen or _weight(finish) > _weight(self._mapped_finish):
            self.record_terminal(raw)
        elif raw != self.finish_raw:
            self.note("finish_again", raw)
        if failure:  # OpenRouter may put its error object into the choice
            self.record_error(error_info(failure))
        elif finish == "error":
            self.record_error(info_of("server", code=raw, message=f"finish_reason {raw!r}"))
        chunks = self._calls.flush()
        self._calls.apply_finish(self._mapped_finish)
        return chunks

    @property
    def _mapped_finish(self) -> FinishReason:
        """The finish reason kept so far, mapped to ours."""
        return FINISH.get(self.finish_raw or "", "unknown")

    # Deltas

    def _delta(self, delta: Any) -> Sequence[Chunk]:
        extra = _extra(delta)
        chunks = self._vendor_fields(extra) if extra else ()
        for field, handler in self.fields:
            value = getattr(delta, field, None)
            if value:
                new = handler(self, value)
                chunks = (*chunks, *new) if chunks else new
        return chunks

    def _refusal(self, refusal: Any) -> Sequence[Chunk]:
        return self._add_text("refusal", refusal)

    def _tool_calls(self, fragments: Any) -> Sequence[Chunk]:
        chunks: Sequence[Chunk] = ()
        for fragment in _list(fragments):
            index, call_id = getattr(fragment, "index", None), getattr(fragment, "id", None)
            function = getattr(fragment, "function", None)
            new = None
            if call_id is None and getattr(function, "name", None) is None:
                new = self._calls.extend(index, getattr(function, "arguments", None))
            if new is None:
                new = self._call_fragment(index, call_id, function)
            chunks = (*chunks, *new) if chunks else new
        return chunks

    def _function_call(self, function: Any) -> Sequence[Chunk]:
        """Take a fragment of the legacy call, which has neither index nor id."""
        return self._call_fragment(None, None, function)

    def _add_text(self, kind: TextKind, fragment: Any) -> Sequence[Chunk]:
        if not fragment:
            return ()
        if not isinstance(fragment, str):
            return self.note_unknown(kind, type(fragment).__name__)
        slot = self._open_text
        if slot is None or slot.kind != kind or slot.signature is not None:
            slot = self._open_text = self.assembly.open_text(kind)
            if kind == "reasoning":
                self._reasoning = slot
        return slot.add(fragment)

    def _content(self, content: Any) -> Sequence[Chunk]:
        """Take a delta's content: a string, or Mistral's list of typed parts (OC-046)."""
        if not isinstance(content, list):
            return self._add_text("text", content)
        chunks: list[Chunk] = []
        for part in content:
            part_type = "text" if isinstance(part, str) else str(get(part, "type"))
            handler = self.parts.get(part_type)
            chunks += handler(self, part) if handler else self.note_unknown("part", part_type)
        return chunks

    def _text_part(self, part: Any) -> Sequence[Chunk]:
        return self._add_text("text", part if isinstance(part, str) else get(part, "text"))

    def _thinking_part(self, part: Any) -> Sequence[Chunk]:
        thinking = get(part, "thinking")
        pieces = [get(piece, "text") for piece in _list(thinking)] or [thinking]
        return [chunk for piece in pieces for chunk in self._add_text("reasoning", piece)]

    def _audio(self, audio: Any) -> Sequence[Chunk]:
        """Take audio: its transcript is text, its sound is a media part."""
        data = _string(get(audio, "data"))
        if data is not None:
            if not self._audio_opened:
                self._audio_opened = True
                self.assembly.defer_part(self._audio_part)
            try:
                self._audio_data.append(base64.b64decode(data, validate=True))
            except binascii.Error:
                self.note("audio_unreadable")
        return self._add_text("text", get(audio, "transcript"))

    def _audio_part(self) -> Media:
        return Media(data=base64.b64encode(b"".join(self._audio_data)).decode())

    def _call_fragment(self, index: Any, call_id: Any, function: Any) -> Sequence[Chunk]:
        known = len(self.assembly.calls)
        chunks = self._calls.take(
            index if type(index) is int else None,
            _string(call_id),
            _string(getattr(function, "name", None)),
            _arguments(getattr(function, "arguments", None)),
        )
        if len(self.assembly.calls) != known:
            self._open_text = None
        return chunks

    # Compatible servers' fields

    def _vendor_fields(self, extra: Mapping[str, Any]) -> Sequence[Chunk]:
        chunks: list[Chunk] = []
        text = next((extra[field] for field in REASONING if extra.get(field)), None)
        chunks += self._add_text("reasoning", text)
        for detail in _list(extra.get(REASONING_DETAILS)):
            chunks += self._reasoning_detail(detail, repeated=text is not None)
        for field in extra.keys() - _KNOWN_FIELDS:
            if extra[field]:
                self.note_unknown("delta", field)
        return chunks

    def _reasoning_detail(self, detail: Any, *, repeated: bool) -> Sequence[Chunk]:
        """Take one item of reasoning_details; a text that another field has too counts once."""
        text = None if repeated else get(detail, "text") or get(detail, "summary")
        chunks = self._add_text("reasoning", text)
        signature, data = _string(get(detail, "signature")), _string(get(detail, "data"))
        if signature is not None:
            if self._reasoning is None:
                self._reasoning = self._open_text = self.assembly.open_text("reasoning")
            self._reasoning.add_signature(signature)
        if data is not None:
            slot = self.assembly.add_part(RedactedReasoning(data=data))
            self._open_text = None
            return [*chunks, Chunk("redacted_reasoning", part=slot.part, data=data)]
        return chunks

    # Usage

    def _take_usage(self, usage: Any) -> None:
        """Take over what a usage object reports; missing fields keep their last value."""
        if usage is None:
            return
        self.raw_usage = raw_of(usage)
        self._counts.update(counts_of(usage, VENDOR_USAGE))
        self._counts.update(counts_of(usage, USAGE))
        self.usage = usage_of(self._counts)

    def _estimate_usage(self, estimate: Callable[[str], int]) -> None:
        parts = self.assembly.content()
        text = "".join(str(get(p, "text") or get(p, "arguments_raw") or "") for p in parts)
        if text:
            self.usage = Usage(output=estimate(text))
            self.note("usage_estimated", "output")

    fields: ClassVar[Sequence[tuple[str, Handler]]] = (
        ("content", _content),
        ("refusal", _refusal),
        ("audio", _audio),
        ("tool_calls", _tool_calls),
        ("function_call", _function_call),
    )
    parts: ClassVar[Mapping[str, Handler]] = {"text": _text_part, "thinking": _thinking_part}


def _extra(value: Any) -> Mapping[str, Any]:
    """Return the fields that an SDK's class does not declare; all fields of a JSON object."""
    extra: Mapping[str, Any] | None = getattr(value, "__pydantic_extra__", None)
    if extra is None:
        return value if isinstance(value, dict) else _NO_FIELDS
    return extra


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in _PLACEHOLDERS else None


def _arguments(value: Any) -> str:
    """Return a piece of arguments; some servers send the object instead of its text."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else ""


def _weight(finish: FinishReason) -> int:
    return FINISH_WEIGHT.get(finish, CUT)
