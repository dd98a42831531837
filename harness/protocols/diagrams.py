"""Pages about the tables: a state diagram per machine, its rows, its open moves and their reasons.

``python -m harness.protocols.diagrams docs/protocols`` writes one page per protocol. A test
compares the committed pages with what this module writes, so a page cannot differ from its tables.
"""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.protocols import NAMES, protocol
from harness.protocols.generated import split_label
from harness.protocols.grammar import Open

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.protocols.grammar import Grammar, Machine
    from harness.protocols.protocol import Protocol

_LABELS = 3  # labels that one arrow names, at most; the table has them all
_STATES = 14  # states that a diagram shows, at most; a larger machine is drawn in parts


def page(name: str) -> str:
    """Return the Markdown page of a protocol."""
    described = protocol(name)
    return "\n".join([*_head(described), *_machines(described.grammar), *_tail(described)]) + "\n"


def _head(described: Protocol) -> Iterator[str]:
    yield f"# {described.name}"
    yield ""
    yield "Generated from the tables by `python -m harness.protocols.diagrams docs/protocols`;"
    yield "[README.md](README.md) explains how to read this page."
    yield ""
    title, _, rest = _docstring(described).partition("\n")
    yield title
    if rest.strip():
        yield ""
        yield rest.strip()
    yield ""
    yield f"Reference: <{described.endpoint.documentation}>"


def _docstring(described: Protocol) -> str:
    """Return the docstring of the grammar's module, which cites its sources, as Markdown."""
    module = inspect.getmodule(described.read)
    return inspect.cleandoc((module.__doc__ if module else "") or "").replace("``", "`")


def _machines(grammar: Grammar) -> Iterator[str]:
    for machine in grammar.machines:
        yield ""
        yield f"## {machine.name}"
        yield ""
        yield from _facts(machine)
        yield ""
        alike = _alike(machine)
        for shown in _parts(machine, alike):
            yield from _diagram(machine, shown, alike)
            yield ""
        yield from _rows(machine, alike)
        yield from _reasons(machine)


def _facts(machine: Machine) -> Iterator[str]:
    if machine.parent is None:
        yield "One instance per stream."
    else:
        states = _listed(sorted(machine.inside))
        lives = f"while it is {states}" if states else "in any of its states"
        yield f"One instance per `{', '.join(machine.key)}`, inside {machine.parent} {lives}."
    if machine.numbered:
        yield "New instances come in the order 0, 1, 2 …"
    final = [state for state in machine.table if state in machine.final]
    if machine.parent is None:
        yield f"The stream may end when it is {_listed(final)}."


def _listed(words: Sequence[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), *quoted[-1:])))


def _alike(machine: Machine) -> dict[str, str]:
    """Return for each state the first one of those whose rows are the same but for their names."""
    first: dict[object, str] = {}
    return {state: first.setdefault(_row_key(machine, state), state) for state in machine.table}


def _row_key(machine: Machine, state: str) -> object:
    """Return what two states have in common that one box of a diagram stands for.

    A kind with several states keeps each of them.
    """
    moves = machine.table[state]
    kind = state.partition(",")[0]
    several = sum(other.partition(",")[0] == kind for other in machine.table) > 1
    if state == machine.start or not moves or several:
        return state
    return frozenset(
        (
            label.replace(f"[{kind}]", "[its kind]"),
            "itself" if _goal(target) == state else _goal(target),
            isinstance(target, Open),
        )
        for label, target in moves.items()
    )


