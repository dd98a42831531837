"""The legal order of events, as small state tables in the manner of h11.

Theory of operation
-------------------
A *machine* is one table ``{state: {label: next state}}``. Its first state is where it starts; a
state without exits is final; *a move whose label is missing from the state's row is illegal*. Only
these tables and the two rules below make a stream illegal.

A protocol is a family of machines. A machine with a ``key`` has one instance per value of its key
(output item 0, output item 1 …), and is active in some states of its parent, whose key is a prefix
of its own. For the Responses stream::

    response                   one instance: not started -> created -> running -> ended
    └─ item[output_index]      active while the response is created or running
       ├─ part[output_index, content_index]       active while its item is a message
       └─ summary[output_index, summary_index]    active while its item is reasoning

``read`` of the protocol turns a wire event into *steps*: a label, and the key of the instance that
it moves. A label belongs to exactly one machine, so a step finds its table without a search. A
``Position`` holds the state of every instance that has moved, and ``take`` asks three questions
about each step:

1. Is the parent in a state in which this machine may move (``inside``)?
2. Has the row of the instance's state an entry for the label?
3. Does a new instance come out of turn (``numbered``), or must other instances come to rest first
   (``waits_for``)? A message may not end while one of its blocks is open, for example.

``moves`` asks the same questions about every label, so it yields exactly what ``take`` accepts. The
validator, the hints in its sentences, generated walks and the diagrams in ``docs/protocols`` all
come from the tables.

Where the provider's documents neither allow nor forbid a move, its target is ``Open(state, why)``:
the move is taken, and reported with its reason as *open* instead of as a violation.

An illegal step does not stop the validation: the instance goes on in the state to which the label
leads elsewhere, so one mistake gives one sentence. Validation never raises.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Key: TypeAlias = tuple[int, ...]
_HINTS = 6  # labels that a sentence proposes, at most


class Step(NamedTuple):
    """What one wire event means to the grammar: a label, and the key of the instance it moves."""

    label: str
    key: Key = ()

    def __str__(self) -> str:
        return f"{self.label}[{','.join(map(str, self.key))}]" if self.key else self.label


class Open(NamedTuple):
    """A move that the provider's documents neither allow nor forbid, and why it is accepted."""

    state: str
    why: str


class Violation(NamedTuple):
    """One sentence about one event of a stream (``event`` counts from 0; -1 is the stream's end).

    ``severity`` is ``open`` where a table marks the move as such, which violates nothing.
    """

    event: int
    severity: Literal["violation", "open"]
    sentence: str


Table: TypeAlias = "Mapping[str, Mapping[str, str | Open]]"
Waits: TypeAlias = "Mapping[str, Mapping[str, frozenset[str] | Open]]"


@dataclass(frozen=True)
class Machine:
    """One state table.

    Args:
        name: its name in sentences.
        table: ``{state: {label: next state or Open}}``; the first state is the start.
        key: the wire fields that identify an instance: the parent's, then one of its own.
        parent: the machine it lives in, or None for a root.
        inside: the parent's states in which it may move; empty means any.
        numbered: new instances must come in the order 0, 1, 2 … under one parent.
        may_end_in: states in which the stream may end although more might come.
    """

    name: str
    table: Table
    key: tuple[str, ...] = ()
    parent: str | None = None
    inside: frozenset[str] = frozenset()
    numbered: bool = False
    may_end_in: frozenset[str] = frozenset()

    @cached_property
    def start(self) -> str:
        """The state of an instance that has not moved yet."""
        return next(iter(self.table))

    @cached_property
    def final(self) -> frozenset[str]:
        """States in which the stream may end: those without exits, and ``may_end_in``."""
        return self.may_end_in.union(state for state, moves in self.table.items() if not moves)

    @cached_property
    def labels(self) -> frozenset[str]:
        """Every label this machine owns."""
        return frozenset(label for moves in self.table.values() for label in moves)


