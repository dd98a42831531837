"""The nouns: frozen values that travel between rooms, with no imports of ours.

Rules of this file: every value is immutable, compares by content and round-trips through JSON;
``None`` means *not reported* and ``0`` means *reported zero*; nothing here knows a provider.
Light values made once an event (Event, Chunk) are named tuples; the rest are pydantic models.
A provider may cut a character in two, so half a surrogate pair is a legal text here: a chunk
carries it as it came, the content holds the whole character.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

JSON: TypeAlias = Any  # a JSON value: dict, list, str, int, float, bool or None

ChunkKind: TypeAlias = Literal[
    "text", "reasoning", "redacted_reasoning", "refusal", "tool_call", "approval_request",
    "usage", "stop_reason", "ping", "error",
]  # fmt: skip
FinishReason: TypeAlias = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "pause", "error",
    "cancelled", "unknown",
]  # fmt: skip
Ending: TypeAlias = Literal["complete", "incomplete", "truncated", "failed", "cancelled"]
ErrorKind: TypeAlias = Literal[
    "rate_limit", "overloaded", "authentication", "permission", "not_found", "bad_request",
    "context_overflow", "content_policy", "server", "connection", "timeout", "truncated",
    "protocol", "unknown",
]  # fmt: skip
Verdict: TypeAlias = Literal["pass", "fail", "warn", "open", "known", "untestable"]


def _absent(value: object) -> bool:
    return value is None


class Value(BaseModel):
    """Base of every frozen value: unknown fields are refused, equality is by content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_dump_json(self, **options: Any) -> str:
        """Return the JSON text; options as in pydantic.

        Half a surrogate pair, for which UTF-8 has no bytes, makes the whole text ASCII.
        """
        try:
            return super().model_dump_json(**options)
        except ValueError:
            indent = options.pop("indent", None)
            return json.dumps(self.model_dump(mode="json", **options), indent=indent)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return the value of a JSON text, in which half a surrogate pair may stand.

        Raises:
            ValueError: the text is no JSON, or not that of such a value (``ValidationError``).
        """
        return cls.model_validate(json.loads(json_data), **options)


class Event(NamedTuple):
    """One wire event.

    ``name`` is the SSE event name, or None where the protocol sends none. ``data`` is the JSON
    object, or, where the data is no JSON object (``[DONE]``, malformed JSON), its text verbatim.
    """

    name: str | None
    data: dict[str, JSON] | str


class Usage(Value):
    """Token counts of one response; None is not reported, 0 is reported zero.

    ``input`` is the whole prompt, cache reads and writes included; ``output`` includes
    ``reasoning``; ``total`` is what the provider reported, or else input plus output.
    """

    input: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    total: int | None = None


class ErrorInfo(Value):
    """What went wrong: one neutral ``kind``, the provider's own ``code`` and words."""

    kind: ErrorKind
    code: str | None = None
    message: str = ""
    retryable: bool = False


class Chunk(NamedTuple):
    """One thing a target emitted while streaming.

    ``part`` is the ordinal of the content part it belongs to, as the provider opened them: chunks
    in the order of their parts add up to the content. ``index`` counts tool calls from 0. ``text``
    carries text, reasoning and refusals, ``arguments`` a fragment of a call's JSON, ``data`` a
    redacted blob.
    """

    kind: ChunkKind
    text: str | None = None
    part: int | None = None
    index: int | None = None  # type: ignore[assignment]  # the contract's word hides tuple.index
    id: str | None = None
    name: str | None = None
    arguments: str | None = None
    data: str | None = None
    finish: FinishReason | None = None
    usage: Usage | None = None
    error: ErrorInfo | None = None

    def dump(self) -> dict[str, JSON]:
        """Return the JSON object: ``kind`` and every field that is present."""
        return {
            key: value.model_dump() if isinstance(value, BaseModel) else value
            for key, value in zip(self._fields, self, strict=True)
            if value is not None
        }


def text_chunk(kind: ChunkKind, text: str, part: int) -> Chunk:
    """Return a chunk of words; the same as ``Chunk(kind, text, part)`` at half its cost.

    A named tuple's own constructor handles every absent field in Python; most events of a stream
    are made here.
    """
    return _new(Chunk, (kind, text, part, None, None, None, None, None, None, None, None))


