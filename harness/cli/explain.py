"""``harness explain``: one scenario as its wire events, its law and its sources."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.errors import UnknownWordError
from harness.model import Event
from harness.protocols import protocol
from harness.protocols.events import data_text
from harness.reports.files import json_text
from harness.scenarios import discover, id_of, load, scenario_root

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from harness.model import JSON
    from harness.scenarios import Scenario


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    root = scenario_root(arguments.scenarios)
    paths = {id_of(path, root): path for path in discover(root)}
    wanted = arguments.id.removesuffix(".yaml").removeprefix("scenarios/")
    if wanted not in paths:
        raise UnknownWordError("scenario", wanted, paths)
    scenario = load(paths[wanted], root)
    if arguments.json:
        sys.stdout.write(f"{json_text(_document(scenario))}\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _page(scenario)))
    return 0


def _document(scenario: Scenario) -> dict[str, JSON]:
    return {
        "id": scenario.id,
        "title": scenario.title,
        "protocol": scenario.protocol,
        "order": scenario.order,
        "why": scenario.why,
        "events": [_event(item) for item in scenario.wire()],
        "must": dict(scenario.must),
        "should": dict(scenario.should),
        "consumer": asdict(scenario.consumer),
        "holds_under": list(scenario.holds_under),
        "cases": list(scenario.cases),
        "spec": [source.model_dump() for source in scenario.spec],
    }


def _event(item: Event | bytes) -> JSON:
    if isinstance(item, bytes):
        return {"raw": item.decode("utf-8", "backslashreplace")}
    return {"event": item.name, "data": item.data}


def _page(scenario: Scenario) -> Iterator[str]:
    yield scenario.title
    yield f"{scenario.id} ({scenario.protocol}, order {scenario.order}, {scenario.origin})"
    yield ""
    yield scenario.why
    yield ""
    yield "What is sent"
    script = scenario.script()
    if script.status != 200:  # noqa: PLR2004 - HTTP's plain success
        yield f"  status {script.status}"
    for number, item in enumerate(scenario.wire()):
        yield f"  {number:>3} {_wire_line(item)}"
    if script.end != "clean":
        yield f"      then the connection ends: {script.end}"
    notes = [v.sentence for v in protocol(scenario.protocol).violations(_events(scenario))]
    yield from _block("What the tables say of it", notes)
    yield from _law("What must be delivered", scenario.must)
    yield from _law("What should be delivered", scenario.should)
    yield from _block(
        "The reader leaves, after each count of chunks or the one named", _ways(scenario)
    )
    yield from _block("The same must come out under", list(scenario.holds_under))
    yield from _block("Sources", [*_sources(scenario)])
    yield from _block("Try it", [f"harness run {scenario.id} --target builtin --target sdk-helper"])


def _events(scenario: Scenario) -> list[Event]:
    return [item for item in scenario.wire() if isinstance(item, Event)]


def _wire_line(item: Event | bytes) -> str:
    if isinstance(item, bytes):
        return f"(bytes) {item!r}"
    return f"{item.name or 'data'}: {data_text(item)}"


def _ways(scenario: Scenario) -> list[str]:
    at, stack = scenario.consumer.at, ("at every step of the stack",)
    ways = [way if at is None else f"{way}, after {at}" for way in scenario.consumer.ways]
    return [*ways, *(stack if scenario.consumer.everywhere else ())]


def _sources(scenario: Scenario) -> Iterator[str]:
    for source in scenario.spec:
        yield f"{source.says} {source.url}"
    for case in scenario.cases:
        yield f"catalogue {case}"


def _law(title: str, law: Mapping[str, JSON]) -> Iterator[str]:
    return _block(title, [f"{key}: {json_text(law[key])}" for key in law])


def _block(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)
