"""The values that all packages share: wire events, chunks, outcomes and findings.

Every value is immutable, compares by content and round-trips through JSON. ``None`` means *not
reported* and ``0`` means *reported zero*. Nothing here depends on a provider. Values that are made
for each event (``Event``, ``Chunk``) are named tuples, because they must be cheap; the others are
pydantic models.

A provider may split a character between two events. Half a surrogate pair is therefore valid text
here: a chunk carries it as it came, and the content holds the whole character.
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
"""What a chunk carries: a piece of a content part, how the stream ended, or only that it is alive.

An ``approval_request`` is a piece of a tool call that a person must approve before it is executed.
"""
FinishReason: TypeAlias = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "pause", "error",
    "cancelled", "unknown",
]  # fmt: skip
"""Why the model stopped, in words that all providers share.

- ``stop``: the answer is complete, or a stop sequence was reached.
- ``length``: an output or context limit was reached.
- ``tool_calls``: the model waits for the results of its calls.
- ``content_filter``, ``refusal``: a filter of the provider stopped the answer; the model refused.
- ``pause``: the provider paused a long turn; send the content back to continue.
- ``error``, ``cancelled``: the stream failed; the consumer aborted it.
- ``unknown``: not reported, or a word that is in no table; ``Outcome.finish_raw`` has that word.
"""
Ending: TypeAlias = Literal["complete", "incomplete", "truncated", "failed", "cancelled"]
"""How the stream ended. It is never better than what the events and the HTTP status reported.

- ``complete``: the provider's terminal event reported a finished answer.
- ``incomplete``: the terminal event came and reported anything else than a finished answer, such as
  a length limit, a content filter or a pause.
- ``truncated``: the stream ended before its terminal event.
- ``failed``: the provider reported an error, or the transport failed.
- ``cancelled``: the consumer aborted the stream before its terminal event.
"""
ErrorKind: TypeAlias = Literal[
    "rate_limit", "overloaded", "authentication", "permission", "not_found", "bad_request",
    "context_overflow", "content_policy", "server", "connection", "timeout", "truncated",
    "protocol", "unknown",
]  # fmt: skip
"""What kind of failure it was; each kind has an exception in ``harness.errors``."""
Verdict: TypeAlias = Literal["pass", "fail", "warn", "open", "known", "untestable"]
"""What a check found. ``fail``, and ``untestable`` (it could not be evaluated), fail the run.

``warn`` is a violated ``should``, ``known`` a failure that the baseline accepts, and ``open`` what
the provider's documents do not decide or what cannot be observed of the target.
"""


def _absent(value: object) -> bool:
    return value is None


class Value(BaseModel):
    """Base of the frozen values: unknown fields are rejected, equality is by content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_dump_json(self, **options: Any) -> str:
        """Return the JSON text; the options are pydantic's.

        Half a surrogate pair, for which UTF-8 has no bytes, makes the whole text ASCII.
        """
        try:
            return super().model_dump_json(**options)
        except ValueError:
            indent = options.pop("indent", None)
            return json.dumps(self.model_dump(mode="json", **options), indent=indent)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return the value of a JSON text, which may contain half a surrogate pair.

        Raises:
            ValueError: the text is not valid JSON, or not the JSON of this value (then it is
                pydantic's ``ValidationError``).
        """
        return cls.model_validate(json.loads(json_data), **options)


class Event(NamedTuple):
    """One wire event.

    Args:
        name: the SSE event name, or None where the protocol sends none.
        data: the JSON object; where the data is not a JSON object (``[DONE]``, malformed JSON), the
            unchanged text.
    """

    name: str | None
    data: dict[str, JSON] | str


class Usage(Value):
    """Token counts of one response; None is not reported, 0 is reported zero.

    Where a provider reports cumulative counts several times, the last report counts; they are never
    summed.

    Args:
        input: the whole prompt: cache reads, cache writes and tool-use prompts are included.
        cached: the part of ``input`` that was read from a cache.
        cache_write: the part of ``input`` that was written to a cache.
        output: everything the model produced; ``reasoning`` is included.
        reasoning: the part of ``output`` that is reasoning.
        total: what the provider reported as the total, else ``input`` plus ``output``.
    """

    input: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    total: int | None = None


class ErrorInfo(Value):
    """What went wrong.

    Args:
        kind: one of ``ErrorKind``, the same for all providers.
        code: the provider's own code or error type, or None.
        message: the provider's own message, or that of the exception.
        retryable: whether the same request may succeed later.
    """

    kind: ErrorKind
    code: str | None = None
    message: str = ""
    retryable: bool = False


class Chunk(NamedTuple):
    """One thing a target emitted while streaming.

    A field that does not apply to the chunk's kind is None. Sorted by ``part`` (chunks of several
    parts may be interleaved), the chunks of a kind add up to the content of that kind.

    Args:
        kind: what the chunk carries.
        text: a piece of text, reasoning or refusal.
        part: the position of its content part, counted from 0 as the provider opened them.
        index: of a tool call: its position among the tool calls, counted from 0.
        id, name: of a tool call: the provider's id and the tool's name, where the chunk has them.
        arguments: of a tool call: a piece of the text of its arguments.
        data: of redacted reasoning: the opaque data.
        finish, usage, error: what a ``stop_reason``, ``usage`` or ``error`` chunk reports.
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
    """Return the same as ``Chunk(kind, text, part)`` at half its cost.

    The constructor of a named tuple handles each absent field in Python code, and most chunks of a
    stream are made here.
    """
    return _new(Chunk, (kind, text, part, None, None, None, None, None, None, None, None))


