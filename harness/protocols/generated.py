"""What generated streams have in common in every protocol: drawn values, and harmless changes.

A protocol composes its ``Noise`` from the mappings below; what is specific to it is in its own
folder. The SDKs' behaviour was measured with openai 3.52, anthropic 2.11 and google-genai 3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# The order of each tuple decides what a drawn byte means, so new values go to the end.
TEXTS = ("a", "ü", "日本語", "\r\n", "👩‍👩‍👧", " ", "data: x\n\n", "\u2028")
FRAGMENTS = ("{}", '{"a":', "1}", '{"a":1}')  # of a call's arguments, none of them empty
JSON_TEXTS = (*FRAGMENTS, "", "null", '"}')


def split_label(label: str) -> tuple[str, str]:
    """Split ``word[kind]`` into its word and its kind, which is empty where there is none."""
    word, _, kind = label.partition("[")
    return word, kind.rstrip("]")


_SSE = "https://html.spec.whatwg.org/multipage/server-sent-events.html"

# Changes below the level of events, and fields that are new.
TRANSPORT: Mapping[str, str] = {
    "byte_cuts": "TCP delivers bytes, not events (TR-001)",
    "line_ends": f"{_SSE}: a line ends at LF or CRLF",
    "unknown_fields": "providers add fields without a new version",
}
# What the format of server-sent events allows between and inside events.
EVENT_STREAM: Mapping[str, str] = {
    "comments": f"{_SSE}: a line that starts with a colon is ignored",
    "ids": f"{_SSE}: id and retry carry no data",
    "no_space": f"{_SSE}: the space after the colon may be missing",
}
