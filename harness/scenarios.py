"""Scenarios: one file, one story. Load, compile to wire events, lint.

The only reader of scenarios/. The path below the root, without its suffix, is the id.

Rules of this file: an error names file, line and key and proposes the nearest known word; one bad
file never hides the others; law is compared with nothing here, only read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness.errors import InputError, UnknownWordError
from harness.model import Event, Source
from harness.protocols import NAMES, protocol
from harness.protocols.composing import Entry, entry_of
from harness.wire import cutting
from harness.wire.script import EVENT_STREAM, ResponseEnd, Script
from harness.yaml_file import Lines, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from harness.model import JSON

SPEC_FILE = "SPEC.yaml"
_PACKAGE = Path(__file__).resolve().parent
ORDERS = ("legal", "illegal", "open")
ORIGINS = ("synthesized", "recorded")
_REQUIRED = ("title", "protocol", "origin", "order", "why", "stream")
_KNOWN = {
    *_REQUIRED, "case", "spec", "dialect", "request", "must", "should", "holds_under", "transport",
    "consumer",
}  # fmt: skip
READ, EVERY = "read", "every"
LEAVING = ("break", "aclose", "cancel", "timeout", "throw")  # the ways a reader can leave


@dataclass(frozen=True)
class Transport:
    """How the response travels; everything but ``read_timeout`` is the server's doing.

    ``read_timeout`` is how many seconds the client waits for a read, None for its default.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: str = "event"
    end: ResponseEnd = "clean"
    pace: float = 0.0
    read_timeout: float | None = None


@dataclass(frozen=True)
class Consumer:
    """What the reader of a stream does.

    ``do`` is ``read`` (everything), one of ``LEAVING``, or ``every`` for each of those in turn;
    ``at`` counts the chunks the reader takes before it leaves, None stands for each count.
    """

    do: str = READ
    at: int | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """Return the ways of leaving to be tried; none for a reader that stays."""
        if self.do == EVERY:
            return LEAVING
        return () if self.do == READ else (self.do,)


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
            InputError: an entry of the stream is at fault; names file and line.
        """
        try:
            return list(protocol(self.protocol).composer().compose(self.stream))
        except InputError as error:
            raise InputError(error.message, path=self.path, line=error.line) from None

    def script(self) -> Script:
        """Return the HTTP response that tells this story."""
        frame = protocol(self.protocol).frame
        frames = tuple(item if isinstance(item, bytes) else frame(item) for item in self.wire())
        way = self.transport
        default = EVENT_STREAM if way.status < 300 else "application/json"  # noqa: PLR2004 - HTTP's success range
        headers = {"content-type": default, **{k.lower(): v for k, v in way.headers.items()}}
        return Script(frames, way.status, tuple(headers.items()), way.cut, way.pace, way.end)

    def ask(self) -> dict[str, JSON]:
        """Return what the client asks: the protocol's default with the scenario's own on top."""
        return {**protocol(self.protocol).request, **self.request}


def scenario_root(named: Path | None = None) -> Path:
    """Return the folder of scenarios.

    Args:
        named: what the user named, or None: ``./scenarios``, or else those of the installation.
    """
    if named is not None:
        return named
    places = (Path("scenarios"), _PACKAGE / "_scenarios", _PACKAGE.parent / "scenarios")
    return next((place for place in places if place.is_dir()), places[0])


def discover(root: Path) -> list[Path]:
    """Return every scenario file below a folder, in the order of their ids.

    Raises:
        InputError: there is no such folder.
    """
    if not root.is_dir():
        raise InputError("no such folder of scenarios; name one with --scenarios", path=root)
    return sorted(path for path in root.rglob("*.yaml") if path.name != SPEC_FILE)


def id_of(path: Path, root: Path) -> str:
    """Return the id of a scenario file: its path below the root, without its suffix."""
    return path.relative_to(root).with_suffix("").as_posix()


def load(path: Path, root: Path) -> Scenario:
    """Read one file.

    Raises:
        InputError: the file is at fault; names file, line and cure.
    """
    data, lines = read_yaml(path)
    if not isinstance(data, dict):
        words = "the file is empty" if data is None else "a scenario is a mapping of keys"
        raise InputError(f"{words}; the keys {', '.join(_REQUIRED)} are needed", path=path, line=1)
    try:
        return _scenario(data, lines, path, id_of(path, root))
    except InputError as error:
        raise InputError(error.message, path=path, line=error.line) from None


def load_all(root: Path) -> tuple[list[Scenario], list[InputError]]:
    """Read every scenario below a folder; what cannot be read is returned as errors."""
    return load_each(discover(root), root)


def load_each(paths: Iterable[Path], root: Path) -> tuple[list[Scenario], list[InputError]]:
    """Read some scenarios below a folder; what cannot be read is returned as errors."""
    found: list[Scenario] = []
    errors: list[InputError] = []
    for path in paths:
        try:
            found.append(load(path, root))
        except InputError as error:
            errors.append(error)
    return found, errors


def lint(
    scenario: Scenario, checks: Collection[str], mutations: Collection[str]
) -> Iterator[InputError]:
    """Yield what is wrong with a scenario beyond its form.

    Args:
        scenario: the scenario.
        checks: every key that ``must`` and ``should`` may hold.
        mutations: every name that ``holds_under`` may hold.
    """
    for block in ("must", "should"):
        for key in getattr(scenario, block):
            if key not in checks:
                yield _placed(scenario, UnknownWordError("check", key, checks), block, key)
    for place, name in enumerate(scenario.holds_under):
        if name not in mutations:
            error = UnknownWordError("mutation", name, mutations)
            yield _placed(scenario, error, "holds_under", place)
    try:
        events = [item for item in scenario.wire() if isinstance(item, Event)]
    except InputError as error:
        yield error
    else:
        yield from _order(scenario, events)


def _order(scenario: Scenario, events: Sequence[Event]) -> Iterator[InputError]:
    """Hold the declared order against the protocol's tables; a missing end is no order."""
    found = [v for v in protocol(scenario.protocol).violations(events) if v.event >= 0]
    broken = next((v.sentence for v in found if v.severity == "violation"), None)
    if scenario.order == "legal" and broken:
        yield _placed(scenario, InputError(f"order is not legal: {broken}"), "order")
    if scenario.order == "illegal" and not broken:
        yield _placed(scenario, InputError("order says illegal, no table objects"), "order")


