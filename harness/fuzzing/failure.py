"""One failure, small: what was sent, what the law asks for, what came, and how to see it again."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.protocols import protocol
from harness.protocols.events import data_text, events_of
from harness.targets.resolving import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.fuzzing.campaign import Settings
    from harness.fuzzing.properties import Broken, Property
    from harness.generation.cases import Case
    from harness.model import JSON, Event


@dataclass(frozen=True)
class Failure:
    """One law broken by one target, by the smallest stream that was found.

    Args:
        law: its name; ``says`` is the law, ``cases`` are ids of the catalogue.
        severity: ``must`` or ``should``.
        target: whose fault it is.
        protocol: the wire.
        symptom: what it has in common with other streams that break the same.
        items: the events sent, and bytes that are no event.
        cut: the cut plan.
        expected: what the law asks for, by keys of ``must``.
        actual: what came.
        why: one sentence.
    """

    law: str
    says: str
    cases: tuple[str, ...]
    severity: str
    target: str
    protocol: str
    symptom: str
    items: tuple[Event | bytes, ...]
    cut: str = "event"
    expected: Mapping[str, JSON] = field(default_factory=dict)
    actual: Mapping[str, JSON] = field(default_factory=dict)
    why: str = ""

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes two failures one: the law, and the labels of the events."""
        spoken = protocol(self.protocol)
        labels = tuple(
            b"" if isinstance(item, bytes) else tuple(step.label for step in spoken.read(item))
            for item in self.items
        )
        return self.law, self.protocol, tuple(self.expected), labels

    @property
    def id(self) -> str:
        """The id of its scenario."""
        digest = hashlib.sha256(repr((self.shape, self.items)).encode()).hexdigest()[:8]
        return f"{self.protocol}/fuzz/{self.law}_{digest}"

    def describe(self, out: str | None = None) -> str:
        """Return what a person reads of it.

        Args:
            out: the folder its scenario was written to, or None where there is none.
        """
        count = f"{len(self.items)} event{'' if len(self.items) == 1 else 's'}"
        again = [] if out is None else [f"  again        {self.reproduce(out)}"]
        sources = (protocol(self.protocol).endpoint.documentation, *self.cases)
        lines = [
            f"{self.target}: broken {self.protocol}: {self.law} ({count})",
            f"  requirement  {self.says}",
            *(f"  {number:>9}    {_line(item)}" for number, item in enumerate(self.items)),
            *([] if self.cut == "event" else [f"  cut          {self.cut}"]),
            f"  why          {self.why}",
            *self._compared(),
            f"  source       {' '.join(sources)}",
        ]
        return "\n".join([*lines, *again])

    def _compared(self) -> Iterator[str]:
        """Yield what was expected and what came; where both are nothing, `why` says it all."""
        sides = {"expected": self.expected, "actual": self.actual}
        if any(sides.values()):
            for word, side in sides.items():
                yield f"  {word:<12} {json.dumps(dict(side), ensure_ascii=False)}"

    def reproduce(self, out: str) -> str:
        """Return the one command that shows it again.

        Args:
            out: the folder its scenario was written to.
        """
        words = ["harness", "run", self.id, "--scenarios", out, "--target", self.target]
        return shlex.join(words)


def failure_of(law: Property, case: Case, wrong: Broken, settings: Settings) -> Failure:
    """Return the failure that a case led to."""
    word = wrong.protocol or case.protocol_name
    target = settings.ways[wrong.twin] if wrong.twin else settings.target
    return Failure(
        law=law.name,
        says=law.says,
        cases=law.cases,
        severity=law.severity,
        target=name_of(target),
        protocol=word,
        symptom=f"{law.name} {wrong.symptom}".strip(),
        items=tuple(_item(word, frame) for frame in wrong.script.frames),
        cut=wrong.script.cut,
        expected=wrong.expected,
        actual=wrong.actual,
        why=wrong.why,
    )


def _line(item: Event | bytes) -> str:
    return repr(item) if isinstance(item, bytes) else f"{item.name or 'data'}: {data_text(item)}"


def _item(word: str, frame: bytes) -> Event | bytes:
    """Return the event of a frame, or the bytes where writing the event gives other ones."""
    events = list(events_of([frame]))
    if len(events) == 1 and protocol(word).frame(events[0]) == frame:
        return events[0]
    return frame
