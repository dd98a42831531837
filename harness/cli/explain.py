"""``harness explain``: one scenario as its wire events, its requirements and its sources."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.errors import UnknownWordError
from harness.reports.files import json_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from harness.model import JSON, Event
    from harness.scenarios import Scenario

SUMMARY = "show one scenario: its wire events, requirements and sources"
EXAMPLES = (
    "harness explain openai_responses/ending/incomplete_reasoning_then_empty_message",
    "harness explain openai_chat/baseline/text --json",
)
_OK = 200


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    parser.add_argument("id", metavar="ID", help="id of the scenario: its path below --scenarios")
    shared.add_scenarios(parser)
    shared.add_json(parser, "one JSON document")


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from harness.scenarios import discover, id_of, load, scenario_root

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
    yield "Sent"
    script = scenario.script()
    if script.status != _OK:
        yield f"  status {script.status}"
    for number, item in enumerate(scenario.wire()):
        yield f"  {number:>3} {_wire_line(item)}"
    if script.end != "clean":
        yield f"      then the connection ends: {script.end}"
    yield from _block("Violations of the protocol's grammar", _violations(scenario))
    yield from _requirements("Must be delivered", scenario.must)
    yield from _requirements("Should be delivered", scenario.should)
    yield from _block("The consumer aborts, after the given or each number of chunks",
                      _aborts(scenario))  # fmt: skip
    yield from _block("The outcome must be the same under", list(scenario.holds_under))
    yield from _block("Sources", [*_sources(scenario)])
    yield from _block("Try it", [f"harness run {scenario.id} --target builtin --target sdk-helper"])


def _wire_line(item: Event | bytes) -> str:
    from harness.protocols.events import data_text

    if isinstance(item, bytes):
        return f"(bytes) {item!r}"
    return f"{item.name or 'data'}: {data_text(item)}"


def _violations(scenario: Scenario) -> list[str]:
    from harness.protocols import protocol

    events = [item for item in scenario.wire() if not isinstance(item, bytes)]
    return [violation.sentence for violation in protocol(scenario.protocol).violations(events)]


def _aborts(scenario: Scenario) -> list[str]:
    at = scenario.consumer.at
    ways = [way if at is None else f"{way}, after {at}" for way in scenario.consumer.ways]
    full_stack = ["at each step of the full stack"] if scenario.consumer.full_stack else []
    return [*ways, *full_stack]


def _sources(scenario: Scenario) -> Iterator[str]:
    from harness.scenarios.catalogue import case

    for source in scenario.spec:
        yield f"{source.says} {source.url}"
    for case_id in scenario.cases:
        entry = case(case_id)
        yield f"{case_id}: {entry.sent} {entry.expected} {entry.page}" if entry else case_id


def _requirements(title: str, requirements: Mapping[str, JSON]) -> Iterator[str]:
    return _block(title, [f"{key}: {json_text(value)}" for key, value in requirements.items()])


def _block(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)