def _placed(scenario: Scenario, error: InputError, *key: str | int) -> InputError:
    return error.at(scenario.path, scenario.lines.at(*key))


def _scenario(data: dict[str, Any], lines: Lines, path: Path, scenario_id: str) -> Scenario:
    _words("key", data, _KNOWN, lines)
    for key in _REQUIRED:
        if key not in data:
            raise InputError(f"{key} is missing", line=1)
    _one_of("protocol", data, NAMES, lines)
    _one_of("order", data, ORDERS, lines)
    _one_of("origin", data, ORIGINS, lines)
    if "case" not in data and "spec" not in data:
        raise InputError("no source: give a `case` of the catalogue or a `spec`", line=1)
    _forms(data, _FORMS, lines)
    if not data.get("must") and not data.get("should"):
        raise InputError("no law: `must` and `should` are both empty", line=1)
    return Scenario(
        id=scenario_id,
        path=path,
        title=data["title"],
        protocol=data["protocol"],
        order=data["order"],
        why=data["why"].strip(),
        stream=_stream(data["stream"], lines),
        must=data.get("must", {}),
        should=data.get("should", {}),
        cases=tuple(word.strip() for word in data.get("case", "").split(",") if word.strip()),
        spec=_spec(data.get("spec", []), lines),
        origin=data["origin"],
        dialect=data.get("dialect"),
        request=data.get("request", {}),
        transport=_transport(data.get("transport", {}), lines),
        consumer=_consumer(data.get("consumer", {}), lines),
        holds_under=_holds_under(data.get("holds_under", []), lines),
        lines=lines,
    )


_NUMBER = (int, float)
_FORMS: Mapping[str, type | tuple[type, ...]] = {
    "title": str,
    "why": str,
    "case": str,
    "dialect": str,
    "stream": list,
    "spec": list,
    "holds_under": list,
    "request": dict,
    "must": dict,
    "should": dict,
    "transport": dict,
    "consumer": dict,
}
_TRANSPORT: Mapping[str, type | tuple[type, ...]] = {
    "status": int,
    "headers": dict,
    "cut": str,
    "end": str,
    "pace": _NUMBER,
    "read_timeout": _NUMBER,
}
_NAMES: Mapping[type | tuple[type, ...], str] = {
    str: "text",
    list: "a list",
    dict: "a mapping",
    int: "a whole number",
    _NUMBER: "a number",
}


