"""Cassettes written: vcrpy's YAML, and under each response a ``stream:`` that vcrpy ignores.

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

Rules of this file: ``reading.load`` returns what was written, byte for byte; a repeated header is
one key with a list of values, as in vcrpy; unknown values are not written.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.atomic_file import write_atomically
from harness.cassettes.yaml_text import block, scalar
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

_READS_PER_LINE = 8


def save(cassette: Cassette, path: Path) -> None:
    """Write a cassette atomically; missing folders are created.

    The values are written as they are: scrub them before.

    Raises:
        InputError: the file cannot be written.
    """
    write(cassette.interactions, path)


def write(interactions: Iterable[Interaction], path: Path) -> None:
    """Write interactions as a cassette, consuming them one by one; otherwise like ``save``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be created ({error.strerror})", path=path.parent) from error
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
    yield f"    method: {scalar(request.method)}"
    yield f"    uri: {scalar(request.uri)}"
    yield from _headers(request.headers)
    yield f"    body: {block(request.body, ' ' * 6)}"


def _response(response: Response) -> Iterator[str]:
    yield f"    status: {{code: {response.status}, message: {scalar(response.reason)}}}"
    yield from _headers(response.headers)
    yield "    body:"
    yield f"      string: {block(response.body, ' ' * 8)}"
    yield from _stream(response.stream)


def _headers(headers: Headers) -> Iterator[str]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(scalar(value))
    yield "    headers:" if values else "    headers: {}"
    yield from (f"      {scalar(name)}: [{', '.join(texts)}]" for name, texts in values.items())


def _stream(stream: Stream) -> Iterator[str]:
    yield "    stream:"
    yield f"      end: {stream.end}"
    if stream.reads is not None:
        yield from _reads(stream.reads)
    if stream.provenance is not None:
        yield from _provenance(stream.provenance)


def _reads(reads: tuple[Read, ...]) -> Iterator[str]:
    items = [f"{read.length}@{read.offset:.6f}" for read in reads]
    lines = [items[at : at + _READS_PER_LINE] for at in range(0, len(items), _READS_PER_LINE)]
    if not lines:
        yield '      reads: ""'
    else:
        yield "      reads: >-"
        yield from (f"        {' '.join(line)}" for line in lines)


def _provenance(provenance: Provenance) -> Iterator[str]:
    yield "      provenance:"
    present = {key: value for key, value in asdict(provenance).items() if value is not None}
    yield from (f"        {key}: {scalar(value)}" for key, value in present.items())
