"""Secrets made up for a test, and streams that carry them in fragments."""

from __future__ import annotations

import json
import random
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.scrubbing.masking import masked
from harness.cassettes.scrubbing.patterns import PATTERNS
from harness.wire import event_stream, sse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.cassettes.scrubbing.patterns import Pattern

    Encoder = Callable[[Sequence[str]], bytes]

_ALPHABETS = (
    "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
)  # fmt: skip


class Secret(NamedTuple):
    """A made-up secret: the text that contains it, and the part that must be masked."""

    kind: str
    text: str
    value: str


def secrets(each: int) -> Iterator[Secret]:
    """Yield secrets of each kind: the example of its pattern with other letters."""
    for pattern in PATTERNS:
        for seed in range(each):
            yield _secret(pattern, seeded(f"{pattern.name} {seed}"))


def seeded(seed: int | str) -> random.Random:
    """Return a random generator with a fixed seed."""
    return random.Random(seed)  # noqa: S311 - a seed must give the same secrets everywhere


def _secret(pattern: Pattern, rng: random.Random) -> Secret:
    hit = pattern.regex.search(pattern.example.encode())
    assert hit, pattern.name
    start, end = hit.span("s")
    hexadecimal = re.fullmatch(r"[0-9a-f]+", pattern.example[start:end])
    alphabets = ("0123456789", "abcdef") if hexadecimal else _ALPHABETS
    for _ in range(100):
        value = "".join(_like(letter, alphabets, rng) for letter in pattern.example[start:end])
        text = pattern.example[:start] + value + pattern.example[end:]
        again = pattern.regex.search(text.encode())
        if again and again["s"].decode() == value:
            return Secret(pattern.name, text, value)
    return Secret(pattern.name, pattern.example, pattern.example[start:end])


def _like(letter: str, alphabets: tuple[str, ...], rng: random.Random) -> str:
    return next((rng.choice(known) for known in alphabets if letter in known), letter)


def fragments(text: str, rng: random.Random) -> list[str]:
    """Cut a text into pieces of one to seven characters."""
    pieces = []
    while text:
        size = rng.randint(1, 7)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def _chat(delta: str) -> Encoder:
    def encode(pieces: Sequence[str]) -> bytes:
        path = {"content": "{}", "reasoning_content": "{}"}
        frames = []
        for piece in pieces:
            inner: object = {delta: piece}
            if delta not in path:
                inner = {"tool_calls": [{"index": 1, "function": {"arguments": piece}}]}
            chunk = {"id": "c", "choices": [{"delta": inner, "index": 0, "finish_reason": None}]}
            frames.append(sse.write(None, json.dumps(chunk)))
        return b"".join(frames)

    return encode


def _anthropic(pieces: Sequence[str]) -> bytes:
    data = (
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "input_json_delta", "partial_json": piece}}
        for piece in pieces
    )  # fmt: skip
    return b"".join(sse.write("content_block_delta", json.dumps(one)) for one in data)


def _responses(pieces: Sequence[str]) -> bytes:
    kind = "response.function_call_arguments.delta"
    data = (
        {
            "type": kind,
            "item_id": f"i{n}",
            "output_index": 0,
            "delta": piece,
            "obfuscation": "x" * n,
        }
        for n, piece in enumerate(pieces)
    )
    return b"".join(sse.write(kind, json.dumps(one)) for one in data)


def _gemini(pieces: Sequence[str]) -> bytes:
    data = (
        {"candidates": [{"content": {"parts": [{"text": piece}], "role": "model"}, "index": 0}]}
        for piece in pieces
    )
    return b"".join(sse.write(None, json.dumps(one), "\r\n") for one in data)


def _array(pieces: Sequence[str]) -> bytes:
    data = [{"candidates": [{"content": {"parts": [{"text": piece}]}}]} for piece in pieces]
    return json.dumps(data).encode()


def _interleaved(pieces: Sequence[str]) -> bytes:
    """Return a stream of two interleaved texts, with comments between."""
    frames = []
    for piece in pieces:
        for index, text in ((0, "clean words "), (1, piece)):
            data = {"type": "d", "delta": {"text": text}, "index": index}
            frames.append(sse.write("d", json.dumps(data)) + b": keepalive\n\n")
    return b"".join(frames)


def _plain(pieces: Sequence[str]) -> bytes:
    return b"".join(sse.write(None, piece) for piece in pieces)


def _bedrock(pieces: Sequence[str]) -> bytes:
    """Return events of Anthropic inside binary events of AWS: in base64, with checksums."""
    headers = {":event-type": "chunk", ":message-type": "event"}
    messages = []
    for number, piece in enumerate(pieces):
        data = {"type": "content_block_delta", "index": 0, "delta": {"text": piece}}
        inner = b64encode(json.dumps(data).encode()).decode()
        payload = json.dumps({"bytes": inner, "p": "abcdefghijklmnop"[: number % 16]})
        messages.append(event_stream.write(headers, payload.encode()))
    return b"".join(messages)


ENCODERS: dict[str, Encoder] = {
    "chat content": _chat("content"),
    "chat reasoning": _chat("reasoning_content"),
    "chat arguments": _chat("arguments"),
    "anthropic partial_json": _anthropic,
    "responses arguments": _responses,
    "gemini text": _gemini,
    "gemini array": _array,
    "interleaved": _interleaved,
    "plain data": _plain,
    "bedrock": _bedrock,
}


def joined(body: bytes) -> str:
    """Return all texts of a stream's deltas, joined as a reader would."""
    texts: dict[str, str] = {}
    documents = [body.decode()] if body.startswith(b"[") else []
    if event_stream.sniff(body):
        events = event_stream.Reader().feed(body)
        documents = [b64decode(json.loads(one.payload)["bytes"]).decode() for one in events]
    for frame in () if event_stream.sniff(body) else sse.split(body):
        reader = sse.Reader()
        documents += [read.data for read in reader.feed(frame)]
    for document in documents:
        try:
            data = json.loads(document)
        except ValueError:
            texts["data"] = texts.get("data", "") + document
            continue
        index = data.get("index") if isinstance(data, dict) else ""
        for path, text in _texts(data, str(index)):
            texts[path] = texts.get(path, "") + text
    return "\n".join(texts.values())


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, f"{path}[]")
    elif isinstance(value, str):
        yield path, value


def is_masked(value: str) -> str:
    """Return the mask of a secret."""
    return masked(value.encode()).decode()
