"""Words and JSON values: any script, and what has broken readers of streams before.

Sources of the named ones: catalogue TR-002 (characters of several bytes), TR-004 (line separators),
TR-005 (what looks like a line of the wire), TR-022 (escapes). JSON values are read off a tape: one
draw a value, where Hypothesis' own recursive strategy would take twenty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.generation.byte_source import ByteSource
    from harness.model import JSON

NASTY = (
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
# What only the provider reads: bytes in base64, which Gemini's SDK insists on.
SEALS = ("AA==", "c2ln", "+/+/", "A" * 64)
NAMES = ("get", "get_weather", "a", "search-the_web")

# A model that says nothing opens no part, so no word is empty.
words = st.sampled_from(NASTY) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
tapes = st.binary(max_size=24)

_SCALARS: Sequence[Callable[[ByteSource], JSON]] = (
    lambda tape: tape.choose(NASTY),
    lambda tape: tape.below(256) - 128,
    lambda tape: tape.choose((None, True, False, 0.5, -1e-7, 1e300, 2**53, "")),
)


def json_value(tape: ByteSource, depth: int = 0) -> JSON:
    """Return the JSON value a tape decides: a word, if it is at its end.

    Args:
        tape: the decisions.
        depth: how many objects and lists it stands in.
    """
    kind = tape.below(len(_SCALARS) + (2 if depth < 3 else 0))  # noqa: PLR2004 - deep enough
    if kind < len(_SCALARS):
        return _SCALARS[kind](tape)
    if kind == len(_SCALARS):
        return [json_value(tape, depth + 1) for _ in range(tape.below(3))]
    return json_object(tape, depth + 1)


def json_object(tape: ByteSource, depth: int = 0) -> dict[str, JSON]:
    """Return the JSON object a tape decides: the empty one, if it is at its end."""
    return {tape.choose(NASTY): json_value(tape, depth + 1) for _ in range(tape.below(3))}
