"""A scenario as a value: what is sent, and what must be delivered.

Rule of this file: a stream is composed, or read from a cassette, when it is asked for, so that a
scenario costs little before it is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harness.errors import InputError, WireError
from harness.protocols import protocol
from harness.protocols.events import events_of
from harness.scenarios.folders import cassette_root
from harness.wire.script import EVENT_STREAM, Pace, ResponseEnd, Script

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.model import JSON, Event, Source
    from harness.protocols.composing import Entry
    from harness.yaml_file import Lines

READ, EVERY, FULL_STACK = "read", "every", "full_stack"
ABORTS = ("break", "aclose", "cancel", "timeout", "throw")  # the ways to abort a stream


@dataclass(frozen=True)
class Transport:
    """How the response is sent.

    Args:
        status: the HTTP status; None is the recording's, or 200.
        headers: HTTP headers besides those of the recording or the default ones.
        cut: the cut plan: where the body is split into reads.
        end: how the response ends; None is the recording's, or clean.
        pace: seconds before each read, or ``recorded`` for the recorded delays.
        read_timeout: seconds the client waits for the next bytes; None for its default.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: str = "event"
    end: ResponseEnd | None = None
    pace: Pace = 0.0
    read_timeout: float | None = None


@dataclass(frozen=True)
class Consumer:
    """What the consumer of a stream does.

    Args:
        do: ``read`` (to the end), one of ``ABORTS``, ``every`` for each of those in turn, or
            ``full_stack``: the same, and also a run through the layers above the interface is
            aborted at each of its steps, where the target has such layers.
        at: the number of chunks it receives before it aborts; None is each number in turn.
    """

    do: str = READ
    at: int | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """Return the ways to abort that are tried; none for a consumer that reads to the end."""
        if self.do in {EVERY, FULL_STACK}:
            return ABORTS
        return () if self.do == READ else (self.do,)

    @property
    def full_stack(self) -> bool:
        """Whether a run through the layers above the interface is aborted as well."""
        return self.do == FULL_STACK


@dataclass(frozen=True)
class Scenario:
    """One stream to send, and what a target must deliver for it.

    The fields are the keys of the file; ``path``, ``root`` and ``lines`` say where it was read.
    """

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
        """The name of the folder below the protocol's."""
        return self.id.split("/")[1] if self.id.count("/") > 1 else ""

    @property
    def root(self) -> Path:
        """The folder of scenarios it was read from."""
        return self.path.parents[self.id.count("/")]

    def wire(self) -> list[Event | bytes]:
        """Return the wire events; what is not an event is returned as bytes.

        Raises:
            InputError: an entry of the stream, or the cassette, is invalid; names file and line.
        """
        try:
            if self.cassette is not None:
                return list(events_of([self._recorded.body]))
            return list(protocol(self.protocol).composer().compose(self.stream))
        except InputError as error:
            raise InputError(error.message, path=self.path, line=error.line) from None

    def script(self) -> Script:
        """Return the HTTP response of this scenario.

        Raises:
            InputError: as for ``wire``.
        """
        response = self._composed() if self.cassette is None else self._recorded
        transport = self.transport
        headers = {name.lower(): value for name, value in transport.headers.items()}
        kept = tuple(pair for pair in response.headers if pair[0].lower() not in headers)
        return response._replace(
            status=transport.status or response.status,
            headers=(*kept, *headers.items()),
            cut=transport.cut,
            pace=transport.pace,
            end=transport.end or response.end,
        )

    def _composed(self) -> Script:
        frame = protocol(self.protocol).frame
        frames = tuple(item if isinstance(item, bytes) else frame(item) for item in self.wire())
        succeeds = (self.transport.status or 200) < 300  # noqa: PLR2004 - HTTP's success range
        kind = EVENT_STREAM if succeeds else "application/json"
        return Script(frames, headers=(("content-type", kind),))

    @cached_property
    def _recorded(self) -> Script:
        """The recorded response of its cassette.

        Raises:
            InputError: there is no such cassette or interaction; names the line of ``cassette``.
        """
        from harness.cassettes.scripts import script_of, select_response  # few scenarios need it

        try:
            return script_of(
                select_response(cassette_root(self.root), self.cassette or ""), self.protocol
            )
        except (InputError, WireError) as error:
            line = self.lines.at("cassette")
            raise InputError(f"cassette: {error}", path=self.path, line=line) from None

    def call_arguments(self) -> dict[str, JSON]:
        """Return the arguments of the SDK's call: the protocol's, updated by the scenario's."""
        return {**protocol(self.protocol).request, **self.request}
