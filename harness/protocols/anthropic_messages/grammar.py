"""The legal order of a Messages stream.

https://docs.claude.com/en/api/messages-streaming: a message_start; content blocks, each a start,
deltas and a stop, with an index that is the block's place in the final content; one or more
message_delta; a message_stop. Pings may come anywhere; new event types may be added; an error may
take the place of anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.anthropic_messages.words import DELTAS_OF
from harness.protocols.grammar import Grammar, Machine, Open, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model import JSON, Event

_WHOLE = (
    "with programmatic tool calling the recorded message_start already holds content and "
    "stop_reason, and message_stop follows at once; the documents do not describe it"
)

MESSAGE = Machine(
    "message",
    {
        "unborn": {"message_start": "open", "error": "failed"},
        "open": {
            "message_delta": "stopping",
            "message_stop": Open("ended", _WHOLE),
            "error": "failed",
        },
        "stopping": {"message_delta": "stopping", "message_stop": "ended", "error": "failed"},
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
    settled={
        "message_delta": _CLOSED,
        "message_stop": _CLOSED,
        # One block after the other: "each block has a start, deltas and a stop event", in order.
        **{f"content_block_start[{block}]": _CLOSED for block in DELTAS_OF},
    },
    anywhere=frozenset({"ping"}),
)


def read(event: Event) -> Sequence[Step]:
    """Return what one event means to the grammar; an event of no known type keeps its own word."""
    data = event.data
    if not isinstance(data, dict):
        return (Step(f"data that is no object ({data[:40]!r})"),)
    word = str(data.get("type") or event.name)
    if not word.startswith("content_block_"):
        return (Step(word),)
    inner = _inner(data.get("content_block") or data.get("delta"))
    index = data.get("index")
    key = (index,) if isinstance(index, int) else (-1,)
    return (Step(word if word == "content_block_stop" else f"{word}[{inner}]", key),)


def _inner(value: JSON) -> JSON:
    return value.get("type") if isinstance(value, dict) else None
