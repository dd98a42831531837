"""Cassettes written: vcrpy's YAML, and under each response a ``stream:`` that vcrpy passes over.

::

    interactions:
    - request: {method, uri, headers, body}
      response:
        status: {code, message}
        headers: …
        body: {string: …}
        stream:
          end: clean
          reads: 213@0.102345 88@0.104001
          provenance: {what: llama.cpp, recorded: "2026-11-24"}
    version: 1

Rules of this file: ``reading.load`` reads back what stands here, byte for byte; a name that repeats
stands once with all its values, because vcrpy has it so; what was never seen is not written.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.atomic_file import write_atomically
from harness.cassettes.yaml_text import body, word
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.cassettes.cassette import (
        Cassette,
        Headers,
        Interaction,
        Provenance,
        Read,
        Request,
        Response,
        Stream,
    )

_READS_A_LINE = 8


def save(cassette: Cassette, path: Path) -> None:
    """Write a cassette, whole or not at all; folders it needs are made.

    What the values hold is written as it is: scrubbing comes before.

    Raises:
        InputError: the file cannot be written.
    """
    write(cassette.interactions, path)


def write(interactions: Iterable[Interaction], path: Path) -> None:
    """Write interactions as a cassette, taken one after the other; otherwise as ``save``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made ({error.strerror})", path=path.parent) from error
    write_atomically(path, (f"{line}\n".encode() for line in _cassette(interactions)))


def _cassette(interactions: Iterable[Interaction]) -> Iterator[str]:
    empty = True
    for interaction in interactions:
        if empty:
            yield "interactions:"
        empty = False
        yield from _interaction(interaction)
    if empty:
        yield "interactions: []"
    yield "version: 1"


def _interaction(interaction: Interaction) -> Iterator[str]:
    yield "- request:"
    yield from _request(interaction.request)
    yield "  response:"
    yield from _response(interaction.response)


def _request(request: Request) -> Iterator[str]:
    yield f"    method: {word(request.method)}"
    yield f"    uri: {word(request.uri)}"
    yield from _headers(request.headers)
    yield f"    body: {body(request.body, ' ' * 6)}"


def _response(response: Response) -> Iterator[str]:
    yield f"    status: {{code: {response.status}, message: {word(response.reason)}}}"
    yield from _headers(response.headers)
    yield "    body:"
    yield f"      string: {body(response.body, ' ' * 8)}"
    yield from _stream(response.stream)


def _headers(headers: Headers) -> Iterator[str]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(word(value))
    yield "    headers:" if values else "    headers: {}"
    yield from (f"      {word(name)}: [{', '.join(found)}]" for name, found in values.items())


def _stream(stream: Stream) -> Iterator[str]:
    yield "    stream:"
    yield f"      end: {stream.end}"
    if stream.reads is not None:
        yield from _reads(stream.reads)
    if stream.provenance is not None:
        yield from _provenance(stream.provenance)


def _reads(reads: tuple[Read, ...]) -> Iterator[str]:
    words = [f"{read.length}@{read.offset:.6f}" for read in reads]
    lines = [words[at : at + _READS_A_LINE] for at in range(0, len(words), _READS_A_LINE)]
    if not lines:
        yield '      reads: ""'
    else:
        yield "      reads: >-"
        yield from (f"        {' '.join(line)}" for line in lines)


def _provenance(provenance: Provenance) -> Iterator[str]:
    yield "      provenance:"
    known = {key: value for key, value in asdict(provenance).items() if value is not None}
    yield from (f"        {key}: {word(value)}" for key, value in known.items())
