"""The legal order of a Chat Completions stream.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events

A stream is chunks, each with a list of choices; a choice's first delta names the role, later ones
add content, refusal or fragments of tool calls, identified by ``index``; the last chunk of a choice
carries its finish_reason; with ``include_usage`` one more chunk reports the usage, its choices
empty; then ``[DONE]``.

One chunk may move several things, so it is read as several steps, in this order: the content of
each choice, its finish, the usage, an error. What only compatible servers send is an open move
where OpenAI's documents do not mention it, and a violation where they contradict it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.grammar import Grammar, Machine, Open, Step
from harness.protocols.openai_chat.vocabulary import (
    DONE,
    OPENAI_FINISH,
    REASONING,
    REASONING_DETAILS,
    VENDOR_FINISH,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model import JSON, Event

_USAGE_ASIDE = (
    "the documents report the usage in the last chunk and say that its choices can be empty; "
    "several servers put it beside the finish_reason"
)
_ROLE_AGAIN = "the documents show the role in the first delta; many servers repeat it"
_ROLE_MISSING = "the documents show a role first and require it nowhere"
_REASONING = "fields of compatible servers; OpenAI's documents have no reasoning in a delta"
_AUDIO = (
    "the documents omit finish_reason from the last audio update only; recorded audio answers "
    "carry none at all"
)
_VENDOR_FINISH = "a finish reason of a compatible server"
_NO_INDEX = (
    "OpenAI's reference requires an index; Google's own endpoint for this protocol, Mistral and "
    "Ollama send whole calls without one, so a reader must not depend on it"
)

STREAM = Machine(
    "stream",
    {
        "running": {
            "usage": "counted",
            "usage[beside choices]": Open("counted", _USAGE_ASIDE),
            "done": "ended",
            "error": "failed",
        },
        "counted": {"done": "ended", "error": "failed"},
        "ended": {},
        # The SDKs stop reading here, so a [DONE] that follows changes nothing.
        "failed": {},
    },
)

_CONTENT: Mapping[str, str | Open] = {
    "content": "open",
    "refusal": "open",
    "reasoning": Open("open", _REASONING),
    "audio": Open("audio", _AUDIO),
    "function.start": "function call",
}
_FINISH_MOVES: Mapping[str, str | Open] = {
    **{f"finish[{word}]": "finished" for word in OPENAI_FINISH},
    **{f"finish[{word}]": Open("finished", _VENDOR_FINISH) for word in VENDOR_FINISH},
}

CHOICE = Machine(
    "choice",
    {
        "absent": {
            "role": "open",
            **{
                label: Open(move.state if isinstance(move, Open) else move, _ROLE_MISSING)
                for label, move in {**_CONTENT, **_FINISH_MOVES}.items()
            },
        },
        "open": {"role": Open("open", _ROLE_AGAIN), **_CONTENT, **_FINISH_MOVES},
        "audio": {
            "role": Open("audio", _ROLE_AGAIN),
            "audio": "audio",
            "content": "audio",
            **_FINISH_MOVES,
        },
        # The legacy function_call: a single one, without index or id.
        "function call": {"function.arguments": "function call", **_FINISH_MOVES},
        "finished": {},
    },
    key=("choice",),
    parent="stream",
    inside=frozenset({"running"}),
)

CALL = Machine(
    "call",
    {"absent": {"call.start": "open"}, "open": {"call.arguments": "open"}},
    key=("choice", "index"),
    parent="choice",
    inside=frozenset({"open"}),
    numbered=True,
)

# Calls without an index: the table cannot distinguish them, so every fragment is accepted.
LOOSE_CALL = Machine(
    "loose call",
    {
        "any": {
            "call.start[no index]": Open("any", _NO_INDEX),
            "call.arguments[no index]": Open("any", _NO_INDEX),
        },
    },
    key=("choice", "loose"),
    parent="choice",
    inside=frozenset({"open"}),
)

_FINISHED = {"choice": frozenset({"finished", "audio"})}

GRAMMAR = Grammar(
    (STREAM, CHOICE, CALL, LOOSE_CALL),
    waits_for={"usage": _FINISHED, "usage[beside choices]": _FINISHED, "done": _FINISHED},
    # Azure's content filter sends its results before the first and after the last text:
    # https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming
    # The last audio update holds only an expiry time and may follow the usage.
    anywhere=frozenset({"filter", "audio.expires"}),
)


def read(event: Event) -> Sequence[Step]:
    """Return the steps of an event: one for each thing that it moves."""
    data = event.data
    if isinstance(data, str):
        done = data.startswith(DONE)
        return (Step("done" if done else f"data that is not an object ({data[:40]!r})"),)
    return tuple(_chunk(data))


def _chunk(data: dict[str, JSON]) -> Iterator[Step]:
    choices = [choice for choice in _list(data.get("choices")) if isinstance(choice, dict)]
    if data.get("prompt_filter_results"):
        yield Step("filter")
    for choice in choices:
        yield from _choice(choice)
    if isinstance(data.get("usage"), dict):
        yield Step("usage[beside choices]" if choices else "usage")
    if data.get("error"):
        yield Step("error")


def _choice(choice: dict[str, JSON]) -> Iterator[Step]:
    key = (_number(choice.get("index")),)
    delta = choice.get("delta")
    if isinstance(delta, dict):
        yield from _delta(delta, key)
    if not delta and choice.get("content_filter_results"):
        yield Step("filter")
    if choice.get("finish_reason"):
        yield Step(f"finish[{choice['finish_reason']}]", key)


def _delta(delta: dict[str, JSON], key: tuple[int, ...]) -> Iterator[Step]:
    if delta.get("role"):
        yield Step("role", key)
    if any(delta.get(field) for field in (*REASONING, REASONING_DETAILS)):
        yield Step("reasoning", key)
    yield from (Step(label, key) for label in ("content", "refusal") if delta.get(label))
    audio = delta.get("audio")
    if isinstance(audio, dict):
        yield Step("audio.expires") if set(audio) == {"expires_at"} else Step("audio", key)
    for fragment in _list(delta.get("tool_calls")):
        index = _number(_get(fragment, "index"))
        kind = "[no index]" if index < 0 else ""
        for step in _call("call", _get(fragment, "id"), _get(fragment, "function")):
            yield Step(f"{step}{kind}", (*key, index))
    for step in _call("function", None, delta.get("function_call")):
        yield Step(step, key)


def _call(word: str, call_id: JSON, function: JSON) -> Iterator[str]:
    if call_id or _get(function, "name"):
        yield f"{word}.start"
    if _get(function, "arguments"):
        yield f"{word}.arguments"


def _list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _get(value: JSON, field: str) -> JSON:
    return value.get(field) if isinstance(value, dict) else None


def _number(value: JSON) -> int:
    return value if type(value) is int else -1
