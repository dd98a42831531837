"""A walk through a protocol's tables: any legal stream, also those that no message leads to.

At each step a choice byte says whether to take any legal move, or to go towards the end with the
innermost move that is nearer to it. The tables know labels; a protocol's ``samples`` know how an
event of a label is written.

Rules of this file: the grammar decides which moves are legal, and its answer is cached per
position; a stream is legal by construction, and the tests check it with the validator.
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


LENGTH = 60  # events of one walk, at most, before it goes towards the end
CACHED = 20_000  # positions whose moves are cached
# What a choice byte does: 0 goes towards the end; up to _GROWING it continues something that is
# open, up to _OPENING it opens something, above that it ends the stream.
_GROWING, _OPENING = 140, 235
_STRIDE = 37  # coprime to _GROWING, so no two labels get the same number


def walk(protocol_name: str, data: bytes) -> tuple[Event, ...]:
    """Return the legal stream that choice bytes lead to.

    Args:
        protocol_name: whose tables are walked.
        data: the choice bytes; the empty string leads straight to the end.
    """
    source, wire = ByteSource(data), protocol(protocol_name)
    position, composer = wire.grammar.position(), wire.composer()
    events: list[Event] = []
    while True:
        step = _next(protocol_name, position, source, explore=len(events) < LENGTH)
        if step is None:
            return tuple(events)
        entry = wire.samples.entry(step, source.choose)
        for event in composer.compose([entry]):
            assert isinstance(event, Event)  # noqa: S101 - no writer writes bytes
            events.append(event)
            for taken in wire.read(event):
                position.take(taken)


def _next(name: str, position: Position, source: ByteSource, *, explore: bool) -> Step | None:
    """Return the next step, or None at the end of the walk."""
    moves = _moves(name, position)
    choice = source.next() if explore else 0
    if not choice:
        return moves.final
    if choice > _OPENING and moves.ending:
        return moves.ending[choice % len(moves.ending)]
    if moves.growing and (choice <= _GROWING or not moves.opening):
        return _nearest(moves.growing, _numbers(name), choice % _GROWING)
    return _nearest(moves.opening, _openings(name), choice) if moves.opening else moves.final


def _nearest(steps: Sequence[Step], numbers: Mapping[str, int], choice: int) -> Step:
    """Return the step of the label that a number stands for, or of the next one that is legal here.

    A byte means the same label at every position, so a walk keeps its form while it shrinks.
    """
    return min(steps, key=lambda step: (numbers.get(step.label, 0) - choice) % len(numbers))


class _Moves(NamedTuple):
    """The legal next steps: those that open something, continue it or end the stream.

    ``growing`` begins with what was opened last; ``final`` is the step towards the end, None at it.
    """

    opening: tuple[Step, ...]
    growing: tuple[Step, ...]
    ending: tuple[Step, ...]
    final: Step | None


_CACHE: dict[tuple[object, ...], _Moves] = {}


def _moves(name: str, position: Position) -> _Moves:
    """Return the moves at a position; cached, because finding them is what a walk costs."""
    place = (name, *position.as_key())
    moves = _CACHE.get(place)
    if moves is None:
        if len(_CACHE) >= CACHED:
            _CACHE.clear()
        legal = _legal(name, position)
        last = _ending_labels(name)
        ending = tuple(step for step in legal if step.label in last)
        begun = [step for step in legal if _is_begun(name, position, step)]
        opening = tuple(step for step in legal if step not in begun and step not in ending)
        final = _towards_end(name, position, legal)
        moves = _CACHE[place] = _Moves(opening, tuple(reversed(begun)), ending, final)
    return moves


def _is_begun(name: str, position: Position, step: Step) -> bool:
    """Return whether a step continues something open below a root, or opens a part of it."""
    grammar = protocol(name).grammar
    machine = grammar.owner.get(step.label)
    if machine is None or machine.parent is None:
        return False
    inner = grammar.by_name[machine.parent].parent is not None
    return inner or position.state(machine.name, step.key) != machine.start


@cache
def _numbers(name: str) -> dict[str, int]:
    """Number the labels of a protocol, with neighbours far from each other."""
    labels = sorted(protocol(name).grammar.labels)
    spread = {label: number * _STRIDE % _GROWING for number, label in enumerate(labels)}
    return spread | {f"unused {free}": free for free in range(_GROWING - len(labels))}


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
    """Return the labels that bring a root machine to a final state."""
    return frozenset(
        label
        for machine in protocol(name).grammar.machines
        if machine.parent is None
        for moves in machine.table.values()
        for label, target in moves.items()
        if _goal(target) in machine.final
    )


def _legal(name: str, position: Position) -> list[Step]:
    samples = protocol(name).samples
    steps = list(position.moves() if samples.moves is None else samples.moves(position))
    steps += [Step(label) for label in sorted(protocol(name).grammar.anywhere) if steps]
    return [step for step in steps if not samples.first_only or step.key[:1] <= (0,)]


def _towards_end(name: str, position: Position, legal: Sequence[Step]) -> Step | None:
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
    """Return the number of moves from each machine's states to a final state."""
    wire = protocol(name)
    early_ends = wire.samples.early_ends
    return {machine.name: _far(machine, early_ends) for machine in wire.grammar.machines}


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
