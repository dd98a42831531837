"""One provider wire language as a value: everything that other packages ask about a protocol.

Nothing outside ``harness/protocols/<name>/`` branches on a protocol's name. A fact about one wire
language is a field here, so that a new protocol cannot be registered without stating it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.protocols.events import data_text
from harness.wire import sse

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.model import JSON, Event, FinishReason
    from harness.protocols.composing import Composer, Entry
    from harness.protocols.grammar import Grammar, Position, Step, Violation
    from harness.protocols.message import DeltaPlan, Message


@dataclass(frozen=True)
class Framing:
    """How events become bytes.

    Args:
        line_end: the line end the provider uses.
        named_by_type: whether an event's SSE name repeats its ``type``; else events have no name.
        sentinel: the event without JSON that follows the last one, or None.
        camel_case: whether the fields, which SDKs spell in snake_case, are lowerCamelCase on the
            wire.
    """

    line_end: str = "\n"
    named_by_type: bool = False
    sentinel: Event | None = None
    camel_case: bool = False


@dataclass(frozen=True)
class Detection:
    """How recorded traffic is recognised as this protocol's.

    Args:
        event: the data of one event -> whether only this protocol has such events.
        path: found in the path of a request, it means that the response is in this protocol.
    """

    event: Callable[[Mapping[str, JSON]], object]
    path: re.Pattern[str]


@dataclass(frozen=True)
class Endpoint:
    """The provider that defined the protocol.

    Args:
        provider: its key in ``harness.streaming.providers``.
        url: the address of its endpoint, for recordings that kept no request.
        documentation: the provider's reference of the stream.
        telemetry_names: the values of OpenTelemetry's ``gen_ai.provider.name`` that mean this
            protocol; a name that no protocol claims is a server compatible with Chat Completions.
        operation: OpenTelemetry's ``gen_ai.operation.name`` of a request.
    """

    provider: str
    url: str
    documentation: str
    telemetry_names: frozenset[str] = frozenset()
    operation: str = "chat"


@dataclass(frozen=True)
class Expressible:
    """Which parts of a message the protocol can express.

    Args:
        usage: the usage fields it can report; a total it lacks is input plus output.
        refusals: whether a refusal has a place of its own; else its words arrive as text.
        reasoning: whether it has reasoning; else that is left out.
        instead: finish reasons it has no word for -> the one it sends instead.
        always_reports_usage: whether every stream reports usage.
        arguments_as_text: whether a call's arguments are sent as text, so that spelling survives.
        reasoning_separator: what readers put between two parts of reasoning, where the protocol
            has a list of parts and leaves joining them to the reader.
    """

    usage: frozenset[str]
    refusals: bool = True
    reasoning: bool = True
    instead: Mapping[FinishReason, FinishReason] = field(default_factory=dict)
    always_reports_usage: bool = False
    arguments_as_text: bool = True
    reasoning_separator: str = ""


@dataclass(frozen=True)
class Samples:
    """How generated walks through the tables are written; see ``harness.generation.walking``.

    Args:
        entry: a step, and a function that picks one of several values -> the entry of the
            shorthand that writes an event with this step.
        early_ends: labels that end a stream before its usual end.
        moves: position -> the steps to choose from, where one event makes several steps; None
            takes every move of the grammar.
        way_home: position -> the step that leads towards the end; None derives it from the tables.
        first_only: whether only instance 0 of the outermost key is walked, because the shorthand
            writes no other.
    """

    entry: Callable[[Step, Callable[[Sequence[JSON]], JSON]], Entry]
    early_ends: frozenset[str] = frozenset()
    moves: Callable[[Position], Sequence[Step]] | None = None
    way_home: Callable[[Position], Step] | None = None
    first_only: bool = False


@dataclass(frozen=True)
class Oracle:
    """What the events of a stream mean, read without any streaming interface.

    Properties of generated streams compare a target with it, so it shares no code with the
    interfaces.

    Args:
        text: an event -> the text of the answer that it carries.
        finished_by: beginnings of labels after which the answer is finished although the tables
            expect more.
        replace_finish: the data of an event, and a word -> the fields that hold the word in place
            of the event's finish word; None where the event has none.
        earlier_usage: an event, and a function that scales counts -> an event that reports smaller
            counts before this one, as far as the protocol allows several reports; else None.
        error: an error as the provider sends it inside a stream.
    """

    text: Callable[[Event], str]
    finished_by: tuple[str, ...]
    replace_finish: Callable[[Mapping[str, JSON], str], dict[str, JSON] | None]
    earlier_usage: Callable[[Event, Callable[[JSON], JSON]], Event | None]
    error: Event


@dataclass(frozen=True)
class Noise:
    """Which changes of ``harness.generation.mutations.preserving`` keep the meaning of a stream.

    A target above an SDK receives only what the SDK lets through, so what the provider's official
    SDK does with a change counts as well.

    Args:
        harmless: name of the change -> who says that it means nothing.
        harmful: name of the change -> why it must not be made in this protocol.
    """

    harmless: Mapping[str, str]
    harmful: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Protocol:
    """The tables of one protocol and what is derived from them.

    Args:
        name: its name, e.g. ``openai_chat``.
        grammar: its legal order.
        read: event -> its steps in the grammar; never raises, whatever the event holds.
        composer: makes the writer of a scenario's shorthand.
        encode: message -> its legal event stream, interleaved as the plan says.
        response_body: finished message -> the JSON body of a response that is not streamed.
        finish: the provider's finish words -> ours (the table cites its source).
        vocabulary: category (event, item, part, block, delta, finish, usage …) -> the words that
            the tables know.
        request: keyword arguments of the SDK's call where a scenario has no ``request``.
        detection: how recorded traffic is recognised.
        endpoint: the provider that defined it.
        expressible: which parts of a message it can express.
        samples: how generated walks are written.
        oracle: what the events of a stream mean.
        noise: which changes keep the meaning of a stream.
        unmodelled: category -> word -> the reason why no table holds it.
        framing: how events become bytes.
    """

    name: str
    grammar: Grammar
    read: Callable[[Event], Sequence[Step]]
    composer: Callable[[], Composer]
    encode: Callable[[Message, DeltaPlan], list[Event]]
    response_body: Callable[[Message], dict[str, JSON]]
    finish: Mapping[str, FinishReason]
    vocabulary: Mapping[str, frozenset[str]]
    request: Mapping[str, JSON]
    detection: Detection
    endpoint: Endpoint
    expressible: Expressible
    samples: Samples
    oracle: Oracle
    noise: Noise
    unmodelled: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    framing: Framing = field(default_factory=Framing)

    def frame(self, event: Event) -> bytes:
        """Return the bytes of one event as this protocol's provider sends them."""
        return sse.write(event.name, data_text(event), self.framing.line_end)

    def violations(self, events: Iterable[Event]) -> list[Violation]:
        """Return what is wrong with the order of a whole stream; never raises."""
        return self.grammar.violations(self.read(event) for event in events)
