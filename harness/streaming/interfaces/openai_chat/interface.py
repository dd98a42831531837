"""OpenAI Chat Completions and its compatible servers: typed chunks -> our chunks and an outcome.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events

Rules of this file: content stands in the order in which it arrived, neighbours of one kind are one
part; an empty string opens nothing; the first choice seen is the answer, others are noted; the
answer is complete once its finish_reason came, for the SDK keeps ``[DONE]`` to itself; usage is
assigned, field by field, wherever and however often it stands.

Models that think without showing it (o1, o3, gpt-5) send no word of that, so no placeholder is
invented for it: what they spent stands in ``usage.reasoning``. ``<think>`` tags inside the content
are a matter of a model's template and stay text.
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

    from harness.model import FinishReason, Outcome
    from harness.streaming.content import FinishedPart, TextBuilder, TextKind

    Teller: TypeAlias = Callable[["OpenAIChatInterface", Any], Sequence[Chunk]]

# What servers write where they have no id or name to tell (catalogue OC-032).
_PLACEHOLDERS = frozenset({"", "null"})

_KNOWN_FIELDS = DELTA | SILENT_DELTA.keys()
_NOTHING: Mapping[str, Any] = {}


class OpenAIChatInterface(StreamingInterface):
    """The Chat Completions interface; see ``StreamingInterface`` for its use.

    Args:
        requires_approval: names of tools whose calls become approval requests.
        model: the model's name until the provider reports one.
        estimate: text -> its number of tokens, for servers that report no usage at all (LM
            Studio); only the output can be estimated here, and a note says so.
    """

    protocol: ClassVar[str] = "openai_chat"
    finish_words = FINISH

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
        self._saying: TextBuilder | None = None  # the part the next words of its kind belong to
        self._thought: TextBuilder | None = None  # the reasoning a signature belongs to
        self._sound: list[bytes] = []
        self._sound_slot: FinishedPart | None = None
        self._counts: dict[str, int] = {}

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one chat completion chunk; return its chunks."""
        if not self._identified:
            self._identify(event)
        extra = _extra(event)
        if extra:
            self._read_aside(extra)
        usage = getattr(event, "usage", None)
        if usage is not None:
            self._count(usage)
        choices = getattr(event, "choices", None)
        if not isinstance(choices, list):
            return self._without_choices(event, extra)
        if len(choices) == 1:  # nearly always
            return self._choice(choices[0])
        return [chunk for choice in choices for chunk in self._choice(choice)]

    def settle(self) -> Sequence[Chunk]:
        """Show what was waiting, judge calls that went on after their finish, estimate usage."""
        chunks = self._calls.flush()
        if self.diagnostics.terminal_seen:
            self._calls.judge(self._reason)
        if self._estimate is not None and self.usage is None:
            self._guess_usage(self._estimate)
        return chunks

    def outcome(self) -> Outcome:
        """Return everything delivered so far."""
        if self._sound_slot is not None:
            self._sound_slot.content = Media(data=base64.b64encode(b"".join(self._sound)).decode())
        return super().outcome()

    # Chunks and choices

    def _identify(self, event: Any) -> None:
        """Take the first id and model that say something; Azure's first chunk has empty ones."""
        self.response_id = self.response_id or getattr(event, "id", None) or None
        model = getattr(event, "model", None)
        if model and not self._model_known:
            self.model, self._model_known = model, True
        self._identified = self._model_known and self.response_id is not None

    def _without_choices(self, event: Any, extra: Mapping[str, Any]) -> Sequence[Chunk]:
        """Take what has no list of choices: gpt-audio's chunks, a ping, or no chunk at all."""
        word = extra.get("type")
        if word == "error":
            self.failed(error_info(dict(extra)))
        elif word != "ping" and getattr(event, "id", None) is None and "error" not in extra:
            return self.unknown("event", word or type(event).__name__)
        return ()

    def _read_aside(self, extra: Mapping[str, Any]) -> None:
        """Take what stands beside the choices under a compatible server's own names."""
        if extra.get("error"):
            self.failed(error_info(extra["error"]))
        groq = extra.get("x_groq")
        if groq:
            self._count(get(groq, "usage"))
            if get(groq, "error"):  # why a stream was stopped early, in one sentence
                self.failed(info_of("server", message=get(groq, "error")))

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

    def _finished(self, word: str, failure: Any) -> Sequence[Chunk]:
        """Take a finish reason; where there are several, the one that says most stands."""
        finish = FINISH.get(word, "unknown")
        if not self.diagnostics.terminal_seen or _weight(finish) > _weight(self._reason):
            self.terminal(word)
        elif word != self.finish_raw:
            self.note("finish_again", word)
        if failure:  # OpenRouter's error object, where it stands in the choice
            self.failed(error_info(failure))
        elif finish == "error":
            self.failed(info_of("server", code=word, message=f"finish_reason {word!r}"))
        chunks = self._calls.flush()
        self._calls.judge(self._reason)
        return chunks

    @property
    def _reason(self) -> FinishReason:
        """The finish reason that stands."""
        return FINISH.get(self.finish_raw or "", "unknown")

    # Deltas

    def _delta(self, delta: Any) -> Sequence[Chunk]:
        extra = _extra(delta)
        chunks = self._vendor_fields(extra) if extra else ()
        for field, tell in self.fields:
            value = getattr(delta, field, None)
            if value:
                told = tell(self, value)
                chunks = (*chunks, *told) if chunks else told
        return chunks

    def _refusal(self, refusal: Any) -> Sequence[Chunk]:
        return self._say("refusal", refusal)

    def _tool_calls(self, fragments: Any) -> Sequence[Chunk]:
        chunks: Sequence[Chunk] = ()
        for fragment in _list(fragments):
            index, call_id = getattr(fragment, "index", None), getattr(fragment, "id", None)
            function = getattr(fragment, "function", None)
            told = None
            if call_id is None and getattr(function, "name", None) is None:
                told = self._calls.go_on(index, getattr(function, "arguments", None))
            if told is None:
                told = self._fragment(index, call_id, function)
            chunks = (*chunks, *told) if chunks else told
        return chunks

    def _function_call(self, function: Any) -> Sequence[Chunk]:
        """Take a fragment of the legacy call, which has neither index nor id."""
        return self._fragment(None, None, function)

    def _say(self, kind: TextKind, words: Any) -> Sequence[Chunk]:
        if not words:
            return ()
        if not isinstance(words, str):
            return self.unknown(kind, type(words).__name__)
        slot = self._saying
        if slot is None or slot.kind != kind or slot.signature is not None:
            slot = self._saying = self.assembly.prose(kind)
            if kind == "reasoning":
                self._thought = slot
        return slot.add(words)

    def _content(self, content: Any) -> Sequence[Chunk]:
        """Take a delta's content: a string, or Mistral's list of typed parts (OC-046)."""
        if not isinstance(content, list):
            return self._say("text", content)
        chunks: list[Chunk] = []
        for part in content:
            word = "text" if isinstance(part, str) else str(get(part, "type"))
            tell = self.parts.get(word)
            chunks += self.unknown("part", word) if tell is None else tell(self, part)
        return chunks

    def _text_part(self, part: Any) -> Sequence[Chunk]:
        return self._say("text", part if isinstance(part, str) else get(part, "text"))

    def _thinking_part(self, part: Any) -> Sequence[Chunk]:
        thinking = get(part, "thinking")
        pieces = [get(piece, "text") for piece in _list(thinking)] or [thinking]
        return [chunk for piece in pieces for chunk in self._say("reasoning", piece)]

    def _audio(self, audio: Any) -> Sequence[Chunk]:
        """Take spoken words: their transcript is text, their sound one part of its own."""
        data = _string(get(audio, "data"))
        if data is not None:
            if self._sound_slot is None:
                self._sound_slot = self.assembly.ready(Media())
            try:
                self._sound.append(base64.b64decode(data, validate=True))
            except binascii.Error:
                self.note("audio_unreadable")
        return self._say("text", get(audio, "transcript"))

    def _fragment(self, index: Any, call_id: Any, function: Any) -> Sequence[Chunk]:
        known = len(self.assembly.calls)
        chunks = self._calls.take(
            index if type(index) is int else None,
            _string(call_id),
            _string(getattr(function, "name", None)),
            _arguments(getattr(function, "arguments", None)),
        )
        if len(self.assembly.calls) != known:
            self._saying = None
        return chunks

    # Compatible servers' fields

    def _vendor_fields(self, extra: Mapping[str, Any]) -> Sequence[Chunk]:
        chunks: list[Chunk] = []
        words = next((extra[field] for field in REASONING if extra.get(field)), None)
        chunks += self._say("reasoning", words)
        for detail in _list(extra.get(REASONING_DETAILS)):
            chunks += self._detail(detail, told=words is not None)
        for field in extra.keys() - _KNOWN_FIELDS:
            if extra[field]:
                self.unknown("delta", field)
        return chunks

    def _detail(self, detail: Any, *, told: bool) -> Sequence[Chunk]:
        """Take one item of reasoning_details; words already told in another field count once."""
        words = None if told else get(detail, "text") or get(detail, "summary")
        chunks = self._say("reasoning", words)
        signature, data = _string(get(detail, "signature")), _string(get(detail, "data"))
        if signature is not None:
            if self._thought is None:
                self._thought = self._saying = self.assembly.prose("reasoning")
            self._thought.sign(signature)
        if data is not None:
            slot = self.assembly.ready(RedactedReasoning(data=data))
            self._saying = None
            return [*chunks, Chunk("redacted_reasoning", part=slot.part, data=data)]
        return chunks

    # Usage

    def _count(self, usage: Any) -> None:
        """Take over what a usage object reports; fields it leaves out keep their last value."""
        if usage is None:
            return
        self.raw_usage = raw_of(usage)
        self._counts.update(counts_of(usage, VENDOR_USAGE))
        self._counts.update(counts_of(usage, USAGE))
        self.usage = usage_of(self._counts)

    def _guess_usage(self, estimate: Callable[[str], int]) -> None:
        parts = self.assembly.content()
        text = "".join(str(get(p, "text") or get(p, "arguments_raw") or "") for p in parts)
        if text:
            self.usage = Usage(output=estimate(text))
            self.note("usage_estimated", "output")

    fields: ClassVar[Sequence[tuple[str, Teller]]] = (
        ("content", _content),
        ("refusal", _refusal),
        ("audio", _audio),
        ("tool_calls", _tool_calls),
        ("function_call", _function_call),
    )
    parts: ClassVar[Mapping[str, Teller]] = {"text": _text_part, "thinking": _thinking_part}


def _extra(value: Any) -> Mapping[str, Any]:
    """Return the fields an SDK's class does not declare; of a JSON object, all it has."""
    extra: Mapping[str, Any] | None = getattr(value, "__pydantic_extra__", None)
    if extra is None:
        return value if isinstance(value, dict) else _NOTHING
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
