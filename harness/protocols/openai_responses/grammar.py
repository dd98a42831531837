"""The legal order of a Responses stream.

https://developers.openai.com/api/reference/resources/responses/streaming-events: a
response.created; output items, each added and done, with the place of each in the final output;
inside them content parts, summary parts or the progress of a tool; a response that is completed,
incomplete or failed. An error may take the place of anything.

Items and parts carry their indexes, so several may be open at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.grammar import Grammar, Machine, Open, Step
from harness.protocols.openai_responses.vocabulary import PART_EVENTS, PARTS, PROGRESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model import JSON, Event
    from harness.protocols.grammar import Key
    from harness.protocols.openai_responses.vocabulary import Phase

_RESUMED = (
    "a stream resumed with starting_after begins behind the event it names "
    "(https://developers.openai.com/api/docs/guides/background); so this stream may be complete"
)
_BROKEN = "a recorded error event was followed by response.failed; the documents name no order"
_UNFINISHED = "the documents do not say whether a call that is cut short gets its `.done` event"

ADDED, DONE = "response.output_item.added", "response.output_item.done"

_ENDS = {
    "response.completed": "ended",
    "response.incomplete": "ended",
    "response.failed": "ended",
    "error": "error received",
}

RESPONSE = Machine(
    "response",
    {
        "not started": {
            "response.created": "created",
            "response.queued": Open("queued", _RESUMED),
            "response.in_progress": Open("running", _RESUMED),
            "error": "error received",
        },
        "created": {
            "response.queued": "queued",
            "response.in_progress": "running",
            **_ENDS,
        },
        "queued": {"response.in_progress": "running", **_ENDS},
        "running": _ENDS,
        "error received": {"response.failed": Open("ended", _BROKEN)},
        "ended": {},
    },
    may_end_in=frozenset({"error received"}),
)


def _states(item: str, phases: Sequence[Phase]) -> dict[str, dict[str, str | Open]]:
    """Return the rows of one type of item: a state before its phases, and one after each."""
    names = [item, *(f"{item}, {_short(phase)}" for phase in phases)]
    rows: dict[str, dict[str, str | Open]] = {}
    for place, state in enumerate(names):
        again = [place - 1] if place and phases[place - 1].repeats else []
        ahead = range(place, len(phases))
        rows[state] = {
            event: names[at + 1] for at in (*again, *ahead) for event in phases[at].events
        }
        early = any(phases[at].expected for at in ahead)
        rows[state][f"{DONE}[{item}]"] = Open("closed", _UNFINISHED) if early else "closed"
    return rows


def _short(phase: Phase) -> str:
    """Return the events of a phase without their common beginning."""
    return " or ".join(event.removeprefix("response.") for event in phase.events)


ITEM = Machine(
    "item",
    {
        "absent": {f"{ADDED}[{item}]": item for item in PROGRESS},
        **{
            state: moves
            for item, phases in PROGRESS.items()
            for state, moves in _states(item, phases).items()
        },
        "closed": {},
    },
    key=("output_index",),
    parent="response",
    inside=frozenset({"created", "running"}),
    numbered=True,
)


def _part(kind: str, *within: str) -> dict[str, dict[str, str]]:
    """Return the states of one kind of part; ``within`` may come while it grows."""
    stem = next(stem for stem, grown in PART_EVENTS.items() if grown == kind)
    return {
        kind: {
            f"{stem}.delta": kind,
            **dict.fromkeys(within, kind),
            f"{stem}.done": f"{kind}, done",
        },
        f"{kind}, done": {f"{PARTS[kind].frame}.done[{kind}]": "closed"},
    }


def _parts(name: str, item: str, index: str, *kinds: dict[str, dict[str, str]]) -> Machine:
    """Return the machine of an item's numbered parts, of which each kind has its own states."""
    opened = [next(iter(kind)) for kind in kinds]
    return Machine(
        name,
        {
            "absent": {f"{PARTS[kind].frame}.added[{kind}]": kind for kind in opened},
            **{state: moves for kind in kinds for state, moves in kind.items()},
            "closed": {},
        },
        key=("output_index", index),
        parent="item",
        inside=frozenset({item}),
        numbered=True,
    )


PART = _parts(
    "part",
    "message",
    "content_index",
    _part("output_text", "response.output_text.annotation.added"),
    _part("refusal"),
)
THOUGHT = _parts("thought", "reasoning", "content_index", _part("reasoning_text"))
SUMMARY = _parts("summary", "reasoning", "summary_index", _part("summary_text"))

COMMAND = Machine(
    "command",
    {
        "absent": {"response.shell_call_command.added": "open"},
        "open": {
            "response.shell_call_command.delta": "open",
            "response.shell_call_command.done": "closed",
        },
        "closed": {},
    },
    key=("output_index", "command_index"),
    parent="item",
    inside=frozenset({"shell_call"}),
    numbered=True,
)
COMMAND_OUTPUT = Machine(
    "command output",
    {
        "open": {
            "response.shell_call_output_content.delta": "open",
            "response.shell_call_output_content.done": "closed",
        },
        "closed": {},
    },
    key=("output_index", "command_index"),
    parent="item",
    inside=frozenset({"shell_call_output"}),
    numbered=True,
)

_CLOSED = frozenset({"closed"})

GRAMMAR = Grammar(
    (RESPONSE, ITEM, PART, THOUGHT, SUMMARY, COMMAND, COMMAND_OUTPUT),
    waits_for={
        f"{DONE}[message]": {"part": _CLOSED},
        f"{DONE}[reasoning]": {"thought": _CLOSED, "summary": _CLOSED},
        f"{DONE}[shell_call]": {"command": _CLOSED},
        f"{DONE}[shell_call_output]": {"command output": _CLOSED},
        "response.completed": {"item": _CLOSED},
        "response.incomplete": {"item": _CLOSED},
    },
    # Sent in long silences and described nowhere (catalogue OR-032).
    anywhere=frozenset({"keepalive"}),
)

# Events whose label has the kind of what they open or close -> the field that holds it.
_FRAMED: Mapping[str, str] = {
    ADDED: "item",
    DONE: "item",
    **{f"{part.frame}.{end}": "part" for part in PARTS.values() for end in ("added", "done")},
}


def read(event: Event) -> Sequence[Step]:
    """Return the steps of an event; one of an unknown type has its type as its label."""
    data = event.data
    if not isinstance(data, dict):
        return (Step(f"data that is not an object ({data[:40]!r})"),)
    label = str(data.get("type") or event.name)
    if label in _FRAMED:
        label = f"{label}[{_type(data.get(_FRAMED[label]))}]"
    machine = GRAMMAR.owner.get(label)
    return (Step(label, () if machine is None else _key(machine.key, data)),)


def _type(value: JSON) -> JSON:
    return value.get("type") if isinstance(value, dict) else None


def _key(fields: Sequence[str], data: Mapping[str, JSON]) -> Key:
    """Return the indexes an event carries; -1 stands for one that is missing or not a number."""
    return tuple(data[name] if type(data.get(name)) is int else -1 for name in fields)
