"""The legal order of a Messages stream.

https://docs.claude.com/en/api/messages-streaming: a message_start; a series of content blocks, each
with a start, deltas, a stop, and an index that is its place in the final content; one or more
message_delta; a message_stop. Pings may come anywhere; new event types may be added; an error may
take the place of anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.anthropic_messages.vocabulary import DELTAS_OF
from harness.protocols.grammar import Grammar, Machine, Open, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model import JSON, Event

_WHOLE = (
    "with programmatic tool calling the recorded message_start already holds content and "
    "stop_reason, and message_stop follows at once; the documents do not describe it"
)
_SERIES = (
    "the documents describe a series of blocks, each with its index, and do not say that one has "
    "to stop before the next starts; every recorded block does"
)

MESSAGE = Machine(
    "message",
    {
        "not started": {
            "message_start": "open",
            "message_start[whole]": Open("delta received", _WHOLE),
            "error": "failed",
        },
        "open": {"message_delta": "delta received", "error": "failed"},
        "delta received": {
            "message_delta": "delta received",
            "message_stop": "ended",
            "error": "failed",
        },
        "ended": {},
        "failed": {},
    },
)

BLOCK = Machine(
    "block",
    {
        "absent": {f"content_block_start[{block}]": block for block in DELTAS_OF},
        **{
            block: {
                **{f"content_block_delta[{delta}]": block for delta in deltas},
                "content_block_stop": "closed",
            }
            for block, deltas in DELTAS_OF.items()
        },
        "closed": {},
    },
    key=("index",),
    parent="message",
    inside=frozenset({"open"}),
    numbered=True,
)

_CLOSED = {"block": frozenset({"closed"})}

GRAMMAR = Grammar(
    (MESSAGE, BLOCK),
    waits_for={
        "message_delta": _CLOSED,
        "message_stop": _CLOSED,
        **{
            f"content_block_start[{block}]": {"block": Open("closed", _SERIES)}
            for block in DELTAS_OF
        },
    },
    anywhere=frozenset({"ping"}),
)


def read(event: Event) -> Sequence[Step]:
    """Return the steps of an event; one of an unknown type has its type as its label."""
    data = event.data
    if not isinstance(data, dict):
        return (Step(f"data that is not an object ({data[:40]!r})"),)
    word = str(data.get("type") or event.name)
    if word == "message_start":
        whole = _field(data.get("message"), "stop_reason")
        return (Step("message_start[whole]" if whole else word),)
    if not word.startswith("content_block_"):
        return (Step(word),)
    index = data.get("index")
    key = (index,) if isinstance(index, int) else (-1,)
    if word == "content_block_stop":
        return (Step(word, key),)
    inner = _field(data.get("content_block") or data.get("delta"), "type")
    return (Step(f"{word}[{inner}]", key),)


def _field(value: JSON, name: str) -> JSON:
    return value.get(name) if isinstance(value, dict) else None
