"""Cut plans: where a byte stream is split into reads.

A cut plan is ``whole``, ``event``, ``byte``, ``awkward``, ``edges`` (around every line end and
inside every multi-byte character), ``offset:N`` (one cut after N bytes), ``random:SEED``, or
``recorded`` (as the recorder received them). The bytes never change, only where one read ends and
the next begins: every plan must lead to the same outcome.
"""

from __future__ import annotations

import random
import re
from itertools import chain, pairwise
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Cutter: TypeAlias = Callable[[Sequence[bytes], str], Iterator[bytes]]

# Sizes that cut, in turn, inside `data:`, a CRLF pair, a multi-byte character and a JSON escape.
AWKWARD = (1, 5, 2, 13, 3, 8, 21)
_EDGE = re.compile(rb"[\r\n]+|[\x80-\xff]+")


def _by_sizes(body: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        end = start + next(sizes)
        yield body[start:end]
        start = end


def _repeated(sizes: Sequence[int]) -> Iterator[int]:
    while True:
        yield from sizes


def _whole(frames: Sequence[bytes], _: str) -> Iterator[bytes]:
    body = b"".join(frames)
    if body:
        yield body


def _event(frames: Sequence[bytes], _: str) -> Iterator[bytes]:
    return (frame for frame in frames if frame)


def _byte(frames: Sequence[bytes], _: str) -> Iterator[bytes]:
    return (frame[at : at + 1] for frame in frames for at in range(len(frame)))


def _awkward(frames: Sequence[bytes], _: str) -> Iterator[bytes]:
    return _by_sizes(b"".join(frames), _repeated(AWKWARD))


def _edges(frames: Sequence[bytes], _: str) -> Iterator[bytes]:
    """Cut before and after each line end, and inside each multi-byte character."""
    body = b"".join(frames)
    cuts = (at for edge in _EDGE.finditer(body) for at in range(edge.start(), edge.end() + 1))
    offsets = [0, *dict.fromkeys(at for at in cuts if 0 < at < len(body)), len(body)]
    return (body[start:end] for start, end in pairwise(offsets) if start < end)


def _offset(frames: Sequence[bytes], argument: str) -> Iterator[bytes]:
    body, at = b"".join(frames), int(argument)
    return (piece for piece in (body[:at], body[at:]) if piece)


def _random(frames: Sequence[bytes], argument: str) -> Iterator[bytes]:
    generator = random.Random(int(argument))  # noqa: S311 - a seed must give the same cuts everywhere
    return _by_sizes(b"".join(frames), iter(lambda: generator.randint(1, 40), 0))


_PLANS: dict[str, Cutter] = {
    "whole": _whole,
    "event": _event,
    "byte": _byte,
    "awkward": _awkward,
    "edges": _edges,
    "offset": _offset,
    "random": _random,
}
_TAKES_NUMBER = frozenset({"offset", "random"})


_RECORDED = "recorded"  # its sizes are passed to `cut`
# Every plan as a user writes it.
PLANS = (*(f"{name}:N" if name in _TAKES_NUMBER else name for name in _PLANS), _RECORDED)


def check(plan: str) -> str:
    """Return the plan if it is valid.

    Raises:
        UnknownWordError: no plan has that name.
        InputError: its number is missing, or it takes none.
    """
    name, colon, argument = plan.partition(":")
    if name not in (*_PLANS, _RECORDED):
        raise UnknownWordError("cut plan", plan, PLANS)
    if not (argument.isdecimal() if name in _TAKES_NUMBER else not colon):
        form = f"{name}:N" if name in _TAKES_NUMBER else name
        raise InputError(f"cut plan {plan!r}: write it as {form}")
    return plan


def cut(frames: Sequence[bytes], plan: str, recorded: Sequence[int] = ()) -> Iterator[bytes]:
    """Split the bytes of all frames into reads, none of them empty.

    Args:
        frames: the bytes.
        plan: the cut plan.
        recorded: the length of each read for the plan ``recorded``; further bytes, as a mutation
            may add, are one read.
    """
    name, _, argument = check(plan).partition(":")
    if name == _RECORDED:
        body = b"".join(frames)
        return _by_sizes(body, chain(recorded, (len(body),)))
    return _PLANS[name](frames, argument)


def every_offset(size: int) -> Iterator[str]:
    """Yield the plan of one cut at each offset inside a body of ``size`` bytes."""
    return (f"offset:{at}" for at in range(1, size))
