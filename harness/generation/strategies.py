"""Hypothesis strategies for whole streams.

``messages()`` draws what a model may reply in any protocol; ``capabilities`` removes what one of
them cannot express. ``from_grammar(protocol)`` walks through a protocol's tables.
``cases(protocol)`` draws from both what the properties are evaluated on.

Texts and JSON values include what broke readers of streams before, by ids of the catalogue:
characters of several bytes (TR-002), line separators (TR-004), what looks like a line of the wire
(TR-005), escapes (TR-022). A finish follows from the content as the providers document it: a
message with calls ends with ``tool_calls``, one with a refusal with ``refusal``; only an answer of
plain text ends for other reasons.
"""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.generation.byte_source import ByteSource
from harness.generation.cases import Case
from harness.generation.walking import walk
from harness.model import (
    ErrorInfo,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from harness.protocols.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model import JSON, Ending, Event, FinishReason, Part

DIFFICULT_TEXTS = (
    "a",
    " ",
    "ü",
    "日本語",
    "שלום",
    "👩‍👩‍👧",
    "e\u0301",
    "\u2028",
    "\r\n\r\n",
    "data: [DONE]\n\n",
    "\\u0041",
    '"}',
    "</think>",
    "\x00",
    "\ufeff",
    "[DONE]",
)
# What only the provider reads: bytes in base64, which Gemini's SDK requires.
SIGNATURES = ("AA==", "c2ln", "+/+/", "A" * 64)
TOOL_NAMES = ("get", "get_weather", "a", "search-the_web")

# A model without text opens no part, so no text is empty.
_texts = st.sampled_from(DIFFICULT_TEXTS) | st.text(
    st.characters(codec="utf-8"), min_size=1, max_size=12
)
_choice_bytes = st.binary(max_size=24)

# JSON values are read from a byte source: one draw per value, where Hypothesis' own recursive
# strategy would need twenty.

_SCALARS: Sequence[Callable[[ByteSource], JSON]] = (
    lambda source: source.choose(DIFFICULT_TEXTS),
    lambda source: source.below(256) - 128,
    lambda source: source.choose((None, True, False, 0.5, -1e-7, 1e300, 2**53, "")),
)
_DEEPEST = 3  # objects and lists within each other


def _json_value(source: ByteSource, depth: int = 0) -> JSON:
    kind = source.below(len(_SCALARS) + (2 if depth < _DEEPEST else 0))
    if kind < len(_SCALARS):
        return _SCALARS[kind](source)
    if kind == len(_SCALARS):
        return [_json_value(source, depth + 1) for _ in range(source.below(3))]
    return _json_object(source, depth + 1)


def _json_object(source: ByteSource, depth: int = 0) -> dict[str, JSON]:
    return {
        source.choose(DIFFICULT_TEXTS): _json_value(source, depth + 1)
        for _ in range(source.below(3))
    }


# Messages

MOST_CALLS = 8  # parallel calls of one message
_FINISHES: tuple[FinishReason, ...] = ("stop", "length", "content_filter", "pause")
_ENDINGS: tuple[Ending, ...] = ("complete", "complete", "complete", "truncated", "failed")
_ENDING: dict[str, Ending] = dict.fromkeys(("length", "content_filter", "pause"), "incomplete")
_ERROR = ErrorInfo(kind="server", message="no")

# How a text becomes a part; the number selects the signature.
_PARTS: Sequence[Callable[[str, int], Part]] = (
    lambda text, _: Text(text=text),
    lambda text, _: Reasoning(text=text),
    lambda text, number: Reasoning(text=text, signature=SIGNATURES[number % len(SIGNATURES)]),
    lambda _, number: RedactedReasoning(data=SIGNATURES[number % len(SIGNATURES)]),
    lambda text, _: Refusal(text=text),
)
_parts = st.builds(
    lambda kind, text: _PARTS[kind % len(_PARTS)](text, kind // len(_PARTS)),
    st.integers(0, len(_PARTS) * len(SIGNATURES) - 1),
    _texts,
)

# Calls and usage are drawn as bytes and read in `_message`: a strategy for each would take as long
# to draw as the bytes themselves.
_calls = st.lists(st.binary(max_size=12), max_size=MOST_CALLS)
_usages = st.none() | st.binary(max_size=10)


def _call(number: int, data: bytes) -> ToolCall:
    source = ByteSource(data)
    arguments = _json_object(source)
    raw = json.dumps(arguments, ensure_ascii=False)
    name = source.choose(TOOL_NAMES)
    return ToolCall(
        id=f"call_{number}", name=name, arguments_raw=raw, arguments=arguments, complete=True
    )


def _usage(data: bytes) -> Usage:
    """Return counts that agree with one another: the cache is in the input, and so on."""
    source = ByteSource(data)
    uncached, cached, written, visible, reasoning = (source.below(2**16) for _ in range(5))
    prompt, output = uncached + cached + written, visible + reasoning
    return Usage(
        input=prompt,
        cached=cached,
        cache_write=written,
        output=output,
        reasoning=reasoning,
        total=prompt + output,
    )


def _message(
    parts: list[Part],
    calls: list[bytes],
    finish: FinishReason,
    ending: Ending,
    usage: bytes | None,
) -> Message:
    numbered = (_call(number, data) for number, data in enumerate(calls))
    if calls:
        finish = "tool_calls"
    elif any(isinstance(part, Refusal) for part in parts):
        finish = "refusal"
    if ending == "complete":
        ending = _ENDING.get(finish, "complete")
    error = _ERROR if ending == "failed" else None
    counts = None if usage is None else _usage(usage)
    return Message((*parts, *numbered), finish, ending, counts, error)


def messages() -> st.SearchStrategy[Message]:
    """Return a strategy of messages: text of any script, 0 to 8 calls, every ending."""
    return st.builds(
        _message,
        st.lists(_parts, max_size=3),
        _calls,
        st.sampled_from(_FINISHES),
        st.sampled_from(_ENDINGS),
        _usages,
    )


# Walks and cases

LONGEST_WALK = 40  # choice bytes of one walk, at most


@cache
def from_grammar(protocol_name: str) -> st.SearchStrategy[tuple[Event, ...]]:
    """Return a strategy of legal streams; it shrinks towards the shortest one.

    Args:
        protocol_name: whose tables are walked.
    """
    return st.binary(max_size=LONGEST_WALK).map(partial(walk, protocol_name))


@cache
def cases(protocol_name: str, *, messages_only: bool = False) -> st.SearchStrategy[Case]:
    """Return a strategy of cases of one protocol.

    Args:
        protocol_name: its name.
        messages_only: whether to draw streams of messages only, no walks.
    """
    encoded = st.builds(partial(_encoded, protocol_name), messages(), _choice_bytes, _choice_bytes)
    if messages_only:
        return encoded
    walked = st.builds(partial(_walked, protocol_name), from_grammar(protocol_name), _choice_bytes)
    return encoded | walked


def _encoded(name: str, message: Message, delta_choices: bytes, choices: bytes) -> Case:
    return Case(name, message, delta_choices, choices)


def _walked(name: str, events: tuple[Event, ...], choices: bytes) -> Case:
    return Case(name, choices=choices, walked=events)