def _words(
    what: str, data: Mapping[str, Any], known: Collection[str], lines: Lines, *parents: str
) -> None:
    for key in data:
        if key not in known:
            error = UnknownWordError(what, key, known)
            raise InputError(str(error), line=lines.at(*parents, key))


def _one_of(key: str, data: Mapping[str, Any], known: Sequence[str], lines: Lines) -> None:
    if data[key] not in known:
        raise InputError(str(UnknownWordError(key, str(data[key]), known)), line=lines.at(key))


def _forms(
    data: Mapping[str, Any],
    forms: Mapping[str, type | tuple[type, ...]],
    lines: Lines,
    *parents: str,
) -> None:
    """Refuse a value of another form than its key asks for; True and False are no numbers."""
    for key, kind in forms.items():
        value = data.get(key)
        if key in data and (not isinstance(value, kind) or isinstance(value, bool)):
            raise InputError(f"`{key}` must be {_NAMES[kind]}", line=lines.at(*parents, key))


def _stream(items: list[JSON], lines: Lines) -> tuple[Entry, ...]:
    return tuple(entry_of(item, lines.at("stream", at)) for at, item in enumerate(items))


def _spec(items: list[JSON], lines: Lines) -> tuple[Source, ...]:
    for at, item in enumerate(items):
        keys = isinstance(item, dict) and set(item) == {"url", "says"}
        if not keys or not all(isinstance(value, str) for value in item.values()):
            raise InputError("a spec has `url` and `says`, both text", line=lines.at("spec", at))
    return tuple(Source(**item) for item in items)


def _holds_under(items: list[JSON], lines: Lines) -> tuple[str, ...]:
    for at, item in enumerate(items):
        if not isinstance(item, str):
            raise InputError("`holds_under` lists names", line=lines.at("holds_under", at))
    return tuple(items)


def _transport(data: dict[str, Any], lines: Lines) -> Transport:
    _words("transport key", data, _TRANSPORT, lines, "transport")
    _forms(data, _TRANSPORT, lines, "transport")
    if data.get("end", "clean") not in get_args(ResponseEnd):
        error = UnknownWordError("end", data["end"], get_args(ResponseEnd))
        raise InputError(str(error), line=lines.at("transport", "end"))
    try:
        cutting.check(data.get("cut", "event"))
    except InputError as error:
        raise InputError(error.message, line=lines.at("transport", "cut")) from None
    headers = {str(key): str(value) for key, value in data.get("headers", {}).items()}
    return Transport(**{**data, "headers": headers})


def consumer_of(words: str) -> Consumer:
    """Return the consumer that ``DO:AT`` names, as in ``cancel:3``; ``DO`` alone means each count.

    Raises:
        InputError: it names none.
    """
    do, _, at = words.partition(":")
    place = {"at": int(at) if at.isdecimal() else at} if at else {}
    try:
        return _consumer({"do": do, **place}, Lines())
    except InputError as error:
        raise InputError(f"consumer {words!r}: {error.message}") from None


def _consumer(data: Mapping[str, Any], lines: Lines) -> Consumer:
    _words("consumer key", data, ("do", "at"), lines, "consumer")
    do, at = data.get("do", READ), data.get("at", EVERY)
    if do not in (READ, EVERY, *LEAVING):
        error = UnknownWordError("consumer", str(do), (READ, EVERY, *LEAVING))
        raise InputError(str(error), line=lines.at("consumer", "do"))
    if do == READ and "at" in data:
        words = "who reads everything leaves nowhere; `at` needs another `do`"
        raise InputError(words, line=lines.at("consumer", "at"))
    counted = isinstance(at, int) and not isinstance(at, bool) and at >= 0
    if not (counted or at == EVERY):
        words = f"`at` is a count of chunks from 0, or `{EVERY}`"
        raise InputError(words, line=lines.at("consumer", "at"))
    return Consumer(do, at if counted else None)
