"""One failure: the stream that was sent, what was expected and delivered, how to reproduce it."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.protocols import protocol
from harness.protocols.events import data_text, events_of
from harness.scenarios.catalogue import case
from harness.targets.resolving import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.fuzzing.properties.property import Counterexample, Property
    from harness.fuzzing.settings import Settings
    from harness.generation.cases import Case
    from harness.model import JSON, Event


@dataclass(frozen=True)
class Failure:
    """One property that one target violates, with the smallest stream that was found.

    Args:
        property_name: the property's id.
        sentence: what the property requires.
        sources: ids of docs/catalogue.md.
        severity: ``must`` or ``should``.
        target: the name of the target, or of the variant that fails.
        protocol: the protocol of the stream.
        items: the events that were sent, and bytes that are not an event.
        cut: the cut plan.
        expected: what the property requires, by keys of ``must``.
        actual: what was delivered.
        why: one sentence.
    """

    property_name: str
    sentence: str
    sources: tuple[str, ...]
    severity: str
    target: str
    protocol: str
    items: tuple[Event | bytes, ...]
    cut: str = "event"
    expected: Mapping[str, JSON] = field(default_factory=dict)
    actual: Mapping[str, JSON] = field(default_factory=dict)
    why: str = ""

    @property
    def shape(self) -> tuple[object, ...]:
        """What two failures of one defect share: the property and the labels of the events."""
        wire = protocol(self.protocol)
        labels = tuple(
            b"" if isinstance(item, bytes) else tuple(step.label for step in wire.read(item))
            for item in self.items
        )
        return self.property_name, self.protocol, tuple(self.expected), labels

    @property
    def id(self) -> str:
        """The id of its scenario."""
        digest = hashlib.sha256(repr((self.shape, self.items)).encode()).hexdigest()[:8]
        return f"{self.protocol}/fuzz/{self.property_name}_{digest}"

    @property
    def documentation(self) -> str:
        """The provider's reference of the stream."""
        return protocol(self.protocol).endpoint.documentation

    def describe(self, out: str | None = None) -> str:
        """Return the failure as the text of a report.

        Args:
            out: the folder that its scenario was written to, or None if it was not written.
        """
        count = f"{len(self.items)} event{'' if len(self.items) == 1 else 's'}"
        return "\n".join(
            (
                f"{self.target}: FAILED {self.protocol}: {self.property_name} ({count})",
                f"  property     {self.sentence}",
                *(f"  {number:>9}    {_line(item)}" for number, item in enumerate(self.items)),
                *([] if self.cut == "event" else [f"  cut          {self.cut}"]),
                f"  why          {self.why}",
                *self._compared(),
                f"  source       {self.documentation}",
                *(f"  source       {_page(case_id)} ({case_id})" for case_id in self.sources),
                *([] if out is None else [f"  reproduce    {self.reproduce(out)}"]),
            )
        )

    def _compared(self) -> Iterator[str]:
        """Yield what was expected and delivered; if both are empty, `why` is all there is."""
        sides = {"expected": self.expected, "actual": self.actual}
        if any(sides.values()):
            for label, side in sides.items():
                yield f"  {label:<12} {json.dumps(dict(side), ensure_ascii=False)}"

    def reproduce(self, out: str) -> str:
        """Return the command that reproduces it.

        Args:
            out: the folder that its scenario was written to.
        """
        words = ["harness", "run", self.id, "--scenarios", out, "--target", self.target]
        return shlex.join(words)


def failure_of(
    violated: Property, drawn: Case, counterexample: Counterexample, settings: Settings
) -> Failure:
    """Return the failure that a counterexample stands for."""
    name, variant = counterexample.protocol or drawn.protocol_name, counterexample.variant
    target = settings.variant_targets[variant] if variant else settings.target
    return Failure(
        property_name=violated.name,
        sentence=violated.sentence,
        sources=violated.sources,
        severity=violated.severity,
        target=name_of(target),
        protocol=name,
        items=tuple(_item(name, frame) for frame in counterexample.script.frames),
        cut=counterexample.script.cut,
        expected=counterexample.expected,
        actual=counterexample.actual,
        why=counterexample.why,
    )


def _page(case_id: str) -> str:
    entry = case(case_id)
    return entry.page if entry else "docs/catalogue.md"


def _line(item: Event | bytes) -> str:
    return repr(item) if isinstance(item, bytes) else f"{item.name or 'data'}: {data_text(item)}"


def _item(name: str, frame: bytes) -> Event | bytes:
    """Return the event of a frame, or the frame itself if the event is written in other bytes."""
    events = list(events_of([frame]))
    if len(events) == 1 and protocol(name).frame(events[0]) == frame:
        return events[0]
    return frame
