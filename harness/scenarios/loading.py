"""A scenario file read into a scenario.

Rules of this file: an error names file, line and key and proposes the most similar known word; an
invalid file does not hide the others; expectations are only read here, not evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from harness.errors import InputError, UnknownWordError
from harness.model import Source
from harness.protocols import names
from harness.protocols.composing import Entry, entry_of
from harness.scenarios.folders import discover, id_of
from harness.scenarios.scenario import (
    ABORTS,
    EVERY,
    FULL_STACK,
    READ,
    Consumer,
    Scenario,
    Transport,
)
from harness.wire import cut_plans
from harness.wire.script import RECORDED, ResponseEnd
from harness.yaml_file import Lines, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.model import JSON

ORDERS = ("legal", "illegal", "open")
ORIGINS = ("synthesized", "recorded")
_REQUIRED = ("title", "protocol", "origin", "order", "why", "stream")
_KNOWN = {
    *_REQUIRED, "cassette", "case", "spec", "dialect", "request", "must", "should", "holds_under",
    "transport", "consumer",
}  # fmt: skip


def load(path: Path, root: Path) -> Scenario:
    """Read one file.

    Raises:
        InputError: the file is invalid; names file, line and remedy.
    """
    data, lines = read_yaml(path)
    if not isinstance(data, dict):
        reason = "the file is empty" if data is None else "a scenario is a mapping of keys"
        raise InputError(f"{reason}; the keys {', '.join(_REQUIRED)} are needed", path=path, line=1)
    try:
        return _scenario(data, lines, path, id_of(path, root))
    except InputError as error:
        raise InputError(error.message, path=path, line=error.line) from None


def load_all(root: Path) -> tuple[list[Scenario], list[InputError]]:
    """Read every scenario below a folder; return those, and an error for each invalid file."""
    return load_each(discover(root), root)


def load_each(paths: Iterable[Path], root: Path) -> tuple[list[Scenario], list[InputError]]:
    """Read some scenarios below a folder; return those, and an error for each invalid file."""
    found: list[Scenario] = []
    errors: list[InputError] = []
    for path in paths:
        try:
            found.append(load(path, root))
        except InputError as error:
            errors.append(error)
    return found, errors


def _scenario(data: dict[str, Any], lines: Lines, path: Path, scenario_id: str) -> Scenario:
    _known_keys("key", data, _KNOWN, lines)
    for key in _REQUIRED:
        if key not in data and (key, "cassette" in data) != ("stream", True):
            raise InputError(f"{key} is missing", line=1)
    _one_of("protocol", data, names(), lines)
    _one_of("order", data, ORDERS, lines)
    _one_of("origin", data, ORIGINS, lines)
    _one_stream(data, lines)
    if "case" not in data and "spec" not in data:
        raise InputError("no source: add a `case` of docs/catalogue.md or a `spec`", line=1)
    _forms(data, _FORMS, lines)
    if not data.get("must") and not data.get("should"):
        raise InputError("no requirement: `must` and `should` are both empty", line=1)
    return Scenario(
        id=scenario_id,
        path=path,
        title=data["title"],
        protocol=data["protocol"],
        order=data["order"],
        why=data["why"].strip(),
        stream=_stream(data.get("stream", []), lines),
        must=data.get("must", {}),
        should=data.get("should", {}),
        cases=tuple(word.strip() for word in data.get("case", "").split(",") if word.strip()),
        spec=_spec(data.get("spec", []), lines),
        origin=data["origin"],
        cassette=data.get("cassette"),
        dialect=data.get("dialect"),
        request=data.get("request", {}),
        transport=_transport(data.get("transport", {}), lines),
        consumer=_consumer(data.get("consumer", {}), lines),
        holds_under=_holds_under(data.get("holds_under", []), lines),
        lines=lines,
    )


def _one_stream(data: Mapping[str, Any], lines: Lines) -> None:
    """Reject a scenario with two streams."""
    if "cassette" in data and "stream" in data:
        reason = "the cassette is the stream; remove one of them"
        raise InputError(reason, line=lines.at("stream"))
    if "cassette" in data and data["origin"] != RECORDED:
        reason = f"a cassette is a recording; write `origin: {RECORDED}`"
        raise InputError(reason, line=lines.at("origin"))


_NUMBER = (int, float)
_FORMS: Mapping[str, type | tuple[type, ...]] = {
    "title": str,
    "why": str,
    "case": str,
    "dialect": str,
    "cassette": str,
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


def _known_keys(
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
    """Reject a value of the wrong type for its key; True and False are not numbers."""
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
    _known_keys("transport key", data, _TRANSPORT, lines, "transport")
    numbers = {key: value for key, value in data.items() if (key, value) != ("pace", RECORDED)}
    _forms(numbers, _TRANSPORT, lines, "transport")
    if data.get("end", "clean") not in get_args(ResponseEnd):
        error = UnknownWordError("end", data["end"], get_args(ResponseEnd))
        raise InputError(str(error), line=lines.at("transport", "end"))
    try:
        cut_plans.check(data.get("cut", "event"))
    except InputError as error:
        raise InputError(error.message, line=lines.at("transport", "cut")) from None
    headers = {str(key): str(value) for key, value in data.get("headers", {}).items()}
    return Transport(**{**data, "headers": headers})


def consumer_of(text: str) -> Consumer:
    """Return the consumer of a text ``DO:AT``, as in ``cancel:3``; ``DO`` alone means each count.

    Raises:
        InputError: the text is not valid.
    """
    do, _, at = text.partition(":")
    place = {"at": int(at) if at.isdecimal() else at} if at else {}
    try:
        return _consumer({"do": do, **place}, Lines())
    except InputError as error:
        raise InputError(f"consumer {text!r}: {error.message}") from None


def _consumer(data: Mapping[str, Any], lines: Lines) -> Consumer:
    _known_keys("consumer key", data, ("do", "at"), lines, "consumer")
    do, at = data.get("do", READ), data.get("at", EVERY)
    known = (READ, EVERY, FULL_STACK, *ABORTS)
    if do not in known:
        error = UnknownWordError("consumer", str(do), known)
        raise InputError(str(error), line=lines.at("consumer", "do"))
    if do == READ and "at" in data:
        reason = f"a consumer that does `{READ}` does not abort; `at` needs another `do`"
        raise InputError(reason, line=lines.at("consumer", "at"))
    counted = isinstance(at, int) and not isinstance(at, bool) and at >= 0
    if not (counted or at == EVERY):
        reason = f"`at` is a number of chunks, from 0, or `{EVERY}`"
        raise InputError(reason, line=lines.at("consumer", "at"))
    if do == FULL_STACK and counted:
        reason = f"`{FULL_STACK}` aborts after each number of chunks; `at` needs another `do`"
        raise InputError(reason, line=lines.at("consumer", "at"))
    return Consumer(do, at if counted else None)
