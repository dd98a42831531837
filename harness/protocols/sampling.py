"""What generated walks put into events, in every protocol alike.

The order of each tuple decides what a drawn byte means, so new values go to the end.
"""

from __future__ import annotations

TEXTS = ("a", "ü", "日本語", "\r\n", "👩‍👩‍👧", " ", "data: x\n\n", "\u2028")
FRAGMENTS = ("{}", '{"a":', "1}", '{"a":1}')  # of a call's arguments, none of them empty
JSON_TEXTS = (*FRAGMENTS, "", "null", '"}')


def split_label(label: str) -> tuple[str, str]:
    """Split ``word[kind]`` into its word and its kind, which is empty where there is none."""
    word, _, kind = label.partition("[")
    return word, kind.rstrip("]")
