"""A scenario as a value: what is sent, and what must be delivered.

Rule of this file: a stream is composed, or read from a cassette, when somebody asks for it, so a
scenario costs little until it is played.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harness.errors import InputError, WireError
from harness.protocols import protocol
from harness.protocols.events import events_of
from harness.scenarios.finding import cassette_root
from harness.wire.script import EVENT_STREAM, Pace, ResponseEnd, Script

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.model import JSON, Event, Source
    from harness.protocols.composing import Entry
    from harness.yaml_file import Lines

READ, EVERY, FULL_STACK = "read", "every", "full_stack"
LEAVING = ("break", "aclose", "cancel", "timeout", "throw")  # the ways a reader can leave


@dataclass(frozen=True)
class Transport:
    """How the response travels; everything but ``read_timeout`` is the server's doing.

    ``status`` and ``end`` are those of the recording where they are None, and 200 and clean where
    there is none; ``read_timeout`` is how many seconds the client waits for a read, None for its
    default.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: str = "event"
    end: ResponseEnd | None = None
    pace: Pace = 0.0
    read_timeout: float | None = None


@dataclass(frozen=True)
class Consumer:
    """What the reader of a stream does.

    ``do`` is ``read`` (everything), one of ``LEAVING``, or ``every`` for each of those in turn;
    ``at`` counts the chunks the reader takes before it leaves, None stands for each count. Who
    leaves ``full_stack`` does all of this, and leaves the stack above the interface at every step
    of it as well, where the target has one (``harness.aborting.full_stack``).
    """

    do: str = READ
    at: int | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """Return the ways of leaving to be tried; none for a reader that stays."""
        if self.do in {EVERY, FULL_STACK}:
            return LEAVING
        return () if self.do == READ else (self.do,)

    @property
    def full_stack(self) -> bool:
        """Whether the stack above the interface is to be left as well."""
        return self.do == FULL_STACK


@dataclass(frozen=True)
class Scenario:
    """One story: what is sent, and what must be delivered."""

    id: str
    path: Path
    title: str
    protocol: str
    order: str
    why: str
    stream: tuple[Entry, ...]
    must: Mapping[str, JSON]
    should: Mapping[str, JSON]
    cases: tuple[str, ...]
    spec: tuple[Source, ...]
    origin: str
    cassette: str | None
    dialect: str | None
    request: Mapping[str, JSON]
    transport: Transport
    consumer: Consumer
    holds_under: tuple[str, ...]
    lines: Lines = field(repr=False, compare=False)

    @property
    def topic(self) -> str:
        """The folder below the protocol."""
        return self.id.split("/")[1] if self.id.count("/") > 1 else ""

    @property
    def root(self) -> Path:
        """The folder of scenarios it was read from."""
        return self.path.parents[self.id.count("/")]

    def wire(self) -> list[Event | bytes]:
        """Return the wire events, and the bytes of what is no event.

        Raises:
            InputError: an entry of the stream, or the cassette, is at fault; names file and line.
        """
        try:
            if self.cassette is not None:
                return list(events_of([self._recorded.body]))
            return list(protocol(self.protocol).composer().compose(self.stream))
        except InputError as error:
            raise InputError(error.message, path=self.path, line=error.line) from None

    def script(self) -> Script:
        """Return the HTTP response that tells this story.

        Raises:
            InputError: as for ``wire``.
        """
        told = self._composed() if self.cassette is None else self._recorded
        way = self.transport
        headers = {name.lower(): value for name, value in way.headers.items()}
        kept = tuple(pair for pair in told.headers if pair[0].lower() not in headers)
        return told._replace(
            status=way.status or told.status,
            headers=(*kept, *headers.items()),
            cut=way.cut,
            pace=way.pace,
            end=way.end or told.end,
        )

    def _composed(self) -> Script:
        frame = protocol(self.protocol).frame
        frames = tuple(item if isinstance(item, bytes) else frame(item) for item in self.wire())
        fine = (self.transport.status or 200) < 300  # noqa: PLR2004 - HTTP's success range
        kind = EVENT_STREAM if fine else "application/json"
        return Script(frames, headers=(("content-type", kind),))

    @cached_property
    def _recorded(self) -> Script:
        """The recording its cassette holds.

        Raises:
            InputError: there is no such cassette or interaction; names the line that names it.
        """
        from harness.cassettes.scripts import script_of, select_response  # few scenarios need it

        try:
            return script_of(
                select_response(cassette_root(self.root), self.cassette or ""), self.protocol
            )
        except (InputError, WireError) as error:
            line = self.lines.at("cassette")
            raise InputError(f"cassette: {error}", path=self.path, line=line) from None

    def ask(self) -> dict[str, JSON]:
        """Return what the client asks: the protocol's default with the scenario's own on top."""
        return {**protocol(self.protocol).request, **self.request}
