"""Messages as a model may say them in any protocol; ``saying`` leaves out what a wire cannot say.

A finish follows from the content as the providers' documents say: calls end as calls, a refusal as
one; only an answer of plain words ends for other reasons.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.generation.byte_source import ByteSource
from harness.generation.strategies.values import NAMES, SEALS, json_object, words
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

    from harness.model import Ending, FinishReason, Part

CALLS = 8  # parallel calls of one message, at most
_FINISHES: tuple[FinishReason, ...] = ("stop", "length", "content_filter", "pause")
_ENDINGS: tuple[Ending, ...] = ("complete", "complete", "complete", "truncated", "failed")
_ENDING: dict[str, Ending] = dict.fromkeys(("length", "content_filter", "pause"), "incomplete")
_ERROR = ErrorInfo(kind="server", message="no")

# How a word becomes a part; the number tells what else is with it.
_PARTS: Sequence[Callable[[str, int], Part]] = (
    lambda word, _: Text(text=word),
    lambda word, _: Reasoning(text=word),
    lambda word, number: Reasoning(text=word, signature=SEALS[number % len(SEALS)]),
    lambda _, number: RedactedReasoning(data=SEALS[number % len(SEALS)]),
    lambda word, _: Refusal(text=word),
)
_prose = st.builds(
    lambda kind, word: _PARTS[kind % len(_PARTS)](word, kind // len(_PARTS)),
    st.integers(0, len(_PARTS) * len(SEALS) - 1),
    words,
)


def _call(number: int, data: bytes) -> ToolCall:
    tape = ByteSource(data)
    said = json_object(tape)
    raw = json.dumps(said, ensure_ascii=False)
    name = tape.choose(NAMES)
    return ToolCall(
        id=f"call_{number}", name=name, arguments_raw=raw, arguments=said, complete=True
    )


# Drawn as they are and read in `_message`: a strategy in between costs as much as the bytes do.
_calls = st.lists(st.binary(max_size=12), max_size=CALLS)


def _usage(data: bytes) -> Usage:
    """Return counts that agree with one another: the cache is in the input, and so on."""
    tape = ByteSource(data)
    rest, cached, written, spoken, thought = (tape.below(2**16) for _ in range(5))
    given, made = rest + cached + written, spoken + thought
    return Usage(
        input=given,
        cached=cached,
        cache_write=written,
        output=made,
        reasoning=thought,
        total=given + made,
    )


_usages = st.none() | st.binary(max_size=10)


def _message(
    prose: list[Part],
    calls: list[bytes],
    finish: FinishReason,
    ending: Ending,
    usage: bytes | None,
) -> Message:
    numbered = (_call(number, data) for number, data in enumerate(calls))
    if calls:
        finish = "tool_calls"
    elif any(isinstance(part, Refusal) for part in prose):
        finish = "refusal"
    if ending == "complete":
        ending = _ENDING.get(finish, "complete")
    error = _ERROR if ending == "failed" else None
    counts = None if usage is None else _usage(usage)
    return Message((*prose, *numbered), finish, ending, counts, error)


def messages() -> st.SearchStrategy[Message]:
    """Return a strategy of messages: words of any script, 0 to 8 calls, every ending."""
    return st.builds(
        _message,
        st.lists(_prose, max_size=3),
        _calls,
        st.sampled_from(_FINISHES),
        st.sampled_from(_ENDINGS),
        _usages,
    )