@dataclass(frozen=True)
class Grammar:
    """A family of machines that together decide which event may come next.

    Args:
        machines: the tables, parents before children.
        waits_for: ``{label: {machine: states}}``: the label is legal only when every instance of
            that machine below the same key (or beside it, for its own machine) is in one of the
            states; ``Open(state, why)`` where the documents leave open whether it has to wait.
        anywhere: labels that are legal at every moment and move nothing.

    Raises:
        ValueError: two machines share a label, or ``waits_for`` has a label of no machine.
    """

    machines: tuple[Machine, ...]
    waits_for: Waits = field(default_factory=dict)
    anywhere: frozenset[str] = frozenset()
    owner: Mapping[str, Machine] = field(init=False)
    by_name: Mapping[str, Machine] = field(init=False)
    fallback: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        count = Counter(label for machine in self.machines for label in machine.labels)
        shared = sorted({label for label, times in count.items() if times > 1})
        shared += sorted(label for label in count if label in self.anywhere)
        if shared:
            raise ValueError(f"labels with more than one owner: {', '.join(shared)}")
        owner = {label: machine for machine in self.machines for label in machine.labels}
        unknown = sorted(label for label in self.waits_for if label not in owner)
        if unknown:
            raise ValueError(f"waits_for has labels of no table: {', '.join(unknown)}")
        object.__setattr__(self, "owner", owner)
        object.__setattr__(self, "by_name", {machine.name: machine for machine in self.machines})
        object.__setattr__(self, "fallback", _fallbacks(self.machines))

    @property
    def labels(self) -> frozenset[str]:
        """Every label of every table."""
        return frozenset(self.owner) | self.anywhere

    def position(self) -> Position:
        """Return the position before the first event."""
        return Position(self)

    def violations(self, stream: Iterable[Sequence[Step]]) -> list[Violation]:
        """Return the violations and open moves of a stream, given as the steps of each event.

        An illegal event gives one violation; the events after it are checked as if it had been
        legal. Never raises.
        """
        position = self.position()
        found: list[Violation] = []
        for index, steps in enumerate(stream):
            for step in steps:
                problem = position.take(step)
                if problem:
                    severity, why = problem
                    found.append(Violation(index, severity, f"event {index} {step}: {why}"))
        return found + [Violation(-1, "violation", why) for why in position.unfinished()]


def _fallbacks(machines: Sequence[Machine]) -> dict[str, str]:
    """Return for each label the state to go on from after it came at the wrong moment."""
    states: dict[str, str] = {}
    for machine in machines:
        for moves in machine.table.values():
            for label, target in moves.items():
                states.setdefault(label, _state(target))
    return states


def _state(target: str | Open) -> str:
    return target.state if isinstance(target, Open) else target


Problem: TypeAlias = "tuple[Literal['violation', 'open'], str]"