def argument_chunk(
    kind: ChunkKind, part: int, index: int, call_id: str | None, arguments: str
) -> Chunk:
    """Return a chunk of a call's arguments, as cheaply as ``text_chunk`` makes one of words."""
    return _new(Chunk, (kind, None, part, index, call_id, None, arguments, None, None, None, None))


_new = tuple.__new__


def repair_surrogates(text: str) -> str:
    """Return a text without halves of characters, as chunks may hold them (catalogue TR-022).

    Halves that met are joined; one that stayed alone is U+FFFD, the replacement character.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Text(Value):
    """Words meant for the reader. ``signature`` is Gemini's, kept for the next request."""

    kind: Literal["text"] = "text"
    text: str
    signature: str | None = Field(default=None, exclude_if=_absent)
    citations: tuple[JSON, ...] | None = Field(default=None, exclude_if=_absent)


class Reasoning(Value):
    """Thinking that was shown, or only summarised; ``signature`` proves it to the provider."""

    kind: Literal["reasoning"] = "reasoning"
    text: str
    signature: str | None = None


class RedactedReasoning(Value):
    """Thinking the provider hid; ``data`` is its opaque blob, to be sent back unchanged."""

    kind: Literal["redacted_reasoning"] = "redacted_reasoning"
    data: str


class Refusal(Value):
    """The model's own words of refusal, where the protocol tells them from text."""

    kind: Literal["refusal"] = "refusal"
    text: str


class ToolCall(Value):
    """A call the client has to run.

    ``arguments_raw`` is the text as streamed. ``complete`` is True only when the provider closed
    the call and the text is one JSON object; otherwise the call must never be executed and
    ``arguments`` is None.
    """

    kind: Literal["tool_call"] = "tool_call"
    id: str | None
    name: str | None
    arguments_raw: str
    arguments: dict[str, JSON] | None
    complete: bool
    signature: str | None = Field(default=None, exclude_if=_absent)
    approval: bool | None = Field(default=None, exclude_if=_absent)


class ServerTool(Value):
    """A tool the provider ran itself, or its result; never dispatched by the client."""

    kind: Literal["server_tool"] = "server_tool"
    name: str
    id: str | None = None
    data: JSON = None
    signature: str | None = Field(default=None, exclude_if=_absent)


class Media(Value):
    """An image, sound or file part; ``data`` is base64 text or a reference."""

    kind: Literal["media"] = "media"
    media_type: str | None = None
    data: str | None = None
    signature: str | None = Field(default=None, exclude_if=_absent)


Part: TypeAlias = Annotated[
    Text | Reasoning | RedactedReasoning | Refusal | ToolCall | ServerTool | Media,
    Field(discriminator="kind"),
]


class Outcome(Value):
    """Everything a target delivered for one stream; right at every moment, also after a cut."""

    chunks: tuple[Annotated[Chunk, PlainSerializer(Chunk.dump)], ...] = ()
    content: tuple[Part, ...] = ()
    finish: FinishReason = "unknown"
    finish_raw: str | None = None
    usage: Usage | None = None
    ending: Ending = "truncated"
    error: ErrorInfo | None = None
    response_id: str | None = None
    model: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All text parts joined, in arrival order."""
        return "".join(part.text for part in self.content if isinstance(part, Text))

    @property
    def reasoning(self) -> str:
        """All shown reasoning joined, in arrival order."""
        return "".join(part.text for part in self.content if isinstance(part, Reasoning))

    @property
    def refusal(self) -> str:
        """All refusal parts joined, in arrival order."""
        return "".join(part.text for part in self.content if isinstance(part, Refusal))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Every tool call, in the order in which the provider opened them."""
        return tuple(part for part in self.content if isinstance(part, ToolCall))

    @property
    def tool_call(self) -> ToolCall | None:
        """The first tool call, for callers that know only one; prefer ``tool_calls``."""
        return next(iter(self.tool_calls), None)


class Source(Value):
    """Where a law comes from: the provider's document and the sentence it says, in our words."""

    url: str
    says: str


class Finding(Value):
    """One law judged on one outcome.

    ``check`` is the key of the scenario's ``must`` or ``should``, or the name of a law that holds
    for every stream. ``reproduce`` is one shell command that shows it again.
    """

    scenario: str
    target: str
    check: str
    verdict: Verdict
    expected: JSON = None
    actual: JSON = None
    reproduce: str = ""
    sources: tuple[Source, ...] = Field(default=(), exclude=True)