def _parts(machine: Machine, alike: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield the states of each diagram; the states of a large machine are divided by their kind."""
    shown = list(dict.fromkeys(alike.values()))
    if len(shown) <= _STATES:
        yield shown
        return
    kinds: dict[str, list[str]] = defaultdict(list)
    for state in shown:
        kinds[state.partition(",")[0]].append(state)
    simple = [states[0] for states in kinds.values() if len(states) == 1]
    yield simple
    yield from ([machine.start, *states] for states in kinds.values() if len(states) > 1)


def _diagram(machine: Machine, shown: Sequence[str], alike: Mapping[str, str]) -> Iterator[str]:
    """Yield a Mermaid diagram of some states and their exits; an open move ends with ``?``."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for state in shown:
        for label, target in machine.table[state].items():
            goal = alike[_goal(target)]
            if state != machine.start or goal in shown:
                arrows[state, goal].append(f"{label}{' ?' if isinstance(target, Open) else ''}")
    ids = {state: f"s{number}" for number, state in enumerate(machine.table)}
    used = [state for state in ids if state in shown or any(state in pair for pair in arrows)]
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield from (f'    state "{_named(state, alike)}" as {ids[state]}' for state in used)
    if machine.start in used:
        yield f"    [*] --> {ids[machine.start]}"
    for (state, goal), labels in arrows.items():
        yield f"    {ids[state]} --> {ids[goal]} : {_arrow(labels)}"
    yield from (f"    {ids[state]} --> [*]" for state in used if state in machine.final)
    yield "```"


def _named(state: str, alike: Mapping[str, str]) -> str:
    """Return the name of a state, with the number of those that it stands for."""
    others = sum(first == state for first in alike.values()) - 1
    return f"{state} and {others} like it" if others else state


def _arrow(labels: Sequence[str]) -> str:
    """Return the text of an arrow: the first labels, and how many more there are."""
    rest = len(labels) - _LABELS
    return "<br>".join(labels if rest <= 1 else [*labels[:_LABELS], f"… {rest} more"])


def _goal(target: str | Open) -> str:
    return target.state if isinstance(target, Open) else target


def _rows(machine: Machine, alike: Mapping[str, str]) -> Iterator[str]:
    yield "| state | event | next state |"
    yield "|---|---|---|"
    for state in dict.fromkeys(alike.values()):
        moves = machine.table[state]
        same = [one for one, first in alike.items() if first == state]
        groups: dict[tuple[str, bool], list[str]] = defaultdict(list)
        for label, target in moves.items():
            goal = _goal(target)
            kind = split_label(label)[1]
            named = "the same state" if goal == state else "its kind" if kind == goal else goal
            own = f"[{state}]"
            merged = len(same) > 1 and label.endswith(own)
            shown = f"{label.removesuffix(own)}[its kind]" if merged else label
            groups[named, isinstance(target, Open)].append(shown)
        name = ", ".join(same)
        for (goal, is_open), labels in groups.items():
            yield f"| {name} | {_events(labels)} | {goal}{' (open move)' if is_open else ''} |"
        if not moves:
            yield f"| {name} | none | |"


def _events(labels: Iterable[str]) -> str:
    """Return labels as Markdown, those of one word with several kinds together."""
    words: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        word, kind = split_label(label)
        words[word].append(kind)
    return "; ".join(
        f"`{word}[…]` of {', '.join(kinds)}"
        if len(kinds) > 1
        else f"`{word}{f'[{kinds[0]}]' if kinds[0] else ''}`"
        for word, kinds in words.items()
    )


def _reasons(machine: Machine) -> Iterator[str]:
    """Yield the open moves, grouped by their reason."""
    groups: dict[str, list[str]] = defaultdict(list)
    for state, moves in machine.table.items():
        for label, target in moves.items():
            if isinstance(target, Open):
                groups[target.why].append(f"`{label}` when it is `{state}`")
    if groups:
        yield ""
        yield "Open moves:"
        yield ""
    for why, moves_of in groups.items():
        yield f"- {_some(moves_of)}: {why}."


def _some(words: Sequence[str]) -> str:
    rest = len(words) - _LABELS
    return ", ".join(words) if rest <= 1 else f"{', '.join(words[:_LABELS])} and {rest} more"


def _tail(described: Protocol) -> Iterator[str]:
    grammar = described.grammar
    if grammar.waits_for:
        yield from ("", "## Events that wait", "")
        yield "| event | waits until each | is |"
        yield "|---|---|---|"
        for (machine, condition), labels in _waiting(grammar).items():
            yield f"| {_events(labels)} | {machine} | {condition} |"
        yield from _open_conditions(grammar)
    if grammar.anywhere:
        yield from ("", "## Legal at every moment", "")
        yield _listed(sorted(grammar.anywhere))
    yield from _unmodelled(described)


def _waiting(grammar: Grammar) -> dict[tuple[str, str], list[str]]:
    """Return the labels that wait for the same machine to be in the same states."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for label, conditions in grammar.waits_for.items():
        for machine, states in conditions.items():
            found[machine, _condition(states)].append(label)
    return found


def _condition(states: frozenset[str] | Open) -> str:
    if isinstance(states, Open):
        return f"`{states.state}` (open move)"
    return _listed(sorted(states))


def _open_conditions(grammar: Grammar) -> Iterator[str]:
    reasons = {
        states.why
        for conditions in grammar.waits_for.values()
        for states in conditions.values()
        if isinstance(states, Open)
    }
    if reasons:
        yield ""
    yield from (f"- Open: {why}." for why in sorted(reasons))


def _unmodelled(described: Protocol) -> Iterator[str]:
    if not described.unmodelled:
        return
    yield from ("", "## Not modelled", "")
    yield "| category | word | reason |"
    yield "|---|---|---|"
    for category, words in described.unmodelled.items():
        for word, why in sorted(words.items()):
            yield f"| {category} | `{word}` | {why} |"


def main(arguments: Iterable[str]) -> None:
    """Write the page of every protocol that ships with the project.

    Args:
        arguments: the folder to write to.
    """
    [folder] = map(Path, arguments)
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / f"{name}.md").write_text(page(name), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