class Position:
    """The state of every instance that has moved.

    ``take`` moves it by one step, ``moves`` yields every step that may come next.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._states: dict[str, dict[Key, str]] = {m.name: {} for m in grammar.machines}
        self._children: Counter[tuple[str, Key]] = Counter()

    def state(self, machine: str, key: Key = ()) -> str:
        """Return the state of one instance; its start state if it never moved."""
        return self._states[machine].get(key, self._grammar.by_name[machine].start)

    def as_key(self) -> tuple[tuple[tuple[Key, str], ...], ...]:
        """Return a hashable form of the position: equal positions have equal moves."""
        return tuple(tuple(states.items()) for states in self._states.values())

    def take(self, step: Step) -> Problem | None:
        """Move by one step; return the problem with it, or None."""
        grammar = self._grammar
        if step.label in grammar.anywhere:
            return None
        machine = grammar.owner.get(step.label)
        if machine is None:
            return "violation", "this event is in no table"
        target = machine.table[self.state(machine.name, step.key)].get(step.label)
        reason = self._why_illegal(machine, step, target)
        state = grammar.fallback[step.label] if target is None else _state(target)
        known = self._states[machine.name]
        if step.key not in known:
            self._children[machine.name, step.key[:-1]] += 1
        known[step.key] = state
        if reason:
            return "violation", reason
        why = target.why if isinstance(target, Open) else self._need_not_wait(machine, step)
        return ("open", why) if why else None

    def unfinished(self) -> list[str]:
        """Return one sentence for each root machine that is not in a final state."""
        return [
            f"the stream ended while {machine.name} is {self.state(machine.name)!r}; "
            "no terminal event was sent"
            for machine in self._grammar.machines
            if machine.parent is None and self.state(machine.name) not in machine.final
        ]

    def moves(self) -> Iterator[Step]:
        """Yield every step that may come next, children before parents, new instances last."""
        for machine in reversed(self._grammar.machines):
            for key in self._reachable(machine):
                if not self._lives(machine, key):
                    continue
                for label in machine.table[self.state(machine.name, key)]:
                    step = Step(label, key)
                    if self._why_not_yet(machine, step) is None:
                        yield step

    def _lives(self, machine: Machine, key: Key) -> bool:
        """Return whether an instance's parent is in a state in which the instance may move."""
        if machine.parent is None or not machine.inside:
            return True
        parent = self._grammar.by_name[machine.parent]
        return self.state(parent.name, key[: len(parent.key)]) in machine.inside

    def _reachable(self, machine: Machine) -> Iterator[Key]:
        known = self._states[machine.name]
        yield from known
        if machine.parent is None:
            if () not in known:
                yield ()
            return
        parent = self._grammar.by_name[machine.parent]
        # A root is there before it has moved.
        for parent_key in self._states[parent.name] or ([()] if parent.parent is None else []):
            yield (*parent_key, self._children[machine.name, parent_key])

    def _why_illegal(self, machine: Machine, step: Step, target: str | Open | None) -> str | None:
        """Return why a step is illegal now, or None."""
        if machine.parent is not None and not self._lives(machine, step.key):
            parent = self._grammar.by_name[machine.parent]
            state = self.state(parent.name, step.key[: len(parent.key)])
            return f"{parent.name} is {state!r}; {self._hint(step)}"
        if target is None:
            state = self.state(machine.name, step.key)
            return f"{machine.name} is {state!r}; {self._hint(step)}"
        return self._why_not_yet(machine, step)

    def _why_not_yet(self, machine: Machine, step: Step) -> str | None:
        """Return why a step that its own table allows has to wait, or None."""
        if machine.numbered and step.key not in self._states[machine.name]:
            count = self._children[machine.name, step.key[:-1]]
            if step.key[-1] != count:
                return f"index {step.key[-1]} is new, the next {machine.name} is {count}"
        return self._awaited(machine, step)

    def _awaited(self, machine: Machine, step: Step) -> str | None:
        for name, allowed in self._grammar.waits_for.get(step.label, {}).items():
            if not isinstance(allowed, Open):
                for key, state in self._not_at_rest(machine, step, name, allowed):
                    return f"waits for {Step(name, key)}, which is {state!r}"
        return None

    def _need_not_wait(self, machine: Machine, step: Step) -> str | None:
        """Return why a step need not wait for what it should wait for, if it does not wait."""
        for name, allowed in self._grammar.waits_for.get(step.label, {}).items():
            if isinstance(allowed, Open):
                for _ in self._not_at_rest(machine, step, name, frozenset({allowed.state})):
                    return allowed.why
        return None

    def _not_at_rest(
        self, machine: Machine, step: Step, name: str, allowed: frozenset[str]
    ) -> Iterator[tuple[Key, str]]:
        """Yield the instances of a machine that a step waits for."""
        beside = name == machine.name
        scope = step.key[:-1] if beside else step.key
        for key, state in self._states[name].items():
            if state in allowed or key[: len(scope)] != scope or (beside and key == step.key):
                continue
            yield key, state

    def _hint(self, step: Step) -> str:
        """List the labels that would have been legal, those of the same instance first."""
        legal = sorted(self._legal_labels(step.key), key=lambda found: (found[0], found[1]))
        labels = list(dict.fromkeys(label for _, label in legal))
        more = ", …" if len(labels) > _HINTS else ""
        return f"legal here: {', '.join(labels[:_HINTS]) or 'nothing'}{more}"

    def _legal_labels(self, key: Key) -> Iterator[tuple[int, str]]:
        for machine in self._grammar.machines:
            near = key[: len(machine.key)]
            if len(near) != len(machine.key):
                continue
            for label in machine.table[self.state(machine.name, near)]:
                yield -len(near), label
