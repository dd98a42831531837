"""A recorded response as a script: the same bytes, the same reads if recorded, the same end.

Rule of this file: nothing is added. If the client disconnected, the body ends cleanly after the
bytes it had received, without the provider's terminal event.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from harness.cassettes.reading import load
from harness.errors import InputError
from harness.protocols.bodies import frames_of, is_stream
from harness.wire import event_stream
from harness.wire.script import EVENT_STREAM, ResponseEnd, Script

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.cassettes.cassette import Headers, Read, Response, StreamEnd

_ENDS: dict[StreamEnd, ResponseEnd] = {
    "clean": "clean",
    "reset": "reset",
    "client_closed": "clean",
}
OK = 200
_STREAM: Headers = (("content-type", EVENT_STREAM),)
_ERROR: Headers = (("content-type", "application/json"),)


def select_response(root: Path, name: str) -> Response:
    """Return the response of one interaction.

    Args:
        root: the folder of cassettes.
        name: ``SOURCE/NAME.yaml`` below it, followed by ``#N`` if the cassette holds several.

    Raises:
        InputError: there is no such interaction; the message names the valid choices.
    """
    file, _, number = name.partition("#")
    path = root / file
    if not path.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{file!r} escapes {root}; name a file below it")
    interactions = load(path).interactions
    if not number and len(interactions) != 1:
        message = f"contains {len(interactions)} interactions; choose one, as in {file}#1"
        raise InputError(message, path=path)
    if number and not (number.isdecimal() and 1 <= int(number) <= len(interactions)):
        raise InputError(
            f"has no interaction {number!r}; it contains {len(interactions)}", path=path
        )
    return interactions[int(number or 1) - 1].response


def script_of(response: Response, protocol_name: str) -> Script:
    """Return a response as a script, split into the frames of its protocol.

    A JSON array and binary events are framed again as server-sent events, so their headers are
    dropped; so are the reads of an array, while those of binary events are adapted.

    Raises:
        WireError: the bytes are neither events nor a JSON array.
    """
    end = _ENDS[response.stream.end]
    frames: tuple[bytes, ...]
    if response.status != OK:
        frames, headers = (response.body,), response.headers or _ERROR
    elif not is_stream(response.body):
        frames = frames_of(response.body, protocol_name)
        reads = _reframed_reads(response, frames) if event_stream.sniff(response.body) else ()
        return Script(frames, end=end, recorded=_with_pauses(reads))
    else:
        frames, headers = frames_of(response.body, protocol_name), response.headers or _STREAM
    recorded = _with_pauses(response.stream.reads or ())
    return Script(frames, response.status, headers, end=end, recorded=recorded)


def _reframed_reads(response: Response, frames: tuple[bytes, ...]) -> Iterator[Read]:
    """Yield the reads of binary events, each ending at the same fraction of its event's new frame.

    A read that adds no byte of the new frame is dropped; its time is added to the next.
    """
    messages = [len(raw) for _, raw in event_stream.Reader().feed_with_bytes(response.body)]
    sizes = [*zip(messages, map(len, frames), strict=True), (1, 0)]
    binary, text = ([0, *accumulate(column)] for column in zip(*sizes, strict=True))
    emitted = end = 0
    for read in response.stream.reads or ():
        end += read.length
        index = bisect_right(binary, end) - 1
        size, framed = sizes[index]
        length = text[index] + (end - binary[index]) * framed // size - emitted
        if length:
            yield read._replace(length=length)
            emitted += length


def _with_pauses(reads: Iterable[Read]) -> tuple[tuple[int, float], ...]:
    """Return the length of each read and the seconds before it."""
    reads = tuple(reads)
    offsets = (0.0, *(read.offset for read in reads))
    pauses = (max(0.0, after - before) for before, after in pairwise(offsets))
    return tuple(zip((read.length for read in reads), pauses, strict=True))
