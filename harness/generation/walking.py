"""A walk through a protocol's tables: any legal stream, also those no message would become.

At each step the tape says whether to wander (take any legal move) or to head home (the innermost
move that is nearer to an end). The tables know labels; how an event of a label is written stands in
the protocol's ``samples``.

Rules of this file: which moves are legal is asked of the grammar and remembered by where it stands;
a stream is legal by construction, and the tests hold it against the validator.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from harness.generation.byte_source import ByteSource
from harness.model import Event
from harness.protocols import protocol
from harness.protocols.grammar import Open, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.protocols.grammar import Machine, Position


LENGTH = 60  # events of one walk before it heads home, at most
REMEMBERED = 20_000  # places whose moves are kept
# What a byte does besides 0, which heads home: go on with something open, open something, or end.
_GROWING, _OPENING = 140, 235
_STRIDE = 37  # shares no factor with _GROWING, so no two labels meet


def walk(protocol_name: str, data: bytes) -> tuple[Event, ...]:
    """Return the legal stream a tape leads to.

    Args:
        protocol_name: whose tables are walked.
        data: the tape; the empty one leads straight to the end.
    """
    tape, spoken = ByteSource(data), protocol(protocol_name)
    position, composer = spoken.grammar.position(), spoken.composer()
    events: list[Event] = []
    while True:
        step = _next(protocol_name, position, tape, wander=len(events) < LENGTH)
        if step is None:
            return tuple(events)
        entry = spoken.samples.entry(step, tape.choose)
        for event in composer.compose([entry]):
            assert isinstance(event, Event)  # noqa: S101 - no writer writes bytes
            events.append(event)
            for taken in spoken.read(event):
                position.take(taken)


def _next(name: str, position: Position, tape: ByteSource, *, wander: bool) -> Step | None:
    """Return the next step, or None where the walk is over."""
    ways = _ways(name, position)
    choice = tape.next() if wander else 0
    if not choice:
        return ways.home
    if choice > _OPENING and ways.ending:
        return ways.ending[choice % len(ways.ending)]
    if ways.growing and (choice <= _GROWING or not ways.opening):
        return _nearest(ways.growing, _numbers(name), choice % _GROWING)
    return _nearest(ways.opening, _openings(name), choice) if ways.opening else ways.home


def _nearest(moves: Sequence[Step], numbers: Mapping[str, int], choice: int) -> Step:
    """Return the move of the label a number stands for, or of the next one that is legal here.

    A byte means the same label wherever it stands, so a walk stays recognisable while it shrinks.
    """
    return min(moves, key=lambda step: (numbers.get(step.label, 0) - choice) % len(numbers))


class _Ways(NamedTuple):
    """What may come next: moves that open something, go on with it, end the stream; the way home.

    The newest comes first in ``growing``.
    """

    opening: tuple[Step, ...]
    growing: tuple[Step, ...]
    ending: tuple[Step, ...]
    home: Step | None


_SEEN: dict[tuple[object, ...], _Ways] = {}


def _ways(name: str, position: Position) -> _Ways:
    """Return the ways from here; remembered by place, because looking for them is the cost."""
    place = (name, *position.as_key())
    found = _SEEN.get(place)
    if found is None:
        if len(_SEEN) >= REMEMBERED:
            _SEEN.clear()
        legal = _written(name, position)
        last = _ending_labels(name)
        ending = tuple(step for step in legal if step.label in last)
        begun = [step for step in legal if _is_begun(name, position, step)]
        opening = tuple(step for step in legal if step not in begun and step not in ending)
        home = _home(name, position, legal)
        found = _SEEN[place] = _Ways(opening, tuple(reversed(begun)), ending, home)
    return found


def _is_begun(name: str, position: Position, step: Step) -> bool:
    """Say whether a step goes on with something open, a root left aside, or opens a part of it."""
    grammar = protocol(name).grammar
    machine = grammar.owner.get(step.label)
    if machine is None or machine.parent is None:
        return False
    inner = grammar.by_name[machine.parent].parent is not None
    return inner or position.state(machine.name, step.key) != machine.start


@cache
def _numbers(name: str) -> dict[str, int]:
    """Number the labels of a protocol, neighbours far from each other."""
    labels = sorted(protocol(name).grammar.labels)
    spread = {label: number * _STRIDE % _GROWING for number, label in enumerate(labels)}
    return spread | {f"nothing {free}": free for free in range(_GROWING - len(labels))}


@cache
def _openings(name: str) -> dict[str, int]:
    """Number the labels that open something below a root, and those of the roots."""
    grammar = protocol(name).grammar
    outer = [m for m in grammar.machines if not m.parent or not grammar.by_name[m.parent].parent]
    owned = [label for m in outer for label in (m.table[m.start] if m.parent else m.labels)]
    labels = sorted({*owned, *grammar.anywhere})
    return {label: number for number, label in enumerate(labels)}


@cache
def _ending_labels(name: str) -> frozenset[str]:
    """Return the labels after which a root machine rests."""
    return frozenset(
        label
        for machine in protocol(name).grammar.machines
        if machine.parent is None
        for moves in machine.table.values()
        for label, target in moves.items()
        if _goal(target) in machine.final
    )


def _written(name: str, position: Position) -> list[Step]:
    samples = protocol(name).samples
    steps = list(position.moves() if samples.moves is None else samples.moves(position))
    steps += [Step(label) for label in sorted(protocol(name).grammar.anywhere) if steps]
    return [step for step in steps if not samples.first_only or step.key[:1] <= (0,)]


def _home(name: str, position: Position, legal: Sequence[Step]) -> Step | None:
    """Return the move that brings the innermost open machine nearer to its end."""
    if not position.unfinished():
        return None
    samples, grammar = protocol(name).samples, protocol(name).grammar
    if samples.way_home is not None:
        return samples.way_home(position)
    for step in legal:
        machine = grammar.owner.get(step.label)
        if machine is None or step.label in samples.early_ends:
            continue
        far = _distances(name)[machine.name]
        state = position.state(machine.name, step.key)
        begun = state != machine.start or machine.parent is None
        if begun and far[_goal(machine.table[state][step.label])] < far[state]:
            return step
    return None


@cache
def _distances(name: str) -> dict[str, dict[str, float]]:
    """Return for each machine and state how many moves it is from a final one."""
    spoken = protocol(name)
    early = spoken.samples.early_ends
    return {machine.name: _far(machine, early) for machine in spoken.grammar.machines}


def _far(machine: Machine, early_ends: frozenset[str]) -> dict[str, float]:
    far = {state: 0.0 if state in machine.final else float("inf") for state in machine.table}
    waiting = deque(state for state in far if not far[state])
    while waiting:
        reached = waiting.popleft()
        for state, moves in machine.table.items():
            leads = any(
                _goal(target) == reached and label not in early_ends
                for label, target in moves.items()
            )
            if leads and far[state] > far[reached] + 1:
                far[state] = far[reached] + 1
                waiting.append(state)
    return far


def _goal(target: str | Open) -> str:
    return target.state if isinstance(target, Open) else target
