"""How an event with a given label is written in the shorthand of Chat Completions scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.composing import Entry
from harness.protocols.protocol import Samples
from harness.protocols.sampling import FRAGMENTS, TEXTS, split_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model import JSON
    from harness.protocols.grammar import Step

    Choose = Callable[[Sequence[JSON]], JSON]

_COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
# Labels whose chunk the shorthand writes under another word.
_ENTRIES: Mapping[str, tuple[str, JSON]] = {
    "audio": ("delta", {"audio": {"id": "audio_1", "data": "AAAA"}}),
    "audio.expires": ("delta", {"audio": {"expires_at": 1}}),
    "function.start": ("delta", {"function_call": {"name": "get"}}),
    "filter": ("chunk", {"prompt_filter_results": [{"prompt_index": 0}]}),
    "usage[beside choices]": (
        "chunk",
        {"choices": [{"index": 0, "delta": {}, "finish_reason": None}], "usage": _COUNTS},
    ),
}


def entry(step: Step, choose: Choose) -> Entry:
    """Return the entry that writes a chunk with a step."""
    if step.label in _ENTRIES:
        return Entry(*_ENTRIES[step.label])
    word, kind = split_label(step.label)
    if word == "finish":
        return Entry("finish", kind)
    if word in {"content", "reasoning", "refusal"}:
        return Entry(word, choose(TEXTS))
    if word == "function.arguments":
        return Entry("delta", {"function_call": {"arguments": choose(FRAGMENTS)}})
    if word.startswith("call."):
        return _fragment(word, None if kind else step.key[1], choose)
    return Entry(word)


def _fragment(word: str, index: int | None, choose: Choose) -> Entry:
    at = {"at": None if index is None else [index]}
    if word == "call.start":
        return Entry("tool_call", {**at, "id": f"call_{index}", "name": "get"})
    return Entry("tool_call", {**at, "arguments": choose(FRAGMENTS)})


SAMPLES = Samples(entry, early_ends=frozenset({"error"}), first_only=True)
