"""The example of each pattern, after and before any text, in one piece and in two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.scrubbing.patterns import PATTERNS
from harness.wire import sse
from tests.cassettes.scrubbing.made_up_secrets import is_masked

if TYPE_CHECKING:
    from harness.cassettes.scrubbing.patterns import Pattern

each = pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
BEFORE = ("", " ", "\n", "\r\n", "\t", "\b", "é", "\U0001f642", '"', "\\", "/", "(", "=", "a\n")
AFTER = ("", " now", "(now)", "@x", ".", ",", '"', "\n", "é", "/", "=", "-", ")", "&", "\\")


def scrub(body: bytes) -> bytes:
    return Scrubber(()).content(body)


def hit(pattern: Pattern, group: str | int) -> str:
    """Return a group of the match of a pattern in its example."""
    found = pattern.regex.search(pattern.example.encode())
    assert found
    return found[group].decode()


def nested(text: str, depth: int, *, ascii_only: bool) -> str:
    for _ in range(depth):
        text = json.dumps({"text": text}, ensure_ascii=ascii_only)
    return text


def unnested(document: str, depth: int) -> str:
    for _ in range(depth):
        document = json.loads(document)["text"]
    return document


@each
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_mask_does_not_break_the_json_around_it(pattern: Pattern, depth: int) -> None:
    """What precedes a secret may be an escape, whose letters are not part of the secret."""
    secret = hit(pattern, "s")
    for before in BEFORE:
        text = f"see{before}{hit(pattern, 0)} now"
        bare = Scrubber(()).text(text)
        for ascii_only in (True, False):
            document = nested(text, depth, ascii_only=ascii_only)
            for body in (document, f"data: {document}\n\n"):
                kept = scrub(body.encode()).decode()
                scrubbed = unnested(kept.removeprefix("data: "), depth)
                assert len(kept) == len(body)
                assert scrubbed in {bare, text.replace(secret, is_masked(secret))}, (before, body)
                assert bare in {scrubbed, text}, (before, body)


def masked_in(*pieces: str) -> str:
    """Return the joined text of scrubbed events, one event per piece."""
    body = b"".join(sse.write(None, json.dumps({"text": piece})) for piece in pieces)
    frames = sse.split(scrub(body))
    return "".join(json.loads(frame.removeprefix(b"data: "))["text"] for frame in frames)


@each
def test_where_a_text_is_cut_does_not_matter(pattern: Pattern) -> None:
    """No pattern refuses a secret because of what follows its word: it may not have arrived yet."""
    different: dict[str, Any] = {}
    for after in AFTER:
        text = f"It is {pattern.example}{after}"
        whole = masked_in(text)
        for at in range(1, len(text)):
            kept = masked_in(text[:at], text[at:])
            if kept != whole:
                different[f"{text[:at]}|{text[at:]}"] = kept
    assert different == {}