def argument_chunk(
    kind: ChunkKind, part: int, index: int, call_id: str | None, arguments: str
) -> Chunk:
    """Return a chunk of a call's arguments, as cheaply as ``text_chunk`` returns one of text."""
    return _new(Chunk, (kind, None, part, index, call_id, None, arguments, None, None, None, None))


_new = tuple.__new__


def repair_surrogates(text: str) -> str:
    """Return a text without half surrogate pairs, which joined chunks may contain (TR-022).

    Two halves that belong together become one character; a single half becomes U+FFFD, the
    replacement character.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Text(Value):
    """Text of the answer, with the provider's ``citations`` of sources as it sent them.

    ``signature`` is Gemini's thought signature, here and in the parts below; it has to be sent back
    with the next request.
    """

    kind: Literal["text"] = "text"
    text: str
    signature: str | None = Field(default=None, exclude_if=_absent)
    citations: tuple[JSON, ...] | None = Field(default=None, exclude_if=_absent)


class Reasoning(Value):
    """Reasoning that the provider shows, in full or as a summary.

    Without its ``signature`` the provider does not accept it back.
    """

    kind: Literal["reasoning"] = "reasoning"
    text: str
    signature: str | None = None


class RedactedReasoning(Value):
    """Reasoning that the provider hides; its opaque ``data`` has to be sent back unchanged."""

    kind: Literal["redacted_reasoning"] = "redacted_reasoning"
    data: str


class Refusal(Value):
    """A refusal of the model, where the protocol distinguishes it from text."""

    kind: Literal["refusal"] = "refusal"
    text: str


class ToolCall(Value):
    """A call of one of the client's tools. Execute it only if ``complete`` is True.

    Args:
        id: the provider's id, or None where it sent none.
        name: the tool's name, or None where it never came.
        arguments_raw: the text of the arguments, as streamed.
        arguments: the parsed arguments; None unless ``complete``.
        complete: whether the provider closed the call and its arguments are one JSON object.
        signature: as in ``Text``.
        approval: True where a person must approve the call before it is executed, else None.
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
    """A tool call that the provider executed itself, or its result; the client executes nothing.

    ``name`` is the provider's name of the item, such as ``web_search_call``, and ``data`` the item
    as the provider sent it.
    """

    kind: Literal["server_tool"] = "server_tool"
    name: str
    id: str | None = None
    data: JSON = None
    signature: str | None = Field(default=None, exclude_if=_absent)


class Media(Value):
    """An image, a sound or a file; ``data`` is base64 text, or a reference such as a URL."""

    kind: Literal["media"] = "media"
    media_type: str | None = None
    data: str | None = None
    signature: str | None = Field(default=None, exclude_if=_absent)


Part: TypeAlias = Annotated[
    Text | Reasoning | RedactedReasoning | Refusal | ToolCall | ServerTool | Media,
    Field(discriminator="kind"),
]


class Outcome(Value):
    """Everything a target delivered for one stream.

    It can be asked for at any moment, also while the stream runs and after an abort, and is then
    correct for what had arrived. The default is the outcome of a stream of which nothing arrived.

    Args:
        chunks: what was emitted, in order.
        content: the parts of the answer, in the order in which the provider opened them.
        finish: why the model stopped; see ``FinishReason``.
        finish_raw: the provider's own finish word, or None where it reported none.
        usage: the token counts, or None where the provider reported none.
        ending: how the stream ended; see ``Ending``.
        error: what went wrong, or None.
        response_id: the provider's id of the response, or None.
        model: the model the provider names, or None.
        notes: what was unexpected but tolerated, each beginning with a word that names it.
    """

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
        """The first tool call, for callers that expect only one; prefer ``tool_calls``."""
        return next(iter(self.tool_calls), None)


class Source(Value):
    """Where a requirement comes from.

    Args:
        url: the provider's document.
        says: what the document says, as one sentence in our words.
    """

    url: str
    says: str


class Finding(Value):
    """The result of one check on one outcome.

    Args:
        scenario: the scenario's id.
        target: the target's name.
        check: a key of the scenario's ``must`` or ``should``, the name of an invariant,
            ``holds_under:MUTATION``, ``target`` or ``consumer``.
        verdict: what the check found.
        expected: what was expected: a value, or the sentence of an invariant.
        actual: what was found instead, or the value that was checked.
        reproduce: a shell command that reproduces it, or "" where there is none.
        sources: where the scenario's requirements come from.
    """

    scenario: str
    target: str
    check: str
    verdict: Verdict
    expected: JSON = None
    actual: JSON = None
    reproduce: str = ""
    sources: tuple[Source, ...] = Field(default=(), exclude=True)
